// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Who can tell that an account stands under a state root
/// @notice What a rollup asks when someone leaves with an account that is proven by Merkle siblings. docs/protocol.md,
/// "Account": a 4-ary tree of depth 16 with Poseidon's hash, in which an empty leaf is no account.
interface IAccountProofs {
    /// @notice Whether the account with these words stands at this index under this root. False for a proof that
    /// does not hold, for a word that is not below r, and for what is no account.
    /// @param root The state root.
    /// @param index The account's index: its lowest two bits are its place among the four leaves, and so on upwards.
    /// @param leaf public_key.x, public_key.y, owner, funds, usage_a, usage_b, history_root, external_id.
    /// @param siblings The three other children of each node on the way, from the leaf's level upwards, by ascending
    /// place.
    function isAccount(uint256 root, uint32 index, uint256[8] calldata leaf, uint256[48] calldata siblings)
        external
        view
        returns (bool);
}
