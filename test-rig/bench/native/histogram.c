#include "histogram.h"

static unsigned bucket_of(uint64_t ns) {
  if (ns < 64) return (unsigned)ns;
  unsigned octave = 63u - (unsigned)__builtin_clzll(ns);
  return (octave - 5u) * 64u + (unsigned)((ns >> (octave - 6u)) & 63u);
}

static uint64_t lower_bound(unsigned bucket) {
  if (bucket < 64) return bucket;
  unsigned octave = bucket / 64u + 5u;
  return (64ull + bucket % 64u) << (octave - 6u);
}

void histogram_add(histogram_t *histogram, uint64_t ns) {
  histogram->counts[bucket_of(ns)]++;
  histogram->total++;
  if (ns > histogram->max_ns) histogram->max_ns = ns;
}

void histogram_merge(histogram_t *into, const histogram_t *from) {
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) into->counts[i] += from->counts[i];
  into->total += from->total;
  if (from->max_ns > into->max_ns) into->max_ns = from->max_ns;
}

uint64_t histogram_percentile(const histogram_t *histogram, double fraction) {
  uint64_t wanted = (uint64_t)((double)histogram->total * fraction);
  uint64_t seen = 0;
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += histogram->counts[i];
    if (seen > wanted) return lower_bound(i);
  }
  return histogram->max_ns;
}
