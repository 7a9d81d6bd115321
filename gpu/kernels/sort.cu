// Scalars to the entries of their buckets, sorted: signed digits, and a radix sort of (key, entry) pairs by key.
//
// The sort goes from the lowest radix digit to the highest, each pass in three kernels: blocks count the digits of their
// share, the counts are summed to where each block's run of each digit begins, and the blocks bring their pairs there.
// The first pass makes its pairs from the scalars, twice, instead of reading them. A block sorts a tile at a time in
// shared memory, so that what leaves for one run leaves together. Equal digits keep their order, and no order depends on
// which thread comes first: the same scalars give the same arrays. (D. Merrill, A. Grimshaw, "High performance and
// scalable radix sorting", Parallel Processing Letters 2011; blocks wait for no other block.)

#include "digits.cuh"

#define THREADS 256
#define WARP 32
#define WARPS (THREADS / WARP)
#define ALL 0xffffffffu
#define RADIX_BITS 8
// Values of a radix digit, at most: one a thread.
#define BINS 256
// Pairs sorted at a time, and those each thread brings to it.
#define TILE 4096
#define ITEMS (TILE / THREADS)

// -- scalars to pairs ----------------------------------------------------------------------------------------------

// How scalars become pairs, see `gpu/plan.py`; `n` scalars, number i being scalars[live[i]], or scalars[i] without.
struct Plan {
    const Fr* scalars;
    const u32* live;
    u32 n, window_bits, windows, sets;
};

// Calls what(key, entry, whether the digit is there) for each window of scalar i; lanes beyond the last come along.
template <class What>
DEVICE void each_window(const Plan& plan, u32 i, What what) {
    Digits digits = digits_of(i < plan.n ? plan.scalars[plan.live ? plan.live[i] : i] : Fr::zero());
    u32 set = 0, point = i;
    for (u32 w = 0; w < plan.windows; w++) {
        u32 sign, magnitude = next_digit(digits, plan.window_bits, sign);
        what((set << (plan.window_bits - 1)) + magnitude - 1, point | sign << 31, magnitude != 0);
        if (++set == plan.sets) {
            set = 0;
            point += plan.n;
        }
    }
}

// -- a block's share ---------------------------------------------------------------------------------------------

// Part number blockIdx.x of as many tiles as `n` things fill, `per` a tile, in things: [from, to).
DEVICE void share(u32 n, u32 per, u32& from, u32& to) {
    u64 tiles = ((u64)n + per - 1) / per;
    from = (u32)(tiles * blockIdx.x / gridDim.x * per);
    u64 end = tiles * (blockIdx.x + 1) / gridDim.x * per;
    to = end < n ? (u32)end : n;
}

// This thread's words of a tile, and how many they are: a warp's lie together, row after row of a word a lane.
DEVICE u32 load_rows(u32 (&words)[ITEMS], const u32* array, u32 from, u32 to) {
    u32 first = from + threadIdx.x / WARP * WARP * ITEMS + threadIdx.x % WARP;
    u32 rows = first < to ? (to - first - 1) / WARP + 1 : 0;
    UNROLL for (u32 j = 0; j < ITEMS; j++) words[j] = j < rows ? array[first + j * WARP] : 0;
    return rows;
}

// Scalars that fill a tile at most: whole warps.
DEVICE u32 scalars_a_tile(u32 windows) {
    u32 fit = TILE / windows / WARP * WARP;
    return fit < THREADS ? fit : THREADS;
}

// Σ value of the lanes up to this one.
DEVICE u32 sum_of_lanes(u32 value) {
    UNROLL for (u32 by = 1; by < WARP; by *= 2) {
        u32 other = __shfl_up_sync(ALL, value, by);
        if (threadIdx.x % WARP >= by) value += other;
    }
    return value;
}

// -- counting ----------------------------------------------------------------------------------------------------

// counts[digit][block] from the block's counters, one digit a thread.
DEVICE void write_counts(u32* counts, const u32* counters, u32 bins) {
    __syncthreads();
    if (threadIdx.x < bins) counts[(u64)threadIdx.x * gridDim.x + blockIdx.x] = counters[threadIdx.x];
}

