// Points of y² = x³ + b over Fq or Fq2, and their sums, complete: infinity, equal and opposite points included.
//
// Sums are kept as (X, Y, ZZ, ZZZ) with x = X/ZZ, y = Y/ZZZ, ZZ³ = ZZZ² (Explicit-Formulas Database, "XYZZ
// coordinates for short Weierstrass curves"), infinity as all zero. Coordinates are below 2m. The exceptions of the
// formulas all have x₁ = x₂ or look as if they had, as infinity's X is 0, so that the usual way costs one comparison.

#pragma once

#include "fq2.cuh"

template <class F>
struct Affine {
    F x, y;

    // All zero, which is on no curve with b ≠ 0.
    DEVICE bool is_infinity(Affine p) { return F::is_zero(p.x) && F::is_zero(p.y); }
    DEVICE Affine negate_if(Affine p, bool negative) { return {p.x, negative ? F::neg(p.y) : p.y}; }
};

template <class F>
struct Point {
    F x, y, zz, zzz;

    DEVICE Point infinity() { return {F::zero(), F::zero(), F::zero(), F::zero()}; }
    DEVICE bool is_infinity(Point p) { return F::is_zero(p.zz); }

    DEVICE Point from(Affine<F> p) {
        return Affine<F>::is_infinity(p) ? infinity() : Point{p.x, p.y, F::one(), F::one()};
    }

    DEVICE Point canonical(Point p) {
        return {F::canonical(p.x), F::canonical(p.y), F::canonical(p.zz), F::canonical(p.zzz)};
    }

    // "dbl-2008-s-1" with a = 0: 6M + 3S, one reduction less.
    DEVICE Point twice(Point p) {
        F u = F::twice(p.y), v = F::sqr(u), w = F::mul(u, v), s = F::mul(p.x, v);
        F square = F::sqr(p.x), m = F::add(F::twice(square), square);
        Point r;
        r.x = F::sub(F::sqr(m), F::twice(s));
        r.y = F::cross(m, F::sub(s, r.x), w, p.y);
        r.zz = F::mul(v, p.zz);
        r.zzz = F::mul(w, p.zzz);
        return r;
    }

    // "madd-2008-s": 8M + 2S, one reduction less.
    DEVICE Point add(Point a, Affine<F> b) {
        F p = F::sub(F::mul(b.x, a.zz), a.x), r = F::sub(F::mul(b.y, a.zzz), a.y);
        bool nothing = Affine<F>::is_infinity(b);
        if (!F::is_zero(p) && !nothing) return chord(a, p, r);
        if (nothing) return a;
        return is_infinity(a) ? from(b) : meet(a, r);
    }

    // "add-2008-s": 12M + 2S, one reduction less. From memory to memory, compiled once for all that use it; `out` may be
    // an operand.
    OUTLINE void add(Point* out, const Point* a, const Point* b) {
        F u = F::mul(a->x, b->zz), p = F::sub(F::mul(b->x, a->zz), u);
        F s = F::mul(a->y, b->zzz), r = F::sub(F::mul(b->y, a->zzz), s);
        if (!F::is_zero(p))
            *out = chord({u, s, F::mul(a->zz, b->zz), F::mul(a->zzz, b->zzz)}, p, r);
        else if (is_infinity(*b))
            *out = *a;
        else
            *out = is_infinity(*a) ? *b : meet(*a, r);
    }

private:
    // a + b, where p and r are (x₂ − x₁)·ZZ and (y₂ − y₁)·ZZZ with the denominators of a, and p ≠ 0.
    DEVICE Point chord(Point a, F p, F r) {
        F pp = F::sqr(p);
        F q = F::mul(a.x, pp);
        a.zz = F::mul(a.zz, pp);
        F ppp = F::mul(p, pp);
        a.zzz = F::mul(a.zzz, ppp);
        a.x = F::sub(F::sub(F::sqr(r), ppp), F::twice(q));
        a.y = F::cross(r, F::sub(q, a.x), a.y, ppp);
        return a;
    }

    // a + b for equal or opposite points, r being 0 if they are equal.
    DEVICE Point meet(Point a, F r) {
        if (!F::is_zero(r)) return infinity();
        double_in_place(&a);
        return a;
    }

    OUTLINE void double_in_place(Point* a) { *a = twice(*a); }
};

typedef Point<Fq> G1;
typedef Point<Fq2> G2;
