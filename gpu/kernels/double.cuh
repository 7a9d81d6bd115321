// The same prime fields on five 52-bit limbs in floating-point numbers: an experiment (docs/gpu.md, "FP64 path").
//
// A fused multiply-add that rounds toward zero splits a product of two limbs at 2^52: added to 2^104, of whose last
// place the value is 2^52, it keeps the high half; what is then missing, added to 2^52, is the low half. Either stands
// in the 52 stored bits of a number whose exponent is known, so the columns of a product are summed as 64-bit integers
// and the exponents are taken off beforehand. (N. Emmart, F. Zheng, C. Weems, "Faster modular exponentiation using
// double precision floating point arithmetic on the GPU", ARITH 2018.)
//
// Montgomery's radix is 2^260, and values are below 2^259, about 42m: sums need no reduction for long. As the packed
// form has radix 2^256, its limbs are read four bits higher, and that is the conversion.

#pragma once

#include "field.cuh"

template <class M>
struct DoubleField {
    static constexpr int PARTS = 5;
    static constexpr u64 MASK = (1ull << 52) - 1;
    static constexpr double TWO_52 = 4503599627370496.0;
    static constexpr double TWO_104 = TWO_52 * TWO_52;
    // The sign and exponent of numbers from 2^52 and from 2^104 on, as they stand in the 64 bits.
    static constexpr u64 LOW = 0x433ull << 52;
    static constexpr u64 HIGH = 0x467ull << 52;

    double part[PARTS];  // integers below 2^52

    // Sums of products by columns of 52 bits, before reduction; in 64 bits there is room for thousands.
    struct Columns {
        u64 column[2 * PARTS];
    };

    // a·b/2^260 below 2^258 + 2m, for values below 2^259; of smaller ones accordingly.
    DEVICE DoubleField mul(DoubleField a, DoubleField b) {
        Columns w = nothing();
        accumulate(w, a, b);
        return reduce(w);
    }

    // a·b + c·d with one reduction.
    DEVICE DoubleField dot(DoubleField a, DoubleField b, DoubleField c, DoubleField d) {
        Columns w = nothing();
        accumulate(w, a, b);
        accumulate(w, c, d);
        return reduce(w);
    }

    DEVICE DoubleField sqr(DoubleField a) {
        Columns w = nothing();
        UNROLL for (int i = 0; i < PARTS; i++)
            UNROLL for (int j = i + 1; j < PARTS; j++) product(a.part[i], a.part[j], w.column + i + j);
        UNROLL for (int k = 0; k < 2 * PARTS; k++) w.column[k] *= 2;
        UNROLL for (int i = 0; i < PARTS; i++) product(a.part[i], a.part[i], w.column + 2 * i);
        return reduce(w);
    }

    // a − b + K·m, for b below K·m.
    template <int K>
    DEVICE DoubleField sub(DoubleField a, DoubleField b) {
        u64 column[PARTS];
        UNROLL for (int k = 0; k < PARTS; k++) column[k] = whole(a.part[k]) - whole(b.part[k]) + lifted(K, k);
        return normal(column);
    }

    // a + b − 2c + K·m, for 2c below K·m.
    template <int K>
    DEVICE DoubleField combine(DoubleField a, DoubleField b, DoubleField c) {
        u64 column[PARTS];
        UNROLL for (int k = 0; k < PARTS; k++)
            column[k] = whole(a.part[k]) + whole(b.part[k]) - 2 * whole(c.part[k]) + lifted(K, k);
        return normal(column);
    }

    // From the packed form x·2^256 below 2m to x·2^260 below 32m.
    DEVICE DoubleField unpack(Field<M> x) {
        DoubleField r;
        UNROLL for (int k = 0; k < PARTS; k++) {
            u64 limb = 0;
            UNROLL for (int i = 0; i < LIMBS; i++) {
                int shift = 32 * i + 4 - 52 * k;
                if (shift > -32 && shift < 0) limb |= x.limb[i] >> -shift;
                if (shift >= 0 && shift < 52) limb |= (u64)x.limb[i] << shift;
            }
            r.part[k] = low_part(limb);
        }
        return r;
    }

