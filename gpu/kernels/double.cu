// One operation on 52-bit limbs for each thread, packed and as they stand: for tests.

#include "double.cuh"

#define INDEX (blockIdx.x * blockDim.x + threadIdx.x)

#define AITBC_DOUBLE_KERNELS(M, f)                                                                                  \
    KERNEL f##_double_mul(Field<M>* out, const Field<M>* a, const Field<M>* b, u32 n) {                             \
        typedef DoubleField<M> D;                                                                                   \
        if (INDEX < n) out[INDEX] = D::pack(D::mul(D::unpack(a[INDEX]), D::unpack(b[INDEX])));                      \
    }                                                                                                               \
    KERNEL f##_double_raw_mul(DoubleField<M>* out, const DoubleField<M>* a, const DoubleField<M>* b, u32 n) {       \
        if (INDEX < n) out[INDEX] = DoubleField<M>::mul(a[INDEX], b[INDEX]);                                        \
    }                                                                                                               \
    KERNEL f##_double_raw_dot(DoubleField<M>* out, const DoubleField<M>* a, const DoubleField<M>* b, u32 n) {       \
        if (INDEX < n) out[INDEX] = DoubleField<M>::dot(a[INDEX], b[INDEX], b[INDEX], b[INDEX]);                    \
    }                                                                                                               \
    KERNEL f##_double_raw_sqr(DoubleField<M>* out, const DoubleField<M>* a, const DoubleField<M>*, u32 n) {         \
        if (INDEX < n) out[INDEX] = DoubleField<M>::sqr(a[INDEX]);                                                  \
    }                                                                                                               \
    KERNEL f##_double_raw_sub(DoubleField<M>* out, const DoubleField<M>* a, const DoubleField<M>* b, u32 n) {       \
        if (INDEX < n) out[INDEX] = DoubleField<M>::template sub<8>(a[INDEX], b[INDEX]);                            \
    }                                                                                                               \
    KERNEL f##_double_raw_combine(DoubleField<M>* out, const DoubleField<M>* a, const DoubleField<M>* b, u32 n) {   \
        if (INDEX < n) out[INDEX] = DoubleField<M>::template combine<10>(a[INDEX], a[INDEX], b[INDEX]);             \
    }

AITBC_DOUBLE_KERNELS(FrModulus, fr)
AITBC_DOUBLE_KERNELS(FqModulus, fq)
