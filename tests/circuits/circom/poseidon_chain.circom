pragma circom 2.0.0;

include "circomlib/circuits/poseidon.circom";

// x → Poseidon(x, 0) → Poseidon(…, 1) → … , n times.
template PoseidonChain(n) {
    signal input start;
    signal output end;

    component hash[n];
    for (var i = 0; i < n; i++) {
        hash[i] = Poseidon(2);
        hash[i].inputs[0] <== i == 0 ? start : hash[i - 1].out;
        hash[i].inputs[1] <== i;
    }
    end <== hash[n - 1].out;
}

component main = PoseidonChain(8);
