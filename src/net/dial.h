/* dial.h - the parts of dialling, for what does it in steps: from an endpoint to the race's
 * addresses, and from a lost race to the error. */
#ifndef HAIL_NET_DIAL_H
#define HAIL_NET_DIAL_H

#include "net/race.h"

/* Fills the race's addresses in the order of RFC 8305 section 4; `family` narrows them. A name is
 * looked up, which waits. 0 or -errno, recorded. */
int hail_dial_targets(struct hail_race *r, const struct hail_endpoint *to, int family);

/* Records the failure `rc` of the race, and returns it as -errno. */
int hail_dial_failed(struct hail_race *r, const struct hail_endpoint *to, int rc);

#endif
