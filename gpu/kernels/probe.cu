// Microbenchmarks: how fast the instructions that the kernels are made of run, alone and side by side, and how near
// their ceiling the field and the curve come. benchmarks/gpu_probe.py launches them and says what each shows.
//
// A kernel repeats one operation; what a loop computes feeds the next and ends in memory, so that nothing is left out,
// and a test counts the instructions in the compiled loops.

#include "curve.cuh"
#include "double.cuh"

#define INDEX (blockIdx.x * blockDim.x + threadIdx.x)
#define SEEDS 16

// Where every operation takes its first values and its other operand from; the host fills it (gpu_probe.py, `seeds`).
struct alignas(16) Raw {
    u32 limb[LIMBS];
};

// -- operations: the first value, the next one, and 64 bits that depend on all of it ----------------------------------

struct Imad {
    typedef u32 Value;
    DEVICE Value first(Raw seed) { return seed.limb[0]; }
    DEVICE Value next(Value x, Raw y) { return x * y.limb[0] + y.limb[1]; }
    DEVICE u64 digest(Value x) { return x; }
};

struct ImadHigh : Imad {
    DEVICE Value next(Value x, Raw y) { return __umulhi(x, y.limb[0]) + y.limb[1]; }
};

// The product of 32 bits is added to all 64; written as a chain, for of plain C++ the compiler makes a product and a sum.
struct ImadWide {
    struct Value {
        u32 low, high;
    };
    DEVICE Value first(Raw seed) { return {seed.limb[0], seed.limb[1]}; }
    DEVICE Value next(Value x, Raw y) {
        Chain c;
        u32 low = c.mad_lo(x.high, y.limb[0], x.low);
        return {low, c.madc_hi_end(x.high, y.limb[0], x.high)};
    }
    DEVICE u64 digest(Value x) { return (u64)x.high << 32 | x.low; }
};

// Two additions of three numbers.
struct Iadd3 {
    struct Value {
        u32 a, b;
    };
    DEVICE Value first(Raw seed) { return {seed.limb[0], seed.limb[1]}; }
    DEVICE Value next(Value x, Raw y) {
        u32 a = x.a + x.b + y.limb[0];
        return {a, x.b + a + y.limb[1]};
    }
    DEVICE u64 digest(Value x) { return (u64)x.b << 32 | x.a; }
};

struct Dfma {
    typedef double Value;
    DEVICE Value first(Raw seed) { return (double)(seed.limb[0] & 0xffff); }
    // The host puts ones there: the value stays an integer.
    DEVICE Value next(Value x, Raw y) { return fma_rz(x, (double)y.limb[6], (double)y.limb[7]); }
    DEVICE u64 digest(Value x) { return bits(x); }
};

// Four wide products linked by the carry, as in a row of a field's product.
struct WideRow {
    typedef Raw Value;
    DEVICE Value first(Raw seed) { return seed; }
    DEVICE Value next(Value x, Raw y) {
        Chain c;
        UNROLL for (int j = 0; j < LIMBS; j += 2) {
            x.limb[j] = j == 0 ? c.mad_lo(y.limb[j], y.limb[1], x.limb[j]) : c.madc_lo(y.limb[j], y.limb[1], x.limb[j]);
            x.limb[j + 1] = j == LIMBS - 2 ? c.madc_hi_end(y.limb[j], y.limb[1], x.limb[j + 1])
                                           : c.madc_hi(y.limb[j], y.limb[1], x.limb[j + 1]);
        }
        return x;
    }
    DEVICE u64 digest(Value x) {
        u64 r = 0;
        UNROLL for (int i = 0; i < LIMBS; i++) r ^= (u64)x.limb[i] << 32 * (i % 2);
        return r;
    }
};

// One operation's step, then several of another's, in the same thread.
template <class A, class B, int TIMES>
struct Both {
    struct Value {
        typename A::Value a;
        typename B::Value b;
    };
    DEVICE Value first(Raw seed) { return {A::first(seed), B::first(seed)}; }
    DEVICE Value next(Value x, Raw y) {
        x.a = A::next(x.a, y);
        UNROLL for (int i = 0; i < TIMES; i++) x.b = B::next(x.b, y);
        return x;
    }
    DEVICE u64 digest(Value x) { return A::digest(x.a) ^ B::digest(x.b); }
};

template <class F>
DEVICE F element(Raw seed) {
    F r;
    UNROLL for (int i = 0; i < LIMBS; i++) r.limb[i] = seed.limb[i];
    return r;
}

