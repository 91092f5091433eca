/* bench_services.c - what a lookup in the registry costs, both ways: every service of TCP once a
 * round, in an order that no cache foresees.
 */
#include <hail/hail.h>

#include <string.h>

#include "net/services.h"
#include "report.h"

#define ROUNDS   51
#define ROWS_MAX 16384

struct row {
    const char *name;
    uint16_t port;
};
static struct row rows[ROWS_MAX];
static size_t nrows;

static int take(void *arg, const struct hail_service *s)
{
    (void)arg;
    if (s->protos & HAIL_SERVICE_TCP && s->name[0] && s->first == s->last && nrows < ROWS_MAX)
        rows[nrows++] = (struct row){s->name, s->first};
    return 0;
}

/* Fisher and Yates' shuffle; the same order in every run. */
static void shuffle(void)
{
    uint64_t state = 1;
    for (size_t i = nrows - 1; i > 0; i--) {
        state = state * 6364136223846793005 + 1442695040888963407;
        size_t j = (size_t)(state >> 33) % (i + 1);
        struct row swap = rows[i];
        rows[i] = rows[j];
        rows[j] = swap;
    }
}

int main(void)
{
    static double port_ns[ROUNDS], name_ns[ROUNDS];
    size_t failed = 0;
    int64_t start = hail_now();
    uint16_t port;
    failed += hail_service_port("http", HAIL_SERVICE_TCP, &port) < 0;
    double first = (double)(hail_now() - start);
    hail_services_by_port(1, UINT16_MAX, take, NULL);
    if (nrows < 1000)
        return 1;
    shuffle();
    for (int r = 0; r < ROUNDS; r++) {
        start = hail_now();
        for (size_t i = 0; i < nrows; i++)
            failed += hail_service_port(rows[i].name, HAIL_SERVICE_TCP, &port) < 0;
        port_ns[r] = (double)(hail_now() - start) / (double)nrows;
        start = hail_now();
        for (size_t i = 0; i < nrows; i++)
            failed += hail_service_name(rows[i].port, HAIL_SERVICE_TCP) == NULL;
        name_ns[r] = (double)(hail_now() - start) / (double)nrows;
    }
    if (failed) {
        fprintf(stderr, "bench_services: %zu lookups found nothing\n", failed);
        return 1;
    }
    report("service_port", port_ns, ROUNDS, "ns", 1);
    report("service_name", name_ns, ROUNDS, "ns", 1);
    printf("service_first %.0f ns (the process's first lookup: reads /etc/services)\n", first);
    printf("service_table %.1f KB (%zu rows; %zu services of TCP looked up)\n",
           (double)hail_services_size() / 1000, hail_services_count(), nrows);
    return 0;
}
