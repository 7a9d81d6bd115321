// Poseidon over Fr, one hash for each thread, any width: poseidon.py says which form of the permutation, and why.
//
// The state lies in shared memory, word by word beside the other threads', so that its elements can be indexed and the
// code is one short loop; a product takes the integer pipe far longer than its operands take to load. Constants are
// the same for all threads and come through the cache.

#include "field.cuh"

#define HALF_ROUNDS 4
#define MAX_WIDTH 17

// A thread's state: element j is its sixteen-byte words 2j and 2j + 1.
struct State {
    struct alignas(16) Word {
        u32 limb[LIMBS / 2];
    };
    Word* word;
    u32 stride;

    __device__ __forceinline__ Fr get(u32 j) const {
        Fr r;
        UNROLL for (int h = 0; h < 2; h++) {
            Word w = word[(2 * j + h) * stride];
            UNROLL for (int i = 0; i < LIMBS / 2; i++) r.limb[LIMBS / 2 * h + i] = w.limb[i];
        }
        return r;
    }

    __device__ __forceinline__ void put(u32 j, Fr x) const {
        UNROLL for (int h = 0; h < 2; h++) {
            Word w;
            UNROLL for (int i = 0; i < LIMBS / 2; i++) w.limb[i] = x.limb[LIMBS / 2 * h + i];
            word[(2 * j + h) * stride] = w;
        }
    }
};

DEVICE Wide nothing() {
    Wide w;
    UNROLL for (int i = 0; i < 2 * LIMBS; i++) w.limb[i] = 0;
    return w;
}

// sum + a·b modulo m, below 2m·2^256 if the sum was, for a below 2m and b below m. The new high half is below
// 2m + 2m²/2^256 < 4m, so that taking 2m off it at most once is enough, however many products there are.
DEVICE Wide accumulate(Wide sum, Fr a, Fr b) {
    Wide w = Fr::add_wide(sum, Fr::mul_wide(a, b));
    Fr high;
    UNROLL for (int i = 0; i < LIMBS; i++) high.limb[i] = w.limb[LIMBS + i];
    high = Fr::fold(high);
    UNROLL for (int i = 0; i < LIMBS; i++) w.limb[LIMBS + i] = high.limb[i];
    return w;
}

// The sum divided by 2^256: the reduction leaves it below m + 2m.
DEVICE Fr finish(Wide sum) { return Fr::fold(Fr::reduce(sum)); }

DEVICE Fr fifth_power(Fr x) { return Fr::mul(x, Fr::sqr(Fr::sqr(x))); }

// All elements through the S-box, then the first `rows` rows of the matrix; row 0 is all ones where `ones` says so.
// The record: a constant for each element, then the matrix by rows.
DEVICE void full_round(State state, const Fr* record, u32 width, u32 rows, bool ones) {
    Fr next[MAX_WIDTH];
    Fr total = Fr::zero();
    for (u32 j = 0; j < width; j++) {
        Fr x = fifth_power(Fr::add(state.get(j), record[j]));
        state.put(j, x);
        total = Fr::add(total, x);
    }
    for (u32 i = ones; i < rows; i++) {
        Wide sum = nothing();
        for (u32 j = 0; j < width; j++) sum = accumulate(sum, state.get(j), record[width * (i + 1) + j]);
        next[i] = finish(sum);
    }
    if (ones) next[0] = total;
    for (u32 i = 0; i < rows; i++) state.put(i, next[i]);
}

// The first element through the S-box; then it takes the row's products with the others and gives each its multiple.
// The record: a constant, then for each other element the row's entry, the column's, and the latter's quotient: a sum of
// products is cheapest reduced once, a single product with a factor known beforehand.
DEVICE void partial_round(State state, const Fr* record, u32 width) {
    Fr x = fifth_power(Fr::add(state.get(0), record[0]));
    Wide sum = nothing();
    for (u32 j = 1; j < width; j++) {
        Fr y = state.get(j);
        const Fr* entry = record + 3 * j - 2;
        sum = accumulate(sum, y, entry[0]);
        state.put(j, Fr::add(y, Fr::mul_known(x, entry[1], entry[2])));
    }
    state.put(0, Fr::add(x, finish(sum)));
}

// out[i] = the first element of the permutation of (initial[i], in[k·i] … in[k·i + k − 1]), canonical, k = width − 1.
// Inputs from `available` on are *filler; the initial element is 0 without `initial`. Values below 2m, Montgomery.
KERNEL poseidon_hash(Fr* out, const Fr* in, const Fr* filler, const Fr* initial, const Fr* full, const Fr* partial,
                     u64 available, u32 width, u32 partial_rounds, u32 n) {
    DYNAMIC_SHARED(memory);
    State state = {(State::Word*)memory + threadIdx.x, blockDim.x};
    u32 index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= n) return;
    state.put(0, initial ? initial[index] : Fr::zero());
    for (u32 j = 1; j < width; j++) {
        u64 at = (u64)index * (width - 1) + j - 1;
        state.put(j, at < available ? in[at] : *filler);
    }
    for (u32 r = 0; r < 2 * HALF_ROUNDS; r++) {
        if (r == HALF_ROUNDS)
            for (u32 p = 0; p < partial_rounds; p++) partial_round(state, partial + (3 * width - 2) * p, width);
        full_round(state, full + (width + 1) * width * r, width, r == 2 * HALF_ROUNDS - 1 ? 1 : width, r > 0);
    }
    out[index] = Fr::canonical(state.get(0));
}
