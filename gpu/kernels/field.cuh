// A prime field of 254 bits on eight 32-bit limbs, in Montgomery form with radix 2^256.
//
// Products are summed by parity: the 64-bit product aᵢ·bⱼ begins at limb i + j, and those that begin at even limbs lie
// end to end, as do those that begin at odd ones. So a row of four products is one chain of carries, which the compiler
// turns into four IMAD.WIDE.U32.X, and the two accumulators meet once, at the end. Montgomery's reduction walks along
// row by row (C. K. Koç, T. Acar, B. S. Kaliski, "Analyzing and comparing Montgomery multiplication algorithms",
// IEEE Micro 1996, the coarsely integrated form).
//
// Values are kept below 2m, not m: as 4m < 2^256, a product of two such values is again below 2m without a final
// subtraction; arrays between kernels may hold them, and `canonical` takes the last step before the host sees them.
// Functions take values, not references: the inline assembly would load what is referred to anew each time.

#pragma once

#include "arch.cuh"
#include "constants.cuh"

#define LIMBS 8

// A sum of products before its reduction: below 2^512.
struct Wide {
    u32 limb[2 * LIMBS];
};

template <class M>
struct alignas(16) Field {
    u32 limb[LIMBS];

    // -- constants -----------------------------------------------------------------------------------------------

    DEVICE Field zero() {
        Field r;
        UNROLL for (int i = 0; i < LIMBS; i++) r.limb[i] = 0;
        return r;
    }

    DEVICE Field one() {
        Field r;
        UNROLL for (int i = 0; i < LIMBS; i++) r.limb[i] = M::one(i);
        return r;
    }

    // -- addition ------------------------------------------------------------------------------------------------

    // Below 4m: for a product's operand, where the other one is below m, or both factors are sums of canonical values.
    DEVICE Field add_lazy(Field a, Field b) {
        Field r;
        Chain c;
        r.limb[0] = c.add(a.limb[0], b.limb[0]);
        UNROLL for (int i = 1; i < LIMBS - 1; i++) r.limb[i] = c.addc(a.limb[i], b.limb[i]);
        r.limb[LIMBS - 1] = c.addc_end(a.limb[LIMBS - 1], b.limb[LIMBS - 1]);
        return r;
    }

    // a, below 4m, less 2m if it is at least that.
    DEVICE Field fold(Field a) { return less(a, [](int i) { return M::twice(i); }); }

    // The residue below m of a value below 2m.
    DEVICE Field canonical(Field a) { return less(a, [](int i) { return M::modulus(i); }); }

    DEVICE Field add(Field a, Field b) { return fold(add_lazy(a, b)); }
    DEVICE Field twice(Field a) { return add(a, a); }

    DEVICE Field sub(Field a, Field b) {
        Field r;
        Chain c;
        r.limb[0] = c.sub(a.limb[0], b.limb[0]);
        UNROLL for (int i = 1; i < LIMBS; i++) r.limb[i] = c.subc(a.limb[i], b.limb[i]);
        u32 mask = c.subc_end(0, 0);
        r.limb[0] = c.add(r.limb[0], M::twice(0) & mask);
        UNROLL for (int i = 1; i < LIMBS - 1; i++) r.limb[i] = c.addc(r.limb[i], M::twice(i) & mask);
        r.limb[LIMBS - 1] = c.addc_end(r.limb[LIMBS - 1], M::twice(LIMBS - 1) & mask);
        return r;
    }

    // a − b + 2m, below 4m: as add_lazy.
    DEVICE Field sub_lazy(Field a, Field b) {
        Field r;
        Chain c;
        r.limb[0] = c.sub(M::twice(0), b.limb[0]);
        UNROLL for (int i = 1; i < LIMBS - 1; i++) r.limb[i] = c.subc(M::twice(i), b.limb[i]);
        r.limb[LIMBS - 1] = c.subc_end(M::twice(LIMBS - 1), b.limb[LIMBS - 1]);
        return add_lazy(a, r);
    }

    DEVICE Field neg(Field a) { return sub(zero(), a); }

