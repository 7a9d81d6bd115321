// Σ kᵢ·Pᵢ by buckets: what `gpu/msm.py` launches, for points over F. Instantiated for G1 and G2 in modules of their own.
//
// Entries come sorted by bucket (`gpu/sort.py`). Each thread adds up a slice of them, all slices being equally long,
// whatever the buckets are. A run of equal keys inside a slice is a whole bucket; the first and the last run of a slice
// may go on in its neighbours, and become two *partials*, which are joined afterwards.

#pragma once

#include "curve.cuh"
#include "inversion.cuh"

#define INDEX (blockIdx.x * blockDim.x + threadIdx.x)

// The key of no bucket, above all others.
#define NO_KEY 0xffffffffu

// The entry's point: its number in the table, and in bit 31 whether it counts negative.
template <class F>
DEVICE Affine<F> entry_point(const Affine<F>* table, u32 entry) {
    return Affine<F>::negate_if(table[entry & 0x7fffffffu], entry >> 31);
}

// One slice for each thread below `slices`, of `least` entries or of as many as it takes to share `*count` out. Writes
// the sums of whole runs to their buckets, the first and last as partials 2t and 2t + 1; where there is one run, the
// other is infinity.
template <class F>
DEVICE void sum_slice(Point<F>* buckets, Point<F>* partials, u32* partial_keys, const Affine<F>* table, const u32* keys,
                      const u32* entries, const u32* count, u32 slices, u32 least) {
    if (INDEX >= slices) return;
    u32 n = *count, length = max(n / slices + 1, least);
    u64 begin = (u64)INDEX * length;
    u32 own = 2 * INDEX;
    if (begin >= n) {
        partial_keys[own] = partial_keys[own + 1] = NO_KEY;
        return;
    }
    u32 i = (u32)begin, end = min(n - i, length) + i, key = keys[i];
    partial_keys[own] = key;
    bool first = true;
    Point<F> sum = Point<F>::from(entry_point(table, entries[i]));
    // Always one entry ahead of what is added.
    u32 next, entry;
    auto advance = [&] {
        if (++i == end) return;
        next = keys[i];
        entry = entries[i];
    };
    advance();
    for (;;) {
        // Threads that begin a run have nothing to add yet: they catch up with the others.
        while (i < end && next != key) {
            *(first ? partials + own : buckets + key) = sum;
            first = false;
            key = next;
            sum = Point<F>::from(entry_point(table, entry));
            advance();
        }
        if (i == end) break;
        Affine<F> point = entry_point(table, entry);
        advance();
        sum = Point<F>::add(sum, point);
    }
    partial_keys[own + 1] = key;
    partials[own + !first] = sum;
    if (first) partials[own + 1] = Point<F>::infinity();
}

// starts[i]: where the run of keys[i] begins among `n` sorted keys.
DEVICE void run_start(u32* starts, const u32* keys, u32 n) {
    if (INDEX >= n) return;
    u32 key = keys[INDEX], low = 0, high = INDEX;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    starts[INDEX] = low;
}

// One round of joining runs of partials. Before it, the sums of each run lie `stride` apart from its start on; each
// thread adds up to `fan` of them, so that they lie fan·stride apart.
template <class F>
DEVICE void join_run(Point<F>* buckets, Point<F>* partials, const u32* keys, const u32* starts, u32 n, u32 stride,
                     u32 fan) {
    u32 i = INDEX;
    if (i >= n || keys[i] == NO_KEY) return;
    u32 key = keys[i], offset = i - starts[i];
    if (offset % (stride * fan) != 0) return;
    auto goes_on = [&](u32 by) { return by < n - i && keys[i + by] == key; };
    for (u32 k = 1; k < fan && goes_on(k * stride); k++)
        Point<F>::add(&partials[i], &partials[i], &partials[i + k * stride]);
    // The last sum written is that of the whole run.
    if (offset == 0 && (stride == 1 || goes_on(stride))) buckets[key] = partials[i];
}

// One step from the sums S[b] of 2^k buckets to Σ S[b] and, for each bit of b, Σ S[b] over those b that have it.
//
// `in` holds `lists` lists of 2·`half` points for each set of buckets. The lists' sums are wanted: the first is of all
// buckets, the others of those with a bit below. `out` gets lists half as long with the same sums, and one more, of the
// first list's odd places.
template <class F>
DEVICE void halve(Point<F>* out, const Point<F>* in, u32 lists, u32 half, u32 total) {
    u32 i = INDEX;
    if (i >= total) return;
    u32 place = i % half, list = i / half % (lists + 1), set = i / half / (lists + 1);
    const Point<F>* from = in + (u64)set * lists * 2 * half + 2 * place;
    if (list == lists)
        out[i] = from[1];
    else {
        from += (u64)list * 2 * half;
        Point<F>::add(&out[i], &from[0], &from[1]);
    }
}

