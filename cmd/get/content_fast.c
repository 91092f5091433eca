/* content_fast.c - content of a known length that nobody looks at: it stays in the kernel.
 *
 *      socket --MSG_TRUNC--> nothing            the sink is /dev/null
 *      socket --splice--> pipe --splice--> file
 */
#include "get.h"

#include "base/error.h"
#include "net/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP  ((size_t)4 << 20)  /* bytes asked for at once */
#define FLUSH ((size_t)16 << 20) /* bytes that the disk is given at once */
#define PIPE  (1 << 20)          /* bytes of the pipe */
#define LEAST 262144             /* bytes that are worth waking up for ... */
#define SOON  0.05               /* ... if they come within so many seconds */

static bool can(const struct get_session *s)
{
    const struct get_sink *k = &s->job->sink;
    const struct get_asked *a = s->asked;
    return s->body.state == HAIL_HTTP_BODY_DATA && s->head.framing == HAIL_HTTP_LENGTH &&
           !s->decoder && k->open && k->fd >= 0 && !k->screen && !k->sum && !a->har &&
           a->rate <= 0 && a->speed <= 0 && s->job->resume.skip == 0 && s->len == s->head_size &&
           s->body.left > GET_BUFFER && hail_stream_is_plain(s->conn->stream);
}

static void wake_for(struct get_session *s, int bytes)
{
    setsockopt(hail_stream_fd(s->conn->stream), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

/* For something worth waking up; when that takes long, and at the end, for whatever there is. */
static int wait_for_bytes(struct get_session *s)
{
    int fd = hail_stream_fd(s->conn->stream), rc = -ETIMEDOUT;
    if (s->body.left >= LEAST) {
        get_allow(s, SOON);
        rc = hail_wait(&s->c.ctx, fd, POLLIN);
    }
    if (rc == -ETIMEDOUT) {
        wake_for(s, 1);
        get_allow(s, GET_SILENCE_S);
        rc = hail_wait(&s->c.ctx, fd, POLLIN);
        wake_for(s, LEAST);
    }
    if (rc >= 0)
        return 0;
    hail_stream_fail(&s->c.ctx, s->conn->stream, rc, "read from");
    return get_explain_timeout(s, rc, GET_SILENCE_S, "nothing more of the content");
}

/* From the pipe into the sink, all of it. */
static int empty_pipe(struct get_session *s, size_t n)
{
    struct get_sink *k = &s->job->sink;
    while (n > 0) {
        ssize_t m = splice(s->pipe[0], NULL, k->fd, NULL, n, SPLICE_F_MOVE);
        if (m > 0) {
            n -= (size_t)m;
            continue;
        }
        if (m < 0 && errno == EINTR)
            continue;
        /* the sink takes no splice: what is in the pipe goes the other way */
        if (m < 0 && errno != EINVAL && errno != EAGAIN)
            return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, errno, "write", "write %s: %s",
                             k->name ? k->name : "standard output", hail_errno_text(errno));
        m = read(s->pipe[0], s->plain, n < GET_PLAIN ? n : GET_PLAIN);
        int rc = m <= 0 ? -EIO : get_write_all(s, k->fd, k->name, s->plain, (size_t)m);
        if (rc < 0)
            return rc;
        n -= (size_t)m;
    }
    return 0;
}

static ssize_t step(struct get_session *s)
{
    size_t most = s->body.left < STEP ? (size_t)s->body.left : STEP;
    if (s->job->sink.null)
        return hail_try_discard(&s->c.ctx, s->conn->stream, most);
    return hail_try_splice(&s->c.ctx, s->conn->stream, s->pipe[1], most < PIPE ? most : PIPE,
                           false);
}

/* The framing's and everybody's counts. */
/* The disk begins to write what is there, so that it is not all left for the end. */
static void begin_to_write(const struct get_sink *k, size_t n)
{
    if (k->part && k->written / FLUSH != (k->written + n) / FLUSH)
        sync_file_range(k->fd, (off_t)(k->written / FLUSH * FLUSH), FLUSH, SYNC_FILE_RANGE_WRITE);
}

static void count(struct get_session *s, size_t n)
{
    begin_to_write(&s->job->sink, n);
    s->body.left -= n;
    s->body.total += n;
    s->hop->received += n;
    s->hop->content += n;
    s->job->resume.have += n;
    s->job->sink.written += n;
    s->job->sink.started = true;
    get_progress_add(s, n);
}

static int move(struct get_session *s)
{
    int rc = 0;
    while (rc == 0 && s->body.left > 0) {
        ssize_t n = step(s);
        if (n == -EAGAIN) {
            rc = wait_for_bytes(s);
        } else if (n <= 0) {
            /* the stream ended, or cannot do it: the next read says so again */
            return n == -EOPNOTSUPP ? 0 : (int)n;
        } else {
            count(s, (size_t)n);
            rc = s->job->sink.null ? 0 : empty_pipe(s, (size_t)n);
        }
    }
    return rc;
}

int get_content_fast(struct get_session *s)
{
    if (!can(s))
        return 0;
    if (!s->job->sink.null && s->pipe[1] == 0) {
        if (pipe2(s->pipe, O_CLOEXEC) < 0) {
            s->pipe[0] = s->pipe[1] = 0;
            return 0;
        }
        fcntl(s->pipe[1], F_SETPIPE_SZ, PIPE);
    }
    wake_for(s, LEAST);
    int rc = move(s);
    wake_for(s, 1);
    if (rc < 0)
        return rc;
    if (s->body.left == 0)
        s->body.state = HAIL_HTTP_BODY_DONE;
    return s->body.left == 0;
}
