// Inverses, for use once in a batch: 1/a = a^(m−2) by Fermat, one bit after the other. 0 is sent to 0.

#pragma once

#include "fq2.cuh"

template <class M>
OUTLINE Field<M> inverse(Field<M> a) {
    typedef Field<M> F;
    F r = F::one();
    for (int i = LIMBS - 1; i >= 0; i--) {
        // m is odd and above 2, so only its lowest limb changes.
        u32 exponent = M::modulus(i) - (i == 0 ? 2 : 0);
        for (int bit = 31; bit >= 0; bit--) {
            r = F::sqr(r);
            if (exponent >> bit & 1) r = F::mul(r, a);
        }
    }
    return r;
}

// 1/(a₀ + a₁i) = (a₀ − a₁i)/(a₀² + a₁²).
OUTLINE Fq2 inverse(Fq2 a) {
    Fq norm = inverse(Fq::dot(a.c0, a.c0, a.c1, a.c1));
    return {Fq::mul(a.c0, norm), Fq::neg(Fq::mul(a.c1, norm))};
}