// First pass: the lowest `bits` bits of the keys that the scalars yield.
KERNEL sort_count_digits(u32* counts, const Fr* scalars, const u32* live, u32 n, u32 window_bits, u32 windows, u32 sets,
                         u32 bits) {
    __shared__ u32 counters[BINS];
    Plan plan = {scalars, live, n, window_bits, windows, sets};
    counters[threadIdx.x] = 0;
    __syncthreads();
    u32 from, to, mask = (1u << bits) - 1;
    share(n, scalars_a_tile(windows), from, to);
    for (u32 i = from + threadIdx.x; i < to; i += THREADS)
        each_window(plan, i, [&](u32 key, u32, bool there) {
            if (there) atomicAdd(&counters[key & mask], 1u);
        });
    write_counts(counts, counters, 1u << bits);
}

// Later passes: `bits` bits from `shift` on of `count` keys.
KERNEL sort_count_keys(u32* counts, const u32* keys, const u32* count, u32 shift, u32 bits) {
    __shared__ u32 counters[BINS];
    counters[threadIdx.x] = 0;
    __syncthreads();
    u32 from, to, key[ITEMS], mask = (1u << bits) - 1;
    share(*count, TILE, from, to);
    for (; from < to; from += TILE) {
        u32 rows = load_rows(key, keys, from, to);
        UNROLL for (u32 j = 0; j < ITEMS; j++)
            if (j < rows) atomicAdd(&counters[key[j] >> shift & mask], 1u);
    }
    write_counts(counts, counters, 1u << bits);
}

// Each digit's counts, a row of `blocks`, to the sums before each; `totals` to the whole row's. One warp a digit.
KERNEL sort_sum(u32* counts, u32* totals, u32 blocks, u32 bits) {
    u32 digit = blockIdx.x * WARPS + threadIdx.x / WARP, lane = threadIdx.x % WARP, before = 0;
    if (digit >> bits) return;
    u32* row = counts + (u64)digit * blocks;
    u32 next = lane < blocks ? row[lane] : 0;
    for (u32 i = lane; i - lane < blocks; i += WARP) {
        u32 value = next;
        next = i + WARP < blocks ? row[i + WARP] : 0;
        u32 sum = before + sum_of_lanes(value);
        if (i < blocks) row[i] = sum - value;
        before = __shfl_sync(ALL, sum, WARP - 1);
    }
    if (lane == 0) totals[digit] = before;
}

// -- scattering --------------------------------------------------------------------------------------------------

// A tile in shared memory: its pairs in the order of their digits, for each warp and digit how many or where the next
// one goes, and for each digit how far its pairs lie from their place in memory.
struct Tile {
    u32 keys[TILE], entries[TILE];
    u32 counters[WARPS][BINS];
    u32 offset[BINS];
    u32 sums[WARPS], size;
};

// Σ value of the threads before this one. A barrier must come before the next call.
DEVICE u32 sum_before(u32 value, u32* sums) {
    u32 warp = threadIdx.x / WARP, sum = sum_of_lanes(value);
    if (threadIdx.x % WARP == WARP - 1) sums[warp] = sum;
    __syncthreads();
    UNROLL for (u32 v = 0; v < WARPS; v++) sum += v < warp ? sums[v] : 0;
    return sum - value;
}

// Where the block's first pair goes whose digit is this thread's number; `all` is how many pairs there are.
DEVICE u32 first_place(Tile& tile, const u32* counts, const u32* totals, u32 bins, u32& all) {
    bool mine = threadIdx.x < bins;
    u32 total = mine ? totals[threadIdx.x] : 0;
    u32 before = sum_before(total, tile.sums);
    all = before + total;
    return before + (mine ? counts[(u64)threadIdx.x * gridDim.x + blockIdx.x] : 0);
}

// Each warp clears its own counters.
DEVICE void clear_counters(Tile& tile) {
    for (u32 d = threadIdx.x % WARP; d < BINS; d += WARP) tile.counters[threadIdx.x / WARP][d] = 0;
    __syncwarp();
}

// Counts, by warp and digit, to places in the tile. `place` is where this thread's digit goes on in memory.
DEVICE void assign_places(Tile& tile, u32& place) {
    u32 total = 0;
    __syncthreads();
    UNROLL for (u32 v = 0; v < WARPS; v++) {
        u32 count = tile.counters[v][threadIdx.x];
        tile.counters[v][threadIdx.x] = total;
        total += count;
    }
    u32 start = sum_before(total, tile.sums);
    UNROLL for (u32 v = 0; v < WARPS; v++) tile.counters[v][threadIdx.x] += start;
    tile.offset[threadIdx.x] = place - start;
    place += total;
    if (threadIdx.x == THREADS - 1) tile.size = start + total;
    __syncthreads();
}

