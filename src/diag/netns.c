/* netns.c - network namespaces: going into one and back; diag/netns.h. */
#include "diag/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

int hail_netns_enter(const struct hail_netns *to, int *back)
{
    *back = -1;
    if (!to || to->own)
        return 0;
    int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (here < 0)
        return -errno;
    if (setns(to->fd, CLONE_NEWNET) < 0) {
        int rc = -errno;
        close(here);
        return rc;
    }
    *back = here;
    return 0;
}

int hail_netns_leave(int back)
{
    if (back < 0)
        return 0;
    int rc = setns(back, CLONE_NEWNET) < 0 ? -errno : 0;
    close(back);
    return rc;
}