template <class F>
DEVICE u64 digest_of(F x) {
    x = F::canonical(x);
    return WideRow::digest(element<Raw>({x.limb[0], x.limb[1], x.limb[2], x.limb[3], x.limb[4], x.limb[5], x.limb[6],
                                         x.limb[7]}));
}

template <class F>
struct Product {
    typedef F Value;
    DEVICE Value first(Raw seed) { return element<F>(seed); }
    DEVICE Value next(Value x, Raw y) { return F::mul(x, element<F>(y)); }
    DEVICE u64 digest(Value x) { return digest_of(x); }
};

template <class F>
struct Square : Product<F> {
    DEVICE F next(F x, Raw) { return F::sqr(x); }
};

template <class F>
struct Sum : Product<F> {
    DEVICE F next(F x, Raw y) { return F::add(x, element<F>(y)); }
};

template <class M>
struct DoubleProduct {
    typedef DoubleField<M> Value;
    DEVICE Value first(Raw seed) { return Value::unpack(element<Field<M>>(seed)); }
    DEVICE Value next(Value x, Raw y) { return Value::mul(x, first(y)); }
    DEVICE u64 digest(Value x) { return digest_of(Value::pack(x)); }
};

template <class M>
struct DoubleSquare : DoubleProduct<M> {
    DEVICE DoubleField<M> next(DoubleField<M> x, Raw) { return DoubleField<M>::sqr(x); }
};

DEVICE Fq second(Raw y) {
    Fq r = element<Fq>(y);
    r.limb[0] ^= 1;
    return r;
}

struct Fq2Product {
    typedef Fq2 Value;
    DEVICE Value first(Raw seed) { return {element<Fq>(seed), second(seed)}; }
    DEVICE Value next(Value x, Raw y) { return Fq2::mul(x, first(y)); }
    DEVICE u64 digest(Value x) { return digest_of(x.c0) ^ digest_of(x.c1) << 1; }
};

struct PointSum {
    typedef G1 Value;
    DEVICE Value first(Raw seed) { return {element<Fq>(seed), second(seed), Fq::one(), Fq::one()}; }
    DEVICE Value next(Value x, Raw y) { return G1::add(x, Affine<Fq>{element<Fq>(y), second(y)}); }
    DEVICE u64 digest(Value x) {
        return digest_of(x.x) ^ digest_of(x.y) << 1 ^ digest_of(x.zz) << 2 ^ digest_of(x.zzz) << 3;
    }
};

// "madd-2008-s" on the double field, with the signs of P and R turned so that the point is hardly ever subtracted. With
// X below 18m and Y below 8m in, P < 26m, PP < 10m, PPP < 6m, Q < 5m, R < 16m, and they are so again. The comparison
// that tells x₁ = x₂ is left out.
struct DoublePointSum {
    typedef DoubleField<FqModulus> D;
    struct Value {
        D x, y, zz, zzz;
    };
    DEVICE Value first(Raw seed) {
        D one = D::unpack(Fq::one());
        return {D::unpack(element<Fq>(seed)), D::unpack(second(seed)), one, one};
    }
    DEVICE Value next(Value a, Raw y) {
        D p = D::sub<8>(a.x, D::mul(D::unpack(element<Fq>(y)), a.zz));
        D r = D::sub<8>(a.y, D::mul(D::unpack(second(y)), a.zzz));
        D pp = D::sqr(p), ppp = D::mul(p, pp), q = D::mul(a.x, pp);
        D x = D::combine<10>(D::sqr(r), ppp, q);
        D negated = D::sub<8>(D::unpack(Fq::zero()), ppp);
        return {x, D::dot(r, D::sub<24>(q, x), a.y, negated), D::mul(a.zz, pp), D::mul(a.zzz, ppp)};
    }
    DEVICE u64 digest(Value x) {
        return digest_of(D::pack(x.x)) ^ digest_of(D::pack(x.y)) << 1 ^ digest_of(D::pack(x.zz)) << 2 ^
               digest_of(D::pack(x.zzz)) << 3;
    }
};

// -- loops -----------------------------------------------------------------------------------------------------------

// Each thread takes `chains` values, independent of each other, `steps`·loops operations further.
template <class Op, int CHAINS, int STEPS>
DEVICE u64 repeated(const Raw* seeds, u32 loops) {
    typename Op::Value x[CHAINS];
    Raw y = seeds[SEEDS - 1];
    UNROLL for (int c = 0; c < CHAINS; c++) x[c] = Op::first(seeds[(INDEX + c) % (SEEDS - 1)]);
#pragma unroll 1
    for (u32 i = 0; i < loops; i++)
        UNROLL for (int s = 0; s < STEPS; s++)
            UNROLL for (int c = 0; c < CHAINS; c++) x[c] = Op::next(x[c], y);
    u64 all = 0;
    UNROLL for (int c = 0; c < CHAINS; c++) all ^= Op::digest(x[c]);
    return all;
}

