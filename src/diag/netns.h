/* netns.h - asking inside another network namespace; include/hail/diag.h has the public part. */
#ifndef HAIL_DIAG_NETNS_H
#define HAIL_DIAG_NETNS_H

#include <hail/diag.h>

/* The calling thread goes into `to` (NULL, or the own one: it stays) until hail_netns_leave(). What
 * it opens meanwhile (sockets, /proc/thread-self/net) is of that namespace. Returns 0 and *back for
 * leave, or -errno. setns(2). */
int hail_netns_enter(const struct hail_netns *to, int *back);
/* Back to where it was. 0, or -errno: the thread is still in the other namespace. */
int hail_netns_leave(int back);

#endif
