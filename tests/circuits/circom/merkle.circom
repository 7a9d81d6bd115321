pragma circom 2.0.0;

include "circomlib/circuits/poseidon.circom";
include "circomlib/circuits/switcher.circom";

// The root above a leaf, over a binary tree of Poseidon; side[i] is 1 where the path is on the right.
template MerklePath(depth) {
    signal input leaf;
    signal input sibling[depth];
    signal input side[depth];
    signal output root;

    component order[depth];
    component hash[depth];
    for (var i = 0; i < depth; i++) {
        side[i] * (side[i] - 1) === 0;
        order[i] = Switcher();
        order[i].sel <== side[i];
        order[i].L <== i == 0 ? leaf : hash[i - 1].out;
        order[i].R <== sibling[i];
        hash[i] = Poseidon(2);
        hash[i].inputs[0] <== order[i].outL;
        hash[i].inputs[1] <== order[i].outR;
    }
    root <== hash[depth - 1].out;
}

component main = MerklePath(8);
