/* SPDX-License-Identifier: Apache-2.0 */
#include "server/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/self/stat behind the program's name, which may itself hold blanks and parentheses. */
static void read_stat(struct aff_process *process)
{
    char line[1024];
    unsigned long long user, system, threads, started, virtual_bytes, resident_pages;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    struct timespec wall, boot;
    FILE *file = fopen("/proc/self/stat", "re");

    if (file == NULL)
        return;
    size_t size = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file);
    line[size] = '\0';
    const char *behind = strrchr(line, ')');
    if (behind == NULL ||
        sscanf(behind + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %llu %*d %llu"
               " %llu %llu",
               &user, &system, &threads, &started, &virtual_bytes, &resident_pages) != 6)
        return;
    process->cpu_s = (double)(user + system) / ticks;
    process->threads = threads;
    process->virtual_bytes = virtual_bytes;
    process->resident_bytes = resident_pages * (unsigned long long)sysconf(_SC_PAGESIZE);
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_BOOTTIME, &boot);
    process->started_s = (double)wall.tv_sec - (double)boot.tv_sec + (double)started / ticks;
}

static uint64_t count_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (folder == NULL)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        n += entry->d_name[0] != '.';
    (void)closedir(folder);
    return n - 1; /* the folder itself */
}

void aff_process_read(struct aff_process *ret)
{
    struct rlimit files;

    *ret = (struct aff_process){0};
    read_stat(ret);
    ret->open_files = count_files();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        ret->max_files = files.rlim_cur;
}
