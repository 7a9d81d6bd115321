// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {BatchReader} from "../src/BatchReader.sol";
import {Batches} from "../src/Batches.sol";
import {Claims} from "../src/Claims.sol";
import {Managed} from "../src/Managed.sol";
import {OptimisticFallback} from "../src/OptimisticFallback.sol";
import {Parameters} from "../src/Parameters.sol";
import {BlobVector} from "./BlobVector.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";
import {PlainToken} from "./Tokens.sol";

/// @dev Refuses to move nothing, as a few tokens do.
contract ProudToken is PlainToken {
    error NothingToMove();

    function _update(address from, address to, uint256 value) internal override {
        if (value == 0) revert NothingToMove();
        super._update(from, to, value);
    }
}

interface Logs {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
}

interface Mocking {
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function clearMockedCalls() external;
}

/// @dev What reading the contracts as an attacker brought up, and what mutants of them did.
contract AuditTest is RollupTest {
    /// @dev With the operator gone and the circuit frozen, a proposal would hold up the fallback until escape.
    function test_AnyoneClearsWhatAFrozenCircuitHoldsUp() public {
        _openFallback();
        _propose(ALICE, _draft(BatchData.FULL, 1));
        bytes memory call = abi.encodeCall(rollup.rollback, (1));
        _refused(ANYONE, call, abi.encodeWithSelector(Managed.Unauthorized.selector, ANYONE));
        vm.prank(GUARDIAN);
        router.freeze(selectors[BatchData.FULL]);
        _do(ANYONE, call);
        _counters(0, 0, 0);
        rollup.claimProposal(1);
        assertEq(rollup.ethOwed(ALICE), BOND);
    }

    /// @dev The same of a batch that is proven, and what follows it; not of those before, whose circuit is live.
    function test_AnyoneClearsAProvenBatchOfAFrozenCircuit() public {
        _commit(_draft(1));
        _prove(_draft(1));
        _commit(_draft(BatchData.ATTESTED, 2));
        _prove(_draft(BatchData.ATTESTED, 2));
        _commit(_draft(3));
        vm.prank(GUARDIAN);
        router.freeze(selectors[BatchData.ATTESTED]);
        bytes memory why = abi.encodeWithSelector(Managed.Unauthorized.selector, ANYONE);
        _refused(ANYONE, abi.encodeCall(rollup.rollback, (1)), why);
        _refused(ANYONE, abi.encodeCall(rollup.rollback, (3)), why);
        _do(ANYONE, abi.encodeCall(rollup.rollback, (2)));
        _counters(1, 1, 0);
    }

    /// @dev Nothing is said to be rolled back where nothing is.
    function test_SettlingTheLastBatchRollsNothingBack() public {
        _openFallback();
        _propose(ALICE, _draft(BatchData.FULL, 1));
        Draft memory right = _draft(BatchData.FULL, 1);
        right.words[9] = 99;
        Logs(address(vm)).recordLogs();
        _settle(right);
        Logs.Log[] memory logs = Logs(address(vm)).getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertTrue(logs[i].topics[0] != Batches.BatchesRolledBack.selector, "no batches rolled back");
        }
    }

    /// @dev A dispute stops a clock that runs, by as long as it lasts; one that ran out it does not set back.
    function test_ALateChallengeStopsNoClock() public {
        _openFallback();
        uint256 id = _propose(ALICE, _draft(BatchData.FULL, 1));
        vm.warp(rollup.pendingSince() + ESCAPE_DELAY + 1);
        assertTrue(rollup.isFreezable(), "the clock ran out");
        _do(BOB, BOND, abi.encodeCall(rollup.challenge, (id, bytes32(uint256(1)))));
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(rollup.isFreezable(), "and stays so");
            vm.warp(block.timestamp + 12);
        }
    }

    /// @dev A batch that was rolled back is none that waits, however long ago it was committed.
    function test_WhatWasRolledBackOpensNothing() public {
        _commit(_draft(1));
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (1)));
        vm.warp(NOW + PROVE_WINDOW + 1);
        bytes memory why = abi.encodeWithSelector(OptimisticFallback.FallbackTooEarly.selector, 0, PROVE_WINDOW);
        _refused(abi.encodeCall(rollup.openFallback, ()), why);
    }

    /// @dev A challenge that is mined after its proposal was replaced must not stake its bond against another one.
    function test_AChallengeNeverHitsAnotherProposal() public {
        _openFallback();
        Draft memory first = _draft(BatchData.FULL, 1);
        _propose(ALICE, first);
        uint256 id = _propose(ALICE, _draft(BatchData.FULL, 2));
        Draft memory right = _draft(BatchData.FULL, 1);
        right.words[9] = 99;
        _settle(right);
        bytes memory call = abi.encodeCall(rollup.challenge, (id, keccak256("right of the first")));
        bytes memory why = abi.encodeWithSelector(OptimisticFallback.NotProposed.selector, 2);
        _refused(ANYONE, BOND, call, why); // the second is void
        Draft memory other = _draft(BatchData.FULL, 2);
        (other.words[8], other.words[9]) = (99, 100);
        _propose(BOB, other);
        _refused(ANYONE, BOND, call, abi.encodeWithSelector(OptimisticFallback.StakeUnknown.selector, id, 0));
    }

    /// @dev Without the precompile the account at its address answers every call, with nothing.
    function test_NoPrecompileNoBlob() public {
        Draft memory draft = _draft(BatchData.BLOB, 1);
        _blobs(true);
        Mocking(address(vm)).mockCall(address(0x0a), "", "");
        _expectCommitRevert(
            draft, abi.encodeWithSelector(BatchReader.BlobOpeningWrong.selector, BlobVector.VERSIONED_HASH)
        );
        Mocking(address(vm)).clearMockedCalls();
        _commit(draft);
    }

    function test_AGenesisWithoutBackingMovesNoToken() public {
        Parameters memory p = _parameters();
        p.asset = address(new ProudToken());
        assertEq(_deploy(p, 0).holdings(), 0);
    }

    /// @dev 29,999 units at one in 10,000 are 2.9999 a day.
    function test_TheShareIsRoundedDown() public {
        Parameters memory p = _parameters();
        (p.rateFloor, p.rateBps) = (1, 1);
        assertEq(_deploy(p, 29_999).withdrawable(), 2);
        assertEq(_deploy(p, 19_999).withdrawable(), 1);
        assertEq(_deploy(p, 30_000).withdrawable(), 3);
    }

    /// @dev The word behind the last one, and those far behind, are no claims: said so, and not a slice out of bounds.
    function test_WordsBehindTheSection() public {
        Draft memory draft = _draft(1);
        _final(draft);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        bytes memory section = _section(draft);
        uint256 words = section.length / 32;
        uint256[4] memory behind = [words, words + 1, 32 * words, type(uint256).max];
        for (uint256 i = 0; i < behind.length; ++i) {
            bytes memory why = abi.encodeWithSelector(Claims.NotAClaim.selector, behind[i]);
            _refused(abi.encodeCall(rollup.claim, (1, section, behind[i])), why);
        }
    }
}
