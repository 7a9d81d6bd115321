// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice One run of one agent, as a receipt proves it. Agent, nonce and place together name a run once: a nonce is used
/// once, so whoever pays for runs remembers these three.
/// @param agent Index of the agent's account.
/// @param provider Index of the account of who did the work.
/// @param nonce The agent's nonce that its session used up.
/// @param place Number of the run in its session, from 0.
/// @param externalId What the agent's account is elsewhere, as a hash; 0 if it says nothing.
/// @param runHash The name by which later runs give this one as a parent.
/// @param words The five words of the record: docs/protocol.md, "Run record".
struct Run {
    uint32 agent;
    uint32 provider;
    uint32 nonce;
    uint16 place;
    uint256 externalId;
    uint256 runHash;
    uint256[5] words;
}

using Runs for Run global;

/// @title What the words of a run's record say
/// @notice All of it is the agent's word, under its signature: the rollup proves who signed it and what was paid for it.
library Runs {
    /// @notice Whether the agent calls the run a success.
    uint256 internal constant SUCCESS = 1;

    /// @notice 0 unstated, 1 success, 2 failure, 3 partial.
    function outcome(Run memory run) internal pure returns (uint256) {
        return run.words[0] >> 192;
    }

    /// @notice What the run cost, in the rollup's smallest unit.
    function fee(Run memory run) internal pure returns (uint256) {
        return uint64(run.words[1]);
    }

    /// @notice Task id: the first 31 bytes of a SHA-256 digest.
    function task(Run memory run) internal pure returns (uint256) {
        return run.words[2];
    }

    /// @notice The first 31 bytes of the SHA-256 digest of the metadata CID's bytes, or 0.
    function metadata(Run memory run) internal pure returns (uint256) {
        return run.words[4];
    }
}
