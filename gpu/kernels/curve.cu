// One operation of Fq2 or of G1's points for each thread: for tests and microbenchmarks. G2's points, the same
// template, are tried with its sums: their code takes long to compile.

#include "curve.cuh"
#include "inversion.cuh"

#define INDEX (blockIdx.x * blockDim.x + threadIdx.x)

KERNEL fq2_mul(Fq2* out, const Fq2* a, const Fq2* b, u32 n) {
    if (INDEX < n) out[INDEX] = Fq2::mul(a[INDEX], b[INDEX]);
}
KERNEL fq2_sqr(Fq2* out, const Fq2* a, u32 n) {
    if (INDEX < n) out[INDEX] = Fq2::sqr(a[INDEX]);
}
KERNEL fq2_cross(Fq2* out, const Fq2* a, const Fq2* b, const Fq2* c, const Fq2* d, u32 n) {
    if (INDEX < n) out[INDEX] = Fq2::cross(a[INDEX], b[INDEX], c[INDEX], d[INDEX]);
}
KERNEL fq2_inverse(Fq2* out, const Fq2* a, u32 n) {
    if (INDEX < n) out[INDEX] = inverse(a[INDEX]);
}

KERNEL g1_add(G1* out, const G1* a, const G1* b, u32 n) {
    if (INDEX < n) G1::add(&out[INDEX], &a[INDEX], &b[INDEX]);
}
KERNEL g1_add_affine(G1* out, const G1* a, const Affine<Fq>* b, u32 n) {
    if (INDEX < n) out[INDEX] = G1::add(a[INDEX], b[INDEX]);
}
KERNEL g1_twice(G1* out, const G1* a, u32 n) {
    if (INDEX < n) out[INDEX] = G1::twice(a[INDEX]);
}