    // Whether a value below 2m is 0 modulo m.
    DEVICE bool is_zero(Field a) {
        u32 any = 0, other = 0;
        UNROLL for (int i = 0; i < LIMBS; i++) {
            any |= a.limb[i];
            other |= a.limb[i] ^ M::modulus(i);
        }
        return any == 0 || other == 0;
    }

    // -- multiplication ------------------------------------------------------------------------------------------

    // a·b/2^256 below 2m, for a·b below 2^256·m: both below 2m, or one below 4m and the other below m.
    DEVICE Field mul(Field a, Field b) {
        u32 even[LIMBS], odd[LIMBS];
        UNROLL for (int j = 0; j < LIMBS; j++) even[j] = odd[j] = 0;
        UNROLL for (int i = 0; i < LIMBS; i++) {
            Chain c;
            if (i > 0) shift(even, odd, c);
            row(odd, a.limb + 1, b.limb[i], c, i > 0);
            row(even, a.limb, b.limb[i], c, false);
            odd[LIMBS - 1] = c.addc_end(odd[LIMBS - 1], 0);
            cancel(even, odd, c, false);
        }
        return meet(even, odd);
    }

    // a·factor modulo m, below 2m, for any a below 4m and a factor below m that is known beforehand: not in Montgomery
    // form, and with its quotient, ⌊factor·2^256/m⌋. Let q = ⌊a·quotient/2^256⌋. Then a·factor − q·m is not negative
    // and below (1 + a/2^256)·m, so the lower halves of both products give it. For q the upper half is enough, with
    // columns from 2^192 on: those left out make q less by 1 at most, and the bound higher by less than m/2^29.
    // V. Shoup's NTL ("MulModPrecon"); D. Harvey, "Faster arithmetic for number-theoretic transforms", 2014, section 2.
    DEVICE Field mul_known(Field a, Field factor, Field quotient) {
        u32 even[2 * LIMBS], odd[2 * LIMBS];
        UNROLL for (int k = 0; k < 2 * LIMBS; k++) even[k] = odd[k] = 0;
        UNROLL for (int i = 0; i < LIMBS; i++) {
            int first = i < LIMBS - 2 ? LIMBS - 2 - i : 0;
            products((i + first) % 2 ? odd : even, a, first, i, quotient.limb[i]);
            products((i + first) % 2 ? even : odd, a, first + 1, i, quotient.limb[i]);
        }
        Field q, negative;
        Chain c;
        c.add(even[LIMBS - 1], odd[LIMBS - 1]);
        UNROLL for (int k = 0; k < LIMBS; k++) q.limb[k] = c.addc(even[LIMBS + k], odd[LIMBS + k]);
        UNROLL for (int k = 0; k < LIMBS; k++) negative.limb[k] = k == 0 ? 0 - M::modulus(0) : ~M::modulus(k);
        UNROLL for (int k = 0; k < LIMBS; k++) even[k] = odd[k] = 0;
        // The lowest limb of 2^256 − r is 2^28 − 1: its row is a shift and a subtraction, which keep another pipe busy.
        constexpr u32 ONES = 0 - M::modulus(0);
        constexpr bool SHIFT = (ONES & (ONES + 1)) == 0;
        if (SHIFT) {
            u32 by = __popc(ONES);
            UNROLL for (int k = 0; k < LIMBS; k++) {
                u32 shifted = q.limb[k] << by | (k > 0 ? q.limb[k - 1] >> (32 - by) : 0);
                even[k] = k == 0 ? c.sub(shifted, q.limb[k]) : c.subc(shifted, q.limb[k]);
            }
        }
        UNROLL for (int i = SHIFT; i < LIMBS; i++) {
            low_products(i % 2 ? odd : even, q, 0, i, negative.limb[i]);
            low_products(i % 2 ? even : odd, q, 1, i, negative.limb[i]);
        }
        UNROLL for (int i = 0; i < LIMBS; i++) {
            low_products(i % 2 ? odd : even, a, 0, i, factor.limb[i]);
            low_products(i % 2 ? even : odd, a, 1, i, factor.limb[i]);
        }
        Field r;
        r.limb[0] = even[0];
        r.limb[1] = c.add(even[1], odd[1]);
        UNROLL for (int k = 2; k < LIMBS; k++) r.limb[k] = c.addc(even[k], odd[k]);
        return r;
    }

