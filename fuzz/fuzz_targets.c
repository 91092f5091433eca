/* fuzz_targets.c - a file of targets: any bytes are read or told to be wrong at a place that is in
 * the file, and what is read can be asked for. */
#include "check/targets.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* How many lines and bytes there are, and the faults that were told. */
struct told {
    size_t lines, size, n;
};

static void on_fault(void *arg, size_t line, size_t column, const char *why)
{
    struct told *told = arg;
    told->n++;
    must(line >= 1 && line <= told->lines && column >= 1 && column <= told->size + 1);
    must(*why && strlen(why) < CHECK_WHY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct check_targets t = {.n = 0};
    struct told told = {.lines = 1, .size = size};
    for (size_t i = 0; i < size; i++)
        told.lines += data[i] == '\n';
    must(check_targets_init(&t) == 0);
    must(check_targets_parse(&t, (const char *)data, size, &check_defaults, on_fault, &told) == 0);
    must(told.n == t.faults && t.n + t.nmodules + t.nallows + t.faults <= told.lines);
    for (size_t i = 0; i < t.n; i++) {
        const struct check_target *v = &t.v[i];
        must(v->set && !v->bare && v->kind < HAIL_HELLO_KINDS && *v->host);
        must(check_allowed(&t, v->text, v->set->module, NULL));
    }
    for (size_t i = 0; i < t.nmodules; i++)
        must(check_find_module(&t, t.modules[i].name) != NULL);
    check_targets_free(&t);
    return 0;
}
