// Signed digits of scalars, see `gpu/plan.py`.

#pragma once

#include "field.cuh"

// What is left of a scalar, whose windows come from the lowest up.
struct Digits {
    Fr rest;
    u32 negative, carry;
};

// s, or r − s where that is smaller: small negative numbers have one digit, and as neither exceeds 2^253, the highest of
// windows of 254 bits together takes the last carry.
DEVICE Digits digits_of(Fr s) {
    Fr other;
    Chain c, d;
    other.limb[0] = c.sub(FrModulus::modulus(0), s.limb[0]);
    UNROLL for (int j = 1; j < LIMBS - 1; j++) other.limb[j] = c.subc(FrModulus::modulus(j), s.limb[j]);
    other.limb[LIMBS - 1] = c.subc_end(FrModulus::modulus(LIMBS - 1), s.limb[LIMBS - 1]);
    d.sub(other.limb[0], s.limb[0]);
    UNROLL for (int j = 1; j < LIMBS; j++) d.subc(other.limb[j], s.limb[j]);
    u32 negative = d.subc_end(0, 0) & 1;
    UNROLL for (int j = 0; j < LIMBS; j++) s.limb[j] = negative ? other.limb[j] : s.limb[j];
    return {s, negative, 0};
}

// The next digit d, −2^(bits−1) < d ≤ 2^(bits−1): its magnitude, and in `sign` whether it is negative.
DEVICE u32 next_digit(Digits& digits, u32 bits, u32& sign) {
    u32* limb = digits.rest.limb;
    u32 d = (limb[0] & ((1u << bits) - 1)) + digits.carry;
    UNROLL for (int j = 0; j < LIMBS - 1; j++) limb[j] = __funnelshift_r(limb[j], limb[j + 1], bits);
    limb[LIMBS - 1] >>= bits;
    digits.carry = d > 1u << (bits - 1);
    sign = digits.negative ^ digits.carry;
    return digits.carry ? (1u << bits) - d : d;
}