    DEVICE Field sqr(Field a) { return reduce(sqr_wide(a)); }

    // a·b + c·d below 2m with one reduction, for values below 2m.
    DEVICE Field dot(Field a, Field b, Field c, Field d) {
        return fold(reduce(add_wide(mul_wide(a, b), mul_wide(c, d))));
    }

    // a·b − c·d likewise.
    DEVICE Field cross(Field a, Field b, Field c, Field d) {
        return dot(a, b, neg(c), d);
    }

    // Leave Montgomery form: a/2^256 below m.
    DEVICE Field from_montgomery(Field a) {
        Wide w;
        UNROLL for (int i = 0; i < LIMBS; i++) {
            w.limb[i] = a.limb[i];
            w.limb[LIMBS + i] = 0;
        }
        return canonical(reduce(w));
    }

    // -- products before reduction -------------------------------------------------------------------------------

    DEVICE Wide mul_wide(Field a, Field b) {
        u32 even[2 * LIMBS], odd[2 * LIMBS];
        UNROLL for (int k = 0; k < 2 * LIMBS; k++) even[k] = odd[k] = 0;
        UNROLL for (int i = 0; i < LIMBS; i++) {
            products(i % 2 ? odd : even, a, 0, i, b.limb[i]);
            products(i % 2 ? even : odd, a, 1, i, b.limb[i]);
        }
        return sum(even, odd);
    }

    DEVICE Wide sqr_wide(Field a) {
        u32 even[2 * LIMBS], odd[2 * LIMBS];
        UNROLL for (int k = 0; k < 2 * LIMBS; k++) even[k] = odd[k] = 0;
        UNROLL for (int i = 0; i < LIMBS - 1; i++) {
            products(odd, a, i + 1, i, a.limb[i]);
            products(even, a, i + 2, i, a.limb[i]);
        }
        Wide r = sum(even, odd);
        r = add_wide(r, r);
        Chain c;
        r.limb[0] = c.mad_lo(a.limb[0], a.limb[0], r.limb[0]);
        UNROLL for (int i = 0; i < LIMBS; i++) {
            if (i > 0) r.limb[2 * i] = c.madc_lo(a.limb[i], a.limb[i], r.limb[2 * i]);
            r.limb[2 * i + 1] = c.madc_hi(a.limb[i], a.limb[i], r.limb[2 * i + 1]);
        }
        return r;
    }

    DEVICE Wide add_wide(Wide a, Wide b) { return sum(a.limb, b.limb); }

    // a − b, for a ≥ b.
    DEVICE Wide sub_wide(Wide a, Wide b) {
        Wide r;
        Chain c;
        r.limb[0] = c.sub(a.limb[0], b.limb[0]);
        UNROLL for (int k = 1; k < 2 * LIMBS; k++) r.limb[k] = c.subc(a.limb[k], b.limb[k]);
        return r;
    }

    // w/2^256: below m + w/2^256.
    DEVICE Field reduce(Wide w) {
        u32 even[LIMBS], odd[LIMBS];
        UNROLL for (int j = 0; j < LIMBS; j++) {
            even[j] = w.limb[j];
            odd[j] = 0;
        }
        UNROLL for (int i = 0; i < LIMBS; i++) {
            Chain c;
            if (i > 0) shift(even, odd, c);
            cancel(even, odd, c, i > 0);
        }
        Field r = meet(even, odd), high;
        UNROLL for (int j = 0; j < LIMBS; j++) high.limb[j] = w.limb[LIMBS + j];
        return add_lazy(r, high);
    }

private:
    // a − b if that is not negative, else a.
    template <class B>
    DEVICE Field less(Field a, B b) {
        Field d;
        Chain c;
        d.limb[0] = c.sub(a.limb[0], b(0));
        UNROLL for (int i = 1; i < LIMBS; i++) d.limb[i] = c.subc(a.limb[i], b(i));
        bool negative = c.subc_end(0, 0) != 0;
        UNROLL for (int i = 0; i < LIMBS; i++) d.limb[i] = negative ? a.limb[i] : d.limb[i];
        return d;
    }

