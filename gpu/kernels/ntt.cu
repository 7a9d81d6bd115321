// Number-theoretic transforms over Fr: passes over a vector of 2^power elements, and tables of powers.
//
// A pass transforms 2^points elements at a distance, a *column*, for all columns; a block takes 2^columns of them, its
// *tile*. `gpu/ntt.py` says how passes make a transform. A column's elements are the tile's *rows*. Stages go two at a
// time (radix 4, decimation in frequency), each thread holding four rows of one column in registers; in between the
// tile changes hands through shared memory, each element as two halves of 16 bytes. Stages over rows of 2^bits combine
// rows e + 2^(bits−2)·(0, 1, 2, 3) of them and multiply by powers 0, 2e, e, 3e of the root of order 2^bits; row i ends
// as the column's value number reverse(i).
//
// Values are below 2r in memory and between stages. Factors within a tile come with their quotients (Field::mul_known).

#include "field.cuh"

struct alignas(16) Half {
    u32 limb[LIMBS / 2];
};

// Elements of a tile, four to a thread.
#define TILE 1024

// What a pass does besides; see ntt_pass.
enum Mode : u32 { LAST = 1, NEGATE = 2, JOIN = 4 };

// -- the tile in shared memory ---------------------------------------------------------------------------------------

// Where element i of the tile lies. Eight consecutive threads access 128 bytes at once, the width of shared memory, if
// the lowest three bits of their places differ; their elements differ in bits 0–2 early in a pass, in bits 2–4 of the
// row or more late in it. Each of bits 3–6 changes the lowest three such that every stage has eight different places.
DEVICE u32 place(u32 i) {
    u32 high = i >> 3;
    return i ^ ((high ^ high << 1 ^ (0 - (high >> 3 & 1))) & 7);
}

DEVICE void put(Half* tile, u32 i, Fr x) {
    Half low, high;
    UNROLL for (int j = 0; j < LIMBS / 2; j++) {
        low.limb[j] = x.limb[j];
        high.limb[j] = x.limb[LIMBS / 2 + j];
    }
    tile[place(i)] = low;
    tile[TILE + place(i)] = high;
}

DEVICE Fr get(const Half* tile, u32 i) {
    Half low = tile[place(i)], high = tile[TILE + place(i)];
    Fr x;
    UNROLL for (int j = 0; j < LIMBS / 2; j++) {
        x.limb[j] = low.limb[j];
        x.limb[LIMBS / 2 + j] = high.limb[j];
    }
    return x;
}

// A tile's shape: element row·2^columns + column, 2^points rows.
struct Shape {
    u32 points, columns;

    __device__ __forceinline__ u32 row(u32 element) const { return element >> columns; }
    __device__ __forceinline__ u32 column(u32 element) const { return element & ((1u << columns) - 1); }
};

// A thread's elements in stages over rows of 2^bits: first + (m·2^(bits + columns) >> 2) for m < 4. In the last stages
// but one the thread's upper bits say where in a quarter of its rows the first is: so whole warps have exponent 0.
DEVICE u32 first_element(u32 thread, Shape shape, u32 bits) {
    if (bits == 4) {
        u32 q = shape.row(thread);
        q = (q << 2 | q >> (shape.points - 4)) & ((1u << shape.points >> 2) - 1);
        thread = q << shape.columns | shape.column(thread);
    }
    u32 quarter = (1u << (bits + shape.columns) >> 2) - 1;
    return (thread & ~quarter) << 2 | (thread & quarter);
}

// The number of the value that a row ends as.
DEVICE u32 value_of(u32 row, u32 points) { return __brev(row) >> 1 >> (31 - points); }

// -- stages ----------------------------------------------------------------------------------------------------------

// A factor below r, not in Montgomery form, and its quotient; see Field::mul_known.
struct Factor {
    Fr value, quotient;
};

DEVICE Fr mul(Fr a, const Factor& factor) { return Fr::mul_known(a, factor.value, factor.quotient); }

DEVICE Factor quarter_root() {
    Factor r;
    UNROLL for (int i = 0; i < LIMBS; i++) {
        r.value.limb[i] = fr_quarter_root(i);
        r.quotient.limb[i] = fr_quarter_root_quotient(i);
    }
    return r;
}

// Two stages, or the first of them alone if `bits` is odd, over rows of 2^bits. `exponent` is the place of x[0] in a
// quarter of them, `roots` are the powers of the root of order 2^order. All of x is below 2r before and after, d1 and
// x[1], x[2], x[3] are below 4r in between.
DEVICE void butterflies(Fr* x, u32 bits, u32 exponent, const Factor* __restrict__ roots, u32 order) {
    bool odd = bits & 1;
    Fr s0 = Fr::add(x[0], x[2]), s1 = Fr::add(x[1], x[3]);
    Fr d0 = Fr::sub(x[0], x[2]), d1 = Fr::sub_lazy(x[1], x[3]);
    if (odd) {
        x[0] = s0;
        x[1] = s1;
        x[2] = d0;
        x[3] = d1;
    } else {
        d1 = mul(d1, quarter_root());
        x[0] = Fr::add(s0, s1);
        x[1] = Fr::sub_lazy(s0, s1);
        x[2] = Fr::add_lazy(d0, d1);
        x[3] = Fr::sub_lazy(d0, d1);
    }
    if (odd || exponent > 0) {
        u32 e = exponent << (order - bits);
        // In this order no registers are spilled, on any of the three architectures.
        if (!odd) x[1] = mul(x[1], roots[2 * e]);
        x[3] = mul(x[3], roots[odd ? e + (1u << order >> 2) : 3 * e]);
        x[2] = mul(x[2], roots[e]);
    } else {
        UNROLL for (int m = 1; m < 4; m++) x[m] = Fr::fold(x[m]);
    }
}

