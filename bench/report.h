/* report.h - what the benchmarks print: one line a figure, "name value unit (remark)", which
 * bench/run puts into its table.
 */
#ifndef HAIL_BENCH_REPORT_H
#define HAIL_BENCH_REPORT_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the `n` values and prints their median, with the quartiles as spread. Returns the median.
 */
static inline double report(const char *name, double *v, size_t n, const char *unit, int digits)
{
    qsort(v, n, sizeof *v, by_value);
    printf("%s %.*f %s (quartiles %.*f to %.*f)\n", name, digits, v[n / 2], unit, digits, v[n / 4],
           digits, v[n * 3 / 4]);
    return v[n / 2];
}

#endif
