/* error.h - how the library's own code reports failures into the call context. */
#ifndef HAIL_BASE_ERROR_H
#define HAIL_BASE_ERROR_H

#include <hail/ctx.h>

/* Records a failure and returns -errnum, so that callers write `return hail_fail(...)`. The message
 * is made safe to show. A NULL `ctx` is allowed. Clears the advice. */
int hail_fail(struct hail_ctx *ctx, enum hail_layer layer, int errnum, const char *op,
              const char *fmt, ...) HAIL_PRINTF(5, 6);

/* Adds the advice line and the detail to the failure just recorded. */
void hail_advise(struct hail_ctx *ctx, const char *fmt, ...) HAIL_PRINTF(2, 3);
void hail_set_detail(struct hail_ctx *ctx, int detail);

#endif
