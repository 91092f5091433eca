/* spawn.c - runs commands in alternation and says what each run cost.
 *
 *   spawn [-w WARM] ROUNDS COMMAND [ARGUMENT...] [:: COMMAND [ARGUMENT...]]...
 *
 * Each round runs every command once, in turn, so that a change of the machine's mood meets all of
 * them. A run is one line: the command's number from 0, wall time and CPU time (user and system) in
 * microseconds, peak memory in KiB. The commands read and write /dev/null, and have to exit with 0.
 * WARM rounds (5) before are not counted.
 *
 * It is a program of its own, static and small, because a child begins with the peak memory of the
 * process that started it, and because fork() in a big one costs more than what is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16
#define WARM         5 /* rounds, without -w */

extern char **environ;

struct cost {
    double wall_us, cpu_us;
    long peak_kib;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double us(struct timeval t)
{
    return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

/* 0, or -1 after saying why. */
static int run(char **argv, const posix_spawn_file_actions_t *files, struct cost *out)
{
    pid_t pid;
    int status;
    struct rusage used;
    double start = now_us();
    int rc = posix_spawnp(&pid, argv[0], files, NULL, argv, environ);
    if (rc != 0) {
        fprintf(stderr, "spawn: %s: %s\n", argv[0], strerror(rc));
        return -1;
    }
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            return -1;
    out->wall_us = now_us() - start;
    out->cpu_us = us(used.ru_utime) + us(used.ru_stime);
    out->peak_kib = used.ru_maxrss;
    if (status != 0) {
        fprintf(stderr, "spawn: %s: wait status %d\n", argv[0], status);
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char **commands[COMMANDS_MAX];
    int n = 0;
    long warm = WARM;
    if (argc > 2 && strcmp(argv[1], "-w") == 0) {
        warm = strtol(argv[2], NULL, 10);
        argc -= 2;
        argv += 2;
    }
    long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds <= 0) {
        fputs("usage: spawn [-w WARM] ROUNDS COMMAND [ARGUMENT...] [:: COMMAND [ARGUMENT...]]...\n",
              stderr);
        return 2;
    }
    commands[n++] = argv + 2;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "::") != 0)
            continue;
        argv[i] = NULL;
        if (n == COMMANDS_MAX || i + 1 == argc)
            return 2;
        commands[n++] = argv + i + 1;
    }

    posix_spawn_file_actions_t files;
    if (posix_spawn_file_actions_init(&files) != 0 ||
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) != 0)
        return 8;
    for (long round = -warm; round < rounds; round++) {
        for (int i = 0; i < n; i++) {
            struct cost c;
            if (run(commands[i], &files, &c) < 0)
                return 1;
            if (round >= 0)
                printf("%d %.1f %.0f %ld\n", i, c.wall_us, c.cpu_us, c.peak_kib);
        }
    }
    posix_spawn_file_actions_destroy(&files);
    return fflush(stdout) == 0 ? 0 : 8;
}
