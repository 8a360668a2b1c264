#ifndef MACHINE_H
#define MACHINE_H
#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_ns(void);
void sleep_until_ns(uint64_t due_ns);
/* CPU time of all threads of a process in nanoseconds, from the scheduler's own counters; 0 where it has gone. */
uint64_t cpu_ns_of(int pid);
/* CPU time of this process in nanoseconds. */
uint64_t own_cpu_ns(void);
/* As many open files as the system allows us. */
void raise_file_limit(void);
/* One sentence on stderr, then exit code 1. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
