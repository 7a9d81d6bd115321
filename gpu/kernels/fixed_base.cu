// Multiples of one point, one scalar a thread: Σ over windows w of ±table[w][|d| − 1], for the scalar's signed digits d.
//
// table[w][k − 1] = k·2^(bits·w)·P for 1 ≤ k ≤ 2^(bits − 1). With windows of one bit the digits are 0 and 1, and the
// table is P's powers of two: its multiples are the rows of a wider one.

#include "curve.cuh"
#include "digits.cuh"

template <class F>
DEVICE void multiple(Point<F>* sums, const Affine<F>* table, const Fr* scalars, u32 n, u32 bits, u32 windows) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    Digits digits = digits_of(scalars[i]);
    Point<F> sum = Point<F>::infinity();
    for (u32 w = 0; w < windows; w++) {
        u32 negative, size = next_digit(digits, bits, negative);
        if (size) sum = Point<F>::add(sum, Affine<F>::negate_if(table[(w << (bits - 1)) + size - 1], negative));
    }
    sums[i] = sum;
}

KERNEL __launch_bounds__(128, 3)
multiples_g1(G1* sums, const Affine<Fq>* table, const Fr* scalars, u32 n, u32 bits, u32 windows) {
    multiple(sums, table, scalars, n, bits, windows);
}
KERNEL __launch_bounds__(128, 2)
multiples_g2(G2* sums, const Affine<Fq2>* table, const Fr* scalars, u32 n, u32 bits, u32 windows) {
    multiple(sums, table, scalars, n, bits, windows);
}