// `ticks` takes each block's cycles from the moment all its threads are there until all are done.
#define AITBC_PROBE(name, chains, steps, ...)                                        \
    KERNEL name(u64* out, u64* ticks, const Raw* seeds, u32 loops) {                 \
        __syncthreads();                                                             \
        u64 start = clock_cycles();                                                  \
        out[INDEX] = repeated<__VA_ARGS__, chains, steps>(seeds, loops);             \
        __syncthreads();                                                             \
        if (threadIdx.x == 0) ticks[blockIdx.x] = clock_cycles() - start;            \
    }

AITBC_PROBE(imad, 8, 16, Imad)
AITBC_PROBE(imad_chain, 1, 64, Imad)
AITBC_PROBE(imad_high, 8, 16, ImadHigh)
AITBC_PROBE(imad_wide, 8, 16, ImadWide)
AITBC_PROBE(imad_wide_chain, 1, 64, ImadWide)
AITBC_PROBE(wide_row, 2, 16, WideRow)
AITBC_PROBE(wide_row_chain, 1, 16, WideRow)
AITBC_PROBE(iadd3, 4, 16, Iadd3)
AITBC_PROBE(iadd3_chain, 1, 32, Iadd3)
AITBC_PROBE(dfma, 8, 16, Dfma)
AITBC_PROBE(dfma_chain, 1, 64, Dfma)
AITBC_PROBE(wide_and_dfma, 4, 16, Both<ImadWide, Dfma, 2>)
AITBC_PROBE(wide_and_iadd3, 4, 16, Both<ImadWide, Iadd3, 1>)
AITBC_PROBE(fr_mul, 1, 1, Product<Fr>)
AITBC_PROBE(fr_mul_pair, 2, 1, Product<Fr>)
AITBC_PROBE(fr_sqr, 1, 1, Square<Fr>)
AITBC_PROBE(fr_add, 2, 4, Sum<Fr>)
AITBC_PROBE(fq_mul, 1, 1, Product<Fq>)
AITBC_PROBE(fq_sqr, 1, 1, Square<Fq>)
AITBC_PROBE(fq_add, 2, 4, Sum<Fq>)
AITBC_PROBE(fq2_mul, 1, 1, Fq2Product)
AITBC_PROBE(g1_add, 1, 1, PointSum)
AITBC_PROBE(fr_double_mul, 1, 1, DoubleProduct<FrModulus>)
AITBC_PROBE(fq_double_mul, 1, 1, DoubleProduct<FqModulus>)
AITBC_PROBE(fq_double_sqr, 1, 1, DoubleSquare<FqModulus>)
AITBC_PROBE(g1_double_add, 1, 1, DoublePointSum)

// One product on the integer units and `doubles` on the floating-point ones: half of each scheduler's warps, which it
// takes in turns of four, run the one, half the other.
KERNEL fr_mixed_mul(u64* out, u64* ticks, const Raw* seeds, u32 loops, u32 doubles) {
    __syncthreads();
    u64 start = clock_cycles();
    out[INDEX] = threadIdx.x >> 7 & 1 ? repeated<DoubleProduct<FrModulus>, 1, 1>(seeds, doubles)
                                      : repeated<Product<Fr>, 1, 1>(seeds, loops);
    __syncthreads();
    if (threadIdx.x == 0) ticks[blockIdx.x] = clock_cycles() - start;
}

// -- memory ----------------------------------------------------------------------------------------------------------

struct alignas(16) Quad {
    u32 limb[4];
};

KERNEL copy(Quad* out, const Quad* in, u64 count) {
    for (u64 i = INDEX; i < count; i += (u64)gridDim.x * blockDim.x) out[i] = in[i];
}

// Records of 64 bytes at places without order, each read by four lanes; `mask` is their number, a power of two, less 1.
KERNEL gather(u64* out, const Quad* records, u32 mask, u32 loops) {
    u32 place = INDEX / 4, all = 0;
#pragma unroll 8
    for (u32 i = 0; i < loops; i++) {
        place = place * 1664525u + 1013904223u;
        u32 mixed = (place ^ place >> 15) * 0x9e3779b1u;
        Quad q = records[(u64)((mixed ^ mixed >> 16) & mask) * 4 + INDEX % 4];
        all += q.limb[0] ^ q.limb[1] ^ q.limb[2] ^ q.limb[3];
    }
    out[INDEX] = all;
}
