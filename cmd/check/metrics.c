#include "check.h"
int check_metrics(struct check *k, const char *endpoint, char *const *files, int nfiles)
{
    (void)k;
    (void)endpoint;
    (void)files;
    (void)nfiles;
    return 8;
}