template <class F>
DEVICE void make_canonical(Point<F>* points, u32 n) {
    if (INDEX < n) points[INDEX] = Point<F>::canonical(points[INDEX]);
}

template <class F>
DEVICE void copy(Affine<F>* out, const Affine<F>* points, u32 n) {
    if (INDEX < n) out[INDEX] = points[INDEX];
}

// out[k·n + i] = 2^(doublings·(k + 1))·points[i], for k below `levels`.
template <class F>
DEVICE void multiples(Point<F>* out, const Affine<F>* points, u32 n, u32 doublings, u32 levels) {
    if (INDEX >= n) return;
    Point<F> p = Point<F>::from(points[INDEX]);
    for (u64 level = 0; level < levels; level++) {
        for (u32 k = 0; k < doublings; k++) p = Point<F>::twice(p);
        out[level * n + INDEX] = p;
    }
}

// Affine, canonical points; each thread takes every gridDim.x·blockDim.x-th one and inverts once for all of them
// (P. L. Montgomery's trick). The products up to each point wait in `out`. Infinity counts as a denominator of 1.
template <class F>
DEVICE void normalise(Affine<F>* out, const Point<F>* points, u32 n) {
    if (INDEX >= n) return;
    u32 step = gridDim.x * blockDim.x, last = INDEX + (n - 1 - INDEX) / step * step;
    auto denominator = [&](u32 i) {
        Point<F> p = points[i];
        return Point<F>::is_infinity(p) ? F::one() : p.zzz;
    };
    F product = F::one();
    for (u32 i = INDEX; i < n; i += step) {
        out[i].x = product;
        product = F::mul(product, denominator(i));
    }
    F rest = inverse(product);
    for (u32 i = last;; i -= step) {
        Point<F> p = points[i];
        F zzz = F::mul(rest, out[i].x), z = F::mul(p.zz, zzz);
        rest = F::mul(rest, denominator(i));
        bool infinite = Point<F>::is_infinity(p);
        out[i].x = infinite ? F::zero() : F::canonical(F::mul(p.x, F::sqr(z)));
        out[i].y = infinite ? F::zero() : F::canonical(F::mul(p.y, zzz));
        if (i == INDEX) break;
    }
}

// `THREADS` a block, so many blocks a multiprocessor: what the registers of the additions allow.
#define AITBC_MSM_KERNELS(F, THREADS, BLOCKS)                                                                      \
    KERNEL __launch_bounds__(THREADS, BLOCKS)                                                                      \
        sum_slices(Point<F>* buckets, Point<F>* partials, u32* partial_keys, const Affine<F>* table,               \
                   const u32* keys, const u32* entries, const u32* count, u32 slices, u32 least) {                 \
        sum_slice(buckets, partials, partial_keys, table, keys, entries, count, slices, least);                    \
    }                                                                                                              \
    KERNEL run_starts(u32* starts, const u32* keys, u32 n) { run_start(starts, keys, n); }                         \
    KERNEL join_runs(Point<F>* buckets, Point<F>* partials, const u32* keys, const u32* starts, u32 n, u32 stride, \
                     u32 fan) {                                                                                    \
        join_run(buckets, partials, keys, starts, n, stride, fan);                                                 \
    }                                                                                                              \
    KERNEL halve_lists(Point<F>* out, const Point<F>* in, u32 lists, u32 half, u32 total) {                        \
        halve(out, in, lists, half, total);                                                                        \
    }                                                                                                              \
    KERNEL canonical_points(Point<F>* points, u32 n) { make_canonical(points, n); }                                \
    KERNEL copy_points(Affine<F>* out, const Affine<F>* points, u32 n) { copy(out, points, n); }                   \
    KERNEL table_levels(Point<F>* out, const Affine<F>* points, u32 n, u32 doublings, u32 levels) {                \
        multiples(out, points, n, doublings, levels);                                                              \
    }                                                                                                              \
    KERNEL normalise_points(Affine<F>* out, const Point<F>* points, u32 n) { normalise(out, points, n); }
