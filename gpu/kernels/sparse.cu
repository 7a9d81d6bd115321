// A sparse matrix times a canonical vector, see `gpu/sparse.py`.

#include "field.cuh"

#define WARP 32
#define ALL 0xffffffffu

// One segment of a row a thread: out[target] = 2^256·Σ cᵢ·xᵢ below r. `segments` is three rows of `count` words: first
// entry, number of entries, target. The factors' table holds 2^512·c, of 1 and −1 first: those entries are summed as
// they are, and multiplied once. Lanes mostly agree on the branch, as segments lie by length and by number of products.
KERNEL __launch_bounds__(256, 3)
sparse_segments(Fr* out, const Fr* vector, const u32* segments, u32 count, const u32* wires, const u32* factors,
                const Fr* table) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    u32 first = segments[i], stop = first + segments[count + i];
    Fr products = Fr::zero(), signs = Fr::zero();
    bool any = false;
    for (u32 k = first; k < stop; k++) {
        u32 factor = factors[k];
        Fr x = vector[wires[k]];
        if (factor > 1) products = Fr::add(products, Fr::mul(table[factor], x));
        else {
            signs = factor ? Fr::sub(signs, x) : Fr::add(signs, x);
            any = true;
        }
    }
    if (any) products = Fr::add(products, Fr::mul(signs, table[0]));
    out[segments[2 * count + i]] = Fr::canonical(products);
}

// Rows of several segments, a warp each: out[row] = Σ the segments' sums. `rows` is three rows of `count` words: row,
// where its sums begin in `out`, how many they are.
KERNEL sparse_rows(Fr* out, const u32* rows, u32 count) {
    u32 i = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (i >= count) return;
    u32 first = rows[count + i], stop = first + rows[2 * count + i];
    Fr sum = Fr::zero();
    for (u32 k = first + lane; k < stop; k += WARP) sum = Fr::add(sum, out[k]);
    UNROLL for (u32 by = WARP / 2; by > 0; by /= 2) {
        Fr other;
        UNROLL for (u32 j = 0; j < LIMBS; j++) other.limb[j] = __shfl_xor_sync(ALL, sum.limb[j], by);
        sum = Fr::add(sum, other);
    }
    if (lane == 0) out[rows[i]] = Fr::canonical(sum);
}
