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

    // a·b/2^260 below 2^258 + 2m, for values below 2^259.
    //
    // The first four rows are reduced by a multiple of m that is −1 modulo 2^52, whose quotient digit is the limb to
    // cancel itself; it is below 2^52·m, so that after the last row's division less than m remains of it.
    DEVICE DoubleField mul(DoubleField a, DoubleField b) {
        u64 column[PARTS + 1];
        UNROLL for (int j = 0; j <= PARTS; j++) column[j] = 0;
        UNROLL for (int i = 0; i < PARTS; i++) {
            UNROLL for (int j = 0; j < PARTS; j++) product(a.part[j], b.part[i], column[j], column[j + 1]);
            if (i == PARTS - 1) break;
            double digit = low_part(column[0]);
            drop(column);
            UNROLL for (int j = 0; j < PARTS; j++) product(M::friendly(j), digit, column[j], column[j + 1]);
        }
        double digit = low_product(low_part(column[0]), M::DOUBLE_INVERSE);
        UNROLL for (int j = 0; j < PARTS; j++) product(M::part(j), digit, column[j], column[j + 1]);
        drop(column);
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
    // high:low += a·b.
    DEVICE void product(double a, double b, u64& low, u64& high) {
        double above = fma_rz(a, b, TWO_104);
        double below = fma_rz(a, b, TWO_104 + TWO_52 - above);
        high += bits(above) - HIGH;
        low += bits(below) - LOW;
    }

    // a·b modulo 2^52.
    DEVICE double low_product(double a, double b) {
        double above = fma_rz(a, b, TWO_104);
        return fma_rz(a, b, TWO_104 - above);
    }

    // The last 52 bits as a number.
    DEVICE double low_part(u64 x) { return from_bits(x & MASK | LOW) - TWO_52; }

    // Divide the columns by 2^52.
    DEVICE void drop(u64* column) {
        column[1] += column[0] >> 52;
        UNROLL for (int j = 0; j < PARTS; j++) column[j] = column[j + 1];
        column[PARTS] = 0;
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