    // acc += x[0, 2, 4, 6]·y, with the flag as carry in where `carry` says so, and as carry out.
    DEVICE void row(u32* acc, const u32* x, u32 y, Chain& c, bool carry) {
        UNROLL for (int j = 0; j < LIMBS; j += 2) {
            acc[j] = j == 0 && !carry ? c.mad_lo(x[j], y, acc[j]) : c.madc_lo(x[j], y, acc[j]);
            acc[j + 1] = c.madc_hi(x[j], y, acc[j + 1]);
        }
    }

    // Divide even + 2^32·odd, whose lowest limb is 0, by 2^32: the two change places. Leaves a carry into the new odd[0].
    DEVICE void shift(u32* even, u32* odd, Chain& c) {
        u32 first = even[1], kept[LIMBS - 2];
        UNROLL for (int j = 0; j < LIMBS - 2; j++) kept[j] = even[j + 2];
        UNROLL for (int j = 0; j < LIMBS; j++) even[j] = odd[j];
        UNROLL for (int j = 0; j < LIMBS - 2; j++) odd[j] = kept[j];
        odd[LIMBS - 2] = odd[LIMBS - 1] = 0;
        even[0] = c.add(even[0], first);
    }

    // Add the multiple of m that makes the lowest limb 0.
    DEVICE void cancel(u32* even, u32* odd, Chain& c, bool carry) {
        u32 factor = even[0] * M::INVERSE;
        u32 m[LIMBS];
        UNROLL for (int j = 0; j < LIMBS; j++) m[j] = M::modulus(j);
        row(odd, m + 1, factor, c, carry);
        row(even, m, factor, c, false);
        odd[LIMBS - 1] = c.addc_end(odd[LIMBS - 1], 0);
    }

    // (even + 2^32·odd)/2^32, the lowest limb being 0.
    DEVICE Field meet(const u32* even, const u32* odd) {
        Field r;
        Chain c;
        r.limb[0] = c.add(odd[0], even[1]);
        UNROLL for (int j = 1; j < LIMBS - 1; j++) r.limb[j] = c.addc(odd[j], even[j + 1]);
        r.limb[LIMBS - 1] = c.addc_end(odd[LIMBS - 1], 0);
        return r;
    }

    // acc += Σ aⱼ·y·2^(32(i + j)) over j = first, first + 2 … The limb after the last was untouched or holds a carry.
    DEVICE void products(u32* acc, Field a, int first, int i, u32 y) {
        if (first >= LIMBS) return;
        Chain c;
        UNROLL for (int j = first; j < LIMBS; j += 2) {
            int k = i + j;
            acc[k] = j == first ? c.mad_lo(a.limb[j], y, acc[k]) : c.madc_lo(a.limb[j], y, acc[k]);
            acc[k + 1] = c.madc_hi(a.limb[j], y, acc[k + 1]);
        }
        int after = i + first + (LIMBS + 1 - first) / 2 * 2;
        if (after < 2 * LIMBS) acc[after] = c.addc_end(acc[after], 0);
    }

    // The same modulo 2^256.
    DEVICE void low_products(u32* acc, Field a, int first, int i, u32 y) {
        Chain c;
        UNROLL for (int j = first; i + j < LIMBS; j += 2) {
            int k = i + j;
            acc[k] = j == first ? c.mad_lo(a.limb[j], y, acc[k]) : c.madc_lo(a.limb[j], y, acc[k]);
            if (k + 1 < LIMBS) acc[k + 1] = c.madc_hi(a.limb[j], y, acc[k + 1]);
        }
    }

    DEVICE Wide sum(const u32* even, const u32* odd) {
        Wide r;
        Chain c;
        r.limb[0] = c.add(even[0], odd[0]);
        UNROLL for (int k = 1; k < 2 * LIMBS; k++) r.limb[k] = c.addc(even[k], odd[k]);
        return r;
    }
};

typedef Field<FrModulus> Fr;
typedef Field<FqModulus> Fq;