    // Back, below 2m: the multiple of m that makes the last four bits 0 is added, and they are dropped.
    DEVICE Field<M> pack(DoubleField a) {
        u64 column[PARTS];
        u64 digit = bits(a.part[0] + TWO_52) * (u64)M::DOUBLE_INVERSE & 15;
        UNROLL for (int k = 0; k < PARTS; k++) {
            column[k] = (bits(a.part[k] + TWO_52) & MASK) + digit * (u64)M::part(k);
            if (k > 0) column[k] += column[k - 1] >> 52;
        }
        Field<M> r;
        UNROLL for (int i = 0; i < LIMBS; i++) {
            u32 limb = 0;
            UNROLL for (int k = 0; k < PARTS; k++) {
                int shift = 32 * i + 4 - 52 * k;
                u64 kept = k < PARTS - 1 ? column[k] & MASK : column[k];
                if (shift >= 0 && shift < 60) limb |= (u32)(kept >> shift);
                if (shift > -32 && shift < 0) limb |= (u32)(kept << -shift);
            }
            r.limb[i] = limb;
        }
        return Field<M>::fold(r);
    }

private:
    DEVICE Columns nothing() {
        Columns w;
        UNROLL for (int k = 0; k < 2 * PARTS; k++) w.column[k] = 0;
        return w;
    }

    // column[1]:column[0] += a·b.
    DEVICE void product(double a, double b, u64* column) {
        double above = fma_rz(a, b, TWO_104);
        double below = fma_rz(a, b, TWO_104 + TWO_52 - above);
        column[1] += bits(above) - HIGH;
        column[0] += bits(below) - LOW;
    }

    DEVICE void accumulate(Columns& w, DoubleField a, DoubleField b) {
        UNROLL for (int i = 0; i < PARTS; i++)
            UNROLL for (int j = 0; j < PARTS; j++) product(a.part[j], b.part[i], w.column + i + j);
    }

    // w/2^260: below 2m + w/2^260.
    //
    // The first four rows add a multiple of m that is −1 modulo 2^52, so that the digit to multiply it by is the limb to
    // cancel itself. The multiple is below 2^52·m: after the last row's division less than m remains of what it added.
    DEVICE DoubleField reduce(Columns w) {
        UNROLL for (int i = 0; i < PARTS - 1; i++) {
            double digit = low_part(w.column[i]);
            w.column[i + 1] += w.column[i] >> 52;
            UNROLL for (int j = 0; j < PARTS; j++) product(M::friendly(j), digit, w.column + i + 1 + j);
        }
        double digit = low_product(low_part(w.column[PARTS - 1]), M::DOUBLE_INVERSE);
        UNROLL for (int j = 0; j < PARTS; j++) product(M::part(j), digit, w.column + PARTS - 1 + j);
        w.column[PARTS] += w.column[PARTS - 1] >> 52;
        return normal(w.column + PARTS);
    }

    // a·b modulo 2^52.
    DEVICE double low_product(double a, double b) {
        double above = fma_rz(a, b, TWO_104);
        return fma_rz(a, b, TWO_104 - above);
    }

    DEVICE u64 whole(double x) { return bits(x + TWO_52) - LOW; }

    // The last 52 bits as a number.
    DEVICE double low_part(u64 x) { return from_bits(x & MASK | LOW) - TWO_52; }

    // Limb k of times·m, with 2^54 borrowed from the next one, so that no column of a difference is negative.
    DEVICE constexpr u64 lifted(int times, int k) {
        return times * (u64)M::part(k) + (k < PARTS - 1 ? 1ull << 54 : 0) - (k > 0 ? 4 : 0);
    }

    DEVICE DoubleField normal(u64* column) {
        DoubleField r;
        UNROLL for (int k = 0; k < PARTS; k++) {
            r.part[k] = low_part(column[k]);
            if (k + 1 < PARTS) column[k + 1] += column[k] >> 52;
        }
        return r;
    }
};
