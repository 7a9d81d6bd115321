// One field operation for each thread, in place or into `out`: for tests and microbenchmarks.

#include "field.cuh"

#define INDEX (blockIdx.x * blockDim.x + threadIdx.x)

#define AITBC_FIELD_KERNELS(F, f)                                                                \
    KERNEL f##_mul(F* out, const F* a, const F* b, u32 n) {                                      \
        if (INDEX < n) out[INDEX] = F::mul(a[INDEX], b[INDEX]);                                  \
    }                                                                                            \
    KERNEL f##_mul_known(F* out, const F* a, const F* factor, const F* quotient, u32 n) {        \
        if (INDEX < n) out[INDEX] = F::mul_known(a[INDEX], factor[INDEX], quotient[INDEX]);      \
    }                                                                                            \
    KERNEL f##_sqr(F* out, const F* a, u32 n) {                                                  \
        if (INDEX < n) out[INDEX] = F::sqr(a[INDEX]);                                            \
    }                                                                                            \
    KERNEL f##_dot(F* out, const F* a, const F* b, const F* c, const F* d, u32 n) {              \
        if (INDEX < n) out[INDEX] = F::dot(a[INDEX], b[INDEX], c[INDEX], d[INDEX]);              \
    }                                                                                            \
    KERNEL f##_add(F* out, const F* a, const F* b, u32 n) {                                      \
        if (INDEX < n) out[INDEX] = F::add(a[INDEX], b[INDEX]);                                  \
    }                                                                                            \
    KERNEL f##_sub_lazy(F* out, const F* a, const F* b, u32 n) {                                 \
        if (INDEX < n) out[INDEX] = F::sub_lazy(a[INDEX], b[INDEX]);                             \
    }                                                                                            \
    KERNEL f##_sub(F* out, const F* a, const F* b, u32 n) {                                      \
        if (INDEX < n) out[INDEX] = F::sub(a[INDEX], b[INDEX]);                                  \
    }                                                                                            \
    KERNEL f##_canonical(F* out, const F* a, u32 n) {                                            \
        if (INDEX < n) out[INDEX] = F::canonical(a[INDEX]);                                      \
    }                                                                                            \
    KERNEL f##_from_montgomery(F* out, const F* a, u32 n) {                                      \
        if (INDEX < n) out[INDEX] = F::from_montgomery(a[INDEX]);                                \
    }                                                                                            \
    KERNEL f##_is_zero(u32* out, const F* a, u32 n) {                                            \
        if (INDEX < n) out[INDEX] = F::is_zero(a[INDEX]);                                        \
    }

AITBC_FIELD_KERNELS(Fr, fr)
AITBC_FIELD_KERNELS(Fq, fq)
