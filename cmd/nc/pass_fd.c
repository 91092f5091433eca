/* pass_fd.c - -F: the connected socket itself, handed to whoever is at the other end of standard
 * output (unix(7), SCM_RIGHTS); nc.h. */
#include "nc/nc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int nc_pass_fd(int fd)
{
    char nothing = 0;
    struct iovec iov = {&nothing, 1};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof fd)];
    } control = {{0}};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof control.room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    /* whoever gets it thinks of a socket that blocks */
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    while (sendmsg(STDOUT_FILENO, &msg, MSG_NOSIGNAL) < 0) {
        struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (errno != EINTR && errno != EAGAIN)
            return nc_fail("sendmsg: %s", strerror(errno));
        (void)poll(&room, 1, -1);
    }
    return 0;
}
