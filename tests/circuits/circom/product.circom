pragma circom 2.0.0;

include "circomlib/circuits/comparators.circom";

// The product of a and b, where a < b; both are taken to be below 2^16.
template Product() {
    signal input a;
    signal input b;
    signal output product;

    component less = LessThan(16);
    less.in[0] <== a;
    less.in[1] <== b;
    less.out === 1;
    product <== a * b;
}

component main {public [a]} = Product();
