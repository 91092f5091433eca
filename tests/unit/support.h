/* support.h - what the unit tests share (support.c, linked into each of them): bytes that end at an
 * unreadable page, allocations and system calls that fail on demand, open descriptors counted.
 *
 * A call is counted when the test has a line "link: --wrap=NAME" for it in its head comment;
 * without one the call is untouched. A test that needs a wrapper to do more defines __wrap_NAME
 * itself.
 */
#ifndef HAIL_TESTS_SUPPORT_H
#define HAIL_TESTS_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

/* The n bytes, moved so that the first byte after them cannot be read; a further call of the same
 * thread takes the place for itself. At most 256 KiB. */
void *guarded(const void *p, size_t n);

/* The n-th wrapped call of this thread from now on fails; 0: none does. Returns what was left to
 * count, for a pause. */
int fail_nth(int n);

/* For a wrapper: counts a call, and says with errno set whether it is the one that fails. */
bool fails(int errnum);

/* Whether a call has failed since fail_nth(). */
bool has_failed(void);

/* Calls `act` with the first, second, ... wrapped call failing, until one run needs no more; that
 * one has to return 0, and none may leave a descriptor open. It is `act` that judges its own
 * failures. */
void each_call_fails(int (*act)(const void *arg), const void *arg);

/* How many descriptors this process holds (and the one that counts them). */
size_t open_descriptors(void);

#endif