// Put one pair of each lane in its place in the tile, lanes with the same digit in their order.
DEVICE void put(Tile& tile, u32 key, u32 entry, bool there, u32 shift, u32 bits) {
    u32 digit = key >> shift & ((1u << bits) - 1);
    u32 same = __ballot_sync(ALL, there);
    UNROLL for (u32 b = 0; b < RADIX_BITS; b++) {
        i32 set = (i32)(digit << (31 - b)) >> 31;  // 0 or all ones
        same &= __ballot_sync(ALL, set) ^ ~set;
    }
    u32 before = __popc(same & ((1u << threadIdx.x % WARP) - 1));
    u32& counter = tile.counters[threadIdx.x / WARP][digit];
    u32 at = counter + before;
    __syncwarp();
    if (there) {
        tile.keys[at] = key;
        tile.entries[at] = entry;
        if (before == 0) counter = at + __popc(same);
    }
    __syncwarp();
}

// The tile to memory: neighbours in it with the same digit are neighbours there.
DEVICE void write_tile(const Tile& tile, u32* keys, u32* entries, u32 shift, u32 bits) {
    __syncthreads();
    for (u32 j = threadIdx.x; j < tile.size; j += THREADS) {
        u32 key = tile.keys[j], to = tile.offset[key >> shift & ((1u << bits) - 1)] + j;
        keys[to] = key;
        entries[to] = tile.entries[j];
    }
}

// First pass; `count` gets the number of pairs.
KERNEL __launch_bounds__(THREADS, 4)
sort_scatter_digits(u32* keys, u32* entries, u32* count, const u32* counts, const u32* totals, const Fr* scalars,
                    const u32* live, u32 n, u32 window_bits, u32 windows, u32 sets, u32 bits) {
    __shared__ Tile tile;
    Plan plan = {scalars, live, n, window_bits, windows, sets};
    u32 from, to, all, per = scalars_a_tile(windows), warp = threadIdx.x / WARP, mask = (1u << bits) - 1;
    share(n, per, from, to);
    u32 place = first_place(tile, counts, totals, 1u << bits, all);
    if (blockIdx.x == 0 && threadIdx.x == THREADS - 1) *count = all;
    for (; from < to; from += per) {
        bool busy = warp * WARP < per;
        u32 i = from + threadIdx.x;
        clear_counters(tile);
        if (busy)
            each_window(plan, i, [&](u32 key, u32, bool there) {
                if (there) atomicAdd(&tile.counters[warp][key & mask], 1u);
            });
        assign_places(tile, place);
        if (busy)
            each_window(plan, i, [&](u32 key, u32 entry, bool there) {
                // Most scalars of a witness are short.
                if (__any_sync(ALL, there)) put(tile, key, entry, there, 0, bits);
            });
        write_tile(tile, keys, entries, 0, bits);
    }
}

// Later passes.
KERNEL __launch_bounds__(THREADS, 4)
sort_scatter_keys(u32* keys_out, u32* entries_out, const u32* counts, const u32* totals, const u32* keys,
                  const u32* entries, const u32* count, u32 shift, u32 bits) {
    __shared__ Tile tile;
    u32 from, to, all, warp = threadIdx.x / WARP, mask = (1u << bits) - 1;
    share(*count, TILE, from, to);
    u32 place = first_place(tile, counts, totals, 1u << bits, all);
    for (; from < to; from += TILE) {
        u32 key[ITEMS], entry[ITEMS], rows = load_rows(key, keys, from, to);
        clear_counters(tile);
        UNROLL for (u32 j = 0; j < ITEMS; j++)
            if (j < rows) atomicAdd(&tile.counters[warp][key[j] >> shift & mask], 1u);
        load_rows(entry, entries, from, to);
        assign_places(tile, place);
        UNROLL for (u32 j = 0; j < ITEMS; j++) put(tile, key[j], entry[j], j < rows, shift, bits);
        write_tile(tile, keys_out, entries_out, shift, bits);
    }
}
