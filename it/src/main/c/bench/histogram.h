/*
 * A log-linear histogram of nanoseconds, as HdrHistogram's: exact below 256, then 128 buckets for
 * each power of two, so a reported value is at most 1/128 above the recorded one.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { SUB_BUCKET_BITS = 7, SUB_BUCKETS = 1 << SUB_BUCKET_BITS };

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[(64 - SUB_BUCKET_BITS + 1) * SUB_BUCKETS];
};

static inline unsigned histogram_index(uint64_t value) {
    if (value < SUB_BUCKETS) return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - SUB_BUCKET_BITS;
    return shift * SUB_BUCKETS + (unsigned)(value >> shift);
}

/* The largest value that falls into the bucket. */
static inline uint64_t histogram_upper_bound(unsigned index) {
    if (index < 2 * SUB_BUCKETS) return index;
    unsigned shift = index / SUB_BUCKETS - 1;
    uint64_t leading = index - shift * SUB_BUCKETS;
    return ((leading + 1) << shift) - 1;
}

static inline void histogram_record(struct histogram *histogram, uint64_t value) {
    histogram->buckets[histogram_index(value)]++;
    histogram->count++;
    if (value > histogram->max) histogram->max = value;
}

static inline uint64_t histogram_quantile(const struct histogram *histogram, double quantile) {
    uint64_t wanted = (uint64_t)(quantile * (double)histogram->count + 0.5);
    if (wanted == 0) wanted = 1;
    uint64_t seen = 0;
    for (unsigned i = 0; i < sizeof(histogram->buckets) / sizeof(histogram->buckets[0]); i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted) {
            uint64_t bound = histogram_upper_bound(i);
            return bound < histogram->max ? bound : histogram->max;
        }
    }
    return histogram->max;
}

#endif