// -- passes ----------------------------------------------------------------------------------------------------------

// One pass over vectors of 2^power elements, by 2^(columns + points − 2) threads a block, one if there are fewer.
//
// A pass that is not LAST works on rows of 2^(points + low) elements; column c is the elements c, c + 2^low … of its
// row, and its values take their places. The LAST pass finds its columns in consecutive places, and puts value j of
// column c to c + 2^(power−points)·j; columns are then numbered by the 2^low values of the first pass first.
//
// Elements are multiplied, as they are read, by `before` at the same place, if there is one, and as they are written,
// by entry number place mod 2^after_bits of `after`, if there is one; all of them are below 2r. With NEGATE value j
// goes to the place of value −j. What the LAST pass writes is canonical.
//
// The grid's second axis numbers vectors: number y is read at v0, v1 or v2, and written at target + y·2^power;
// `before` is for the last of them alone. With JOIN there is one vector, v0, and v1 and v2 have been transformed
// before: written is v1·v2 less the transform of v0, canonical and out of Montgomery form.
KERNEL __launch_bounds__(TILE / 4, 3)
ntt_pass(Fr* target, const Fr* v0, const Fr* v1, const Fr* v2, const Fr* before, const Fr* __restrict__ after,
         const Factor* __restrict__ roots, u32 order, u32 power, u32 points, u32 columns, u32 low, u32 after_bits,
         u32 mode) {
    __shared__ Half tile[2 * TILE];
    Shape shape = {points, columns};
    bool last = mode & LAST;

    u32 element = first_element(threadIdx.x, shape, points);
    u32 c = blockIdx.x << columns | shape.column(element), c_low = c & ((1u << low) - 1), c_high = c >> low;
    u32 step = last ? 0 : low;
    u32 from = last ? c_low << (power - low) | c_high << points : c_low | c_high << (low + points);
    from += shape.row(element) << step;

    const Fr* source = blockIdx.y == 0 ? v0 : blockIdx.y == 1 ? v1 : v2;
    Fr x[4];
    bool multiply = before && blockIdx.y + 1 == gridDim.y;
    UNROLL for (u32 m = 0; m < 4; m++) {
        u32 i = from + ((m << points >> 2) << step);
        x[m] = source[i];
        if (multiply) x[m] = Fr::mul(x[m], before[i]);
    }

    // The stage over rows of 2^bits is the one whose elements the thread holds; 2^left rows are still to be combined.
    u32 bits = points;
    for (u32 left = points; left > 0; left -= bits & 1 ? 1 : 2) {
        if (left < bits) {
            UNROLL for (u32 m = 0; m < 4; m++) put(tile, element + (m << (bits + columns) >> 2), x[m]);
            __syncthreads();
            bits = left;
            element = first_element(threadIdx.x, shape, bits);
            UNROLL for (u32 m = 0; m < 4; m++) x[m] = get(tile, element + (m << (bits + columns) >> 2));
        }
        butterflies(x, bits, shape.row(element) & ((1u << bits >> 2) - 1), roots, order);
    }

    // The column is the same, computed anew: that is cheaper than registers for it until here.
    c = blockIdx.x << columns | shape.column(element);
    step = last ? power - points : low;
    u32 to = last ? c : (c & ((1u << low) - 1)) | c >> low << (low + points);
    to += value_of(shape.row(element), points) << step;
    Fr* out = target + ((u64)blockIdx.y << power);
    UNROLL for (u32 m = 0; m < 4; m++) {
        // A column of fewer than four elements has no row of its own for every m: the others were as good as any.
        if ((m << points & 3) != 0) continue;
        u32 i = to + (value_of(m << bits >> 2, points) << step);
        if (mode & NEGATE) i = (0 - i) & ((1u << power) - 1);
        if (after) x[m] = Fr::mul(x[m], after[i & ((1u << after_bits) - 1)]);
        if (mode & JOIN) x[m] = Fr::from_montgomery(Fr::sub(Fr::mul(v1[i], v2[i]), x[m]));
        else if (last) x[m] = Fr::canonical(x[m]);
        out[i] = x[m];
    }
}

// -- tables ----------------------------------------------------------------------------------------------------------

// out[i] = base^e·first for i < 2^power, where e = i, or, with 0 < columns, the product of row and column of i in rows
// of 2^columns. `small` are first·base^k for k < 2^half, `large` are base^(k·2^half) for as many k as it takes.
KERNEL ntt_powers(Fr* out, const Fr* __restrict__ small, const Fr* __restrict__ large, u32 half, u32 columns,
                  u32 power) {
    u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >> power) return;
    u64 e = columns ? (i >> columns) * (i & ((1u << columns) - 1)) : i;
    out[i] = Fr::canonical(Fr::mul(small[e & ((1u << half) - 1)], large[e >> half]));
}
