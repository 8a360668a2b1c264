#ifndef HISTOGRAM_H
#define HISTOGRAM_H
#include <stdint.h>

/* Counts of nanoseconds in buckets 1/64 of an octave wide: percentiles are right to about 1.6 %. Fixed size. */
#define HISTOGRAM_BUCKETS 3776

typedef struct {
  uint64_t counts[HISTOGRAM_BUCKETS];
  uint64_t total;
  uint64_t max_ns;
} histogram_t;

void histogram_add(histogram_t *histogram, uint64_t ns);
void histogram_merge(histogram_t *into, const histogram_t *from);
/* The value below which `fraction` of what was counted lies; 0 where nothing was counted. */
uint64_t histogram_percentile(const histogram_t *histogram, double fraction);

#endif
