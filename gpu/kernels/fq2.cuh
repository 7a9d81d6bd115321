// The quadratic extension Fq[i]/(i² + 1), where G2's coordinates live.
//
// A product is three of the base field's (Karatsuba) before reduction and two reductions; what adds or subtracts them
// works on the unreduced products. Bounds, as 4m < 2^256 and 4m² < 0.76·2^256·m: coordinates are below 2m, so a
// product of two is below 4m², and `reduce` takes w < k·2^256·m to below (k + 1)·m.

#pragma once

#include "field.cuh"

struct alignas(16) Fq2 {
    Fq c0, c1;

    DEVICE Fq2 zero() { return {Fq::zero(), Fq::zero()}; }
    DEVICE Fq2 one() { return {Fq::one(), Fq::zero()}; }
    DEVICE Fq2 canonical(Fq2 a) { return {Fq::canonical(a.c0), Fq::canonical(a.c1)}; }
    DEVICE Fq2 add(Fq2 a, Fq2 b) { return {Fq::add(a.c0, b.c0), Fq::add(a.c1, b.c1)}; }
    DEVICE Fq2 sub(Fq2 a, Fq2 b) { return {Fq::sub(a.c0, b.c0), Fq::sub(a.c1, b.c1)}; }
    DEVICE Fq2 twice(Fq2 a) { return add(a, a); }
    DEVICE Fq2 neg(Fq2 a) { return {Fq::neg(a.c0), Fq::neg(a.c1)}; }
    DEVICE bool is_zero(Fq2 a) { return Fq::is_zero(a.c0) && Fq::is_zero(a.c1); }

    // Called, not put in place: an addition of points has up to ten of them, which the compiler spends a minute on.
    OUTLINE Fq2 mul(Fq2 a, Fq2 b) {
        Fq2 r;
        Wide low = Fq::mul_wide(a.c0, b.c0), high = Fq::mul_wide(a.c1, b.c1);
        // Either below 4m², or a negative difference plus 2^256·m.
        r.c0 = Fq::reduce(difference(low, high, [](int i) { return FqModulus::modulus(i); }));
        // a₀b₁ + a₁b₀ < 8m² < 1.52·2^256·m, so below 2.52m before it is folded.
        r.c1 = Fq::fold(Fq::reduce(Fq::sub_wide(both(a, b), Fq::add_wide(low, high))));
        return r;
    }

    DEVICE Fq2 sqr(Fq2 a) {
        Fq product = Fq::mul(a.c0, a.c1);
        return {Fq::mul(Fq::add(a.c0, a.c1), Fq::sub(a.c0, a.c1)), Fq::twice(product)};
    }

    // a·b − c·d with two reductions.
    DEVICE Fq2 cross(Fq2 a, Fq2 b, Fq2 c, Fq2 d) {
        Fq2 r, e = neg(c);
        Wide low = Fq::add_wide(Fq::mul_wide(a.c0, b.c0), Fq::mul_wide(e.c0, d.c0));
        Wide high = Fq::add_wide(Fq::mul_wide(a.c1, b.c1), Fq::mul_wide(e.c1, d.c1));
        // Either below 8m², or a negative difference plus 2·2^256·m: below 3m, then folded.
        r.c0 = Fq::fold(Fq::reduce(difference(low, high, [](int i) { return FqModulus::twice(i); })));
        // a₀b₁ + a₁b₀ + e₀d₁ + e₁d₀ < 16m² < 3.1·2^256·m, reckoned modulo 2^512; less 2·2^256·m if it is at least
        // that, below 3m.
        Wide crossed = Fq::sub_wide(both(a, b), Fq::add_wide(low, high));
        r.c1 = Fq::fold(Fq::reduce(fold_high(Fq::add_wide(crossed, both(e, d)))));
        return r;
    }

private:
    // (a₀ + a₁)·(b₀ + b₁) < 16m² < 2^512.
    DEVICE Wide both(Fq2 a, Fq2 b) { return Fq::mul_wide(Fq::add_lazy(a.c0, a.c1), Fq::add_lazy(b.c0, b.c1)); }

    // a − b, plus 2^256 times the bound if that is negative.
    template <class B>
    DEVICE Wide difference(Wide a, Wide b, B bound) {
        Wide r;
        Chain c;
        r.limb[0] = c.sub(a.limb[0], b.limb[0]);
        UNROLL for (int k = 1; k < 2 * LIMBS; k++) r.limb[k] = c.subc(a.limb[k], b.limb[k]);
        u32 mask = c.subc_end(0, 0);
        r.limb[LIMBS] = c.add(r.limb[LIMBS], bound(0) & mask);
        UNROLL for (int k = 1; k < LIMBS; k++) r.limb[LIMBS + k] = c.addc(r.limb[LIMBS + k], bound(k) & mask);
        return r;
    }

    DEVICE Wide fold_high(Wide a) {
        Fq high;
        UNROLL for (int k = 0; k < LIMBS; k++) high.limb[k] = a.limb[LIMBS + k];
        high = Fq::fold(high);
        UNROLL for (int k = 0; k < LIMBS; k++) a.limb[LIMBS + k] = high.limb[k];
        return a;
    }
};
