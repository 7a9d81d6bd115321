// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {BatchReader} from "../src/BatchReader.sol";
import {Batches} from "../src/Batches.sol";
import {VerifierRouter} from "../src/VerifierRouter.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

contract BatchHeaderTest is RollupTest {
    /// @dev The same of every kind: a full batch is proposed.
    function _refusedInEveryKind(uint256 index, uint256 value, bytes memory why) private {
        for (uint256 kind = 0; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1);
            draft.words[index] = value;
            _blobs(kind == BatchData.BLOB);
            _expectCommitRevert(draft, why);
        }
        uint256 before = vm.snapshotState();
        _openFallback();
        Draft memory full = _draft(BatchData.FULL, 1);
        full.words[index] = value;
        _refused(ANYONE, BOND, _proposeCall(full), why);
        vm.revertToState(before);
    }

    function _refusedInEveryKind(uint256 index, uint256 value, bytes4 why, uint256 expected) private {
        _refusedInEveryKind(index, value, abi.encodeWithSelector(why, expected, value));
    }

    function _refused(uint256 index, uint256 value, bytes memory why) private {
        Draft memory draft = _draft(1);
        draft.words[index] = value;
        _expectCommitRevert(draft, why);
    }

    function test_Version() public {
        _refusedInEveryKind(0, 1, BatchReader.VersionWrong.selector, 2);
        _refusedInEveryKind(0, 3, BatchReader.VersionWrong.selector, 2);
    }

    function test_ChainId() public {
        _refusedInEveryKind(1, 1, BatchReader.ChainIdWrong.selector, CHAIN);
    }

    function test_Contract() public {
        uint256 own = uint160(address(rollup));
        _refusedInEveryKind(2, own ^ 1, BatchReader.ContractWrong.selector, own);
        _refusedInEveryKind(2, own | (1 << 160), BatchReader.ContractWrong.selector, own);
    }

    function test_Shard() public {
        _refusedInEveryKind(3, SHARD + 1, BatchReader.ShardWrong.selector, SHARD);
    }

    function test_BatchNumber() public {
        _refusedInEveryKind(4, 0, BatchReader.BatchNumberWrong.selector, 1);
        _refusedInEveryKind(4, 2, BatchReader.BatchNumberWrong.selector, 1);
    }

    function test_CountsHaveNothingAboveThem() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1);
            uint256 counts = draft.words[5];
            for (uint256 i = 144; i < 256; i += 37) {
                draft.words[5] = counts | 1 << i;
                _blobs(kind == BatchData.BLOB);
                _expectCommitRevert(draft, abi.encodeWithSelector(BatchReader.CountsWrong.selector, draft.words[5]));
            }
        }
    }

    function test_EveryCountAgainstTheLength() public {
        // Of queue items there are too few for one more.
        uint256[3] memory places = [uint256(16), 32, 48];
        uint256[3] memory words = [uint256(5), 2, 3];
        Draft memory draft = _draft(1);
        (uint256 length, uint256 counts) = (_data(draft).length, draft.words[5]);
        bytes4 why = BatchReader.DataLengthWrong.selector;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 one = 1 << places[i];
            _refused(5, counts + one, abi.encodeWithSelector(why, length + 32 * words[i], length));
            _refused(5, counts - one, abi.encodeWithSelector(why, length - 32 * words[i], length));
        }
        // A registration has as many words as a transfer and a session: the counts alone say where words stand.
        Draft memory swapped = _draft(1);
        swapped.used = _sections(0, 0, 3, 3);
        swapped.words[5] = _counts(BatchData.CALLDATA, swapped.used);
        _commit(swapped);
        assertEq(rollup.batch(1).binding, keccak256(abi.encodePacked(_statement(swapped))));
    }

    /// @dev Of what lies elsewhere the counts are free within the room, and are bound.
    function test_CountsOfWhatLiesElsewhere() public {
        for (uint256 kind = 1; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1, _sections(0, 3, 2, 7));
            uint256 before = vm.snapshotState();
            _commit(draft);
            assertEq(rollup.batch(1).binding, keccak256(abi.encodePacked(_statement(draft))));
            vm.revertToState(before);
        }
    }

    function test_EveryCountAgainstTheRoom() public {
        BatchData.Sections[4] memory over =
            [_sections(5, 0, 0, 0), _sections(0, 4, 0, 0), _sections(0, 0, 6, 0), _sections(0, 0, 0, 8)];
        uint256[4] memory room = [uint256(4), 3, 5, 7];
        bytes4 why = BatchReader.RoomExceeded.selector;
        for (uint256 i = 0; i < 5; ++i) {
            _deposit(ALICE, 1, 1);
        }
        for (uint256 kind = 0; kind < 3; ++kind) {
            for (uint256 i = 0; i < 4; ++i) {
                _blobs(kind == BatchData.BLOB);
                _expectCommitRevert(_draft(kind, 1, over[i]), abi.encodeWithSelector(why, i, room[i], room[i] + 1));
            }
        }
        _commit(_draft(BatchData.CALLDATA, 1, _room()));
        vm.warp(block.timestamp + PROVE_WINDOW + 1);
        rollup.openFallback();
        room[1] = 0;
        over[1] = _sections(0, 1, 0, 0);
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory call = _proposeCall(_draft(BatchData.FULL, 1, over[i]));
            _refused(ANYONE, BOND, call, abi.encodeWithSelector(why, i, room[i], room[i] + 1));
        }
    }

    function test_FullBatchesCountNoRecords() public {
        _openFallback();
        Draft memory draft = _draft(BatchData.FULL, 1);
        for (uint256 bit = 80; bit < 112; bit += 31) {
            draft.words[5] |= 1 << bit;
            bytes memory why = abi.encodeWithSelector(BatchReader.CountsWrong.selector, draft.words[5]);
            _refused(ANYONE, BOND, _proposeCall(draft), why);
            draft.words[5] &= ~(uint256(1) << bit);
        }
        _propose(ANYONE, draft);
    }

    /// @dev Terms and amounts of a transfer have 137 and 152 bits, terms and fees of a session 168 and 128.
    function test_PackedWordsOfFullBatchesHaveNothingAboveThem() public {
        _openFallback();
        uint256[4] memory places = [uint256(12), 13, 21, 22];
        uint256[4] memory widths = [uint256(137), 152, 168, 128];
        for (uint256 i = 0; i < 4; ++i) {
            for (uint256 second = 0; second < 2; ++second) {
                Draft memory draft = _draft(BatchData.FULL, 1);
                uint256 place = places[i] + second * (i < 2 ? 4 : 5);
                draft.words[place] = 1 << widths[i];
                bytes memory why = abi.encodeWithSelector(BatchData.WordTooWide.selector, place);
                _refused(ANYONE, BOND, _proposeCall(draft), why);
                draft.words[place] = type(uint256).max >> 3;
                _refused(ANYONE, BOND, _proposeCall(draft), why);
            }
        }
        Draft memory widest = _draft(BatchData.FULL, 1);
        for (uint256 i = 0; i < 4; ++i) {
            widest.words[places[i]] = (1 << widths[i]) - 1;
        }
        _propose(ANYONE, widest);
    }

    function test_NoMoreQueueItemsThanWait() public {
        Draft memory two = _draft(BatchData.CALLDATA, 1, _sections(2, 0, 0, 0));
        _expectCommitRevert(two, abi.encodeWithSelector(Batches.QueueTooShort.selector, 0, 2));
        _deposit(ALICE, 1, 1);
        _expectCommitRevert(two, abi.encodeWithSelector(Batches.QueueTooShort.selector, 1, 2));
        _deposit(ALICE, 1, 1);
        _commit(two);
        Draft memory one = _draft(BatchData.CALLDATA, 2, _sections(1, 0, 0, 0));
        _expectCommitRevert(one, abi.encodeWithSelector(Batches.QueueTooShort.selector, 0, 1));
    }

    function test_ModeIsThatOfTheCircuit() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            uint256[5] memory modes = [uint256(0), 2, 4, 6, 8];
            for (uint256 i = 0; i < 5; ++i) {
                if (modes[i] == kind << 1) continue;
                Draft memory draft = _draft(kind, 1);
                for (uint256 development = 0; development < 2; ++development) {
                    draft.words[6] = modes[i] + development;
                    _blobs(kind == BatchData.BLOB);
                    _expectCommitRevert(
                        draft, abi.encodeWithSelector(BatchReader.ModeWrong.selector, kind << 1, modes[i] + development)
                    );
                }
            }
        }
        _refused(6, 1 << 253, abi.encodeWithSelector(BatchReader.ModeWrong.selector, 0, 1 << 253));
    }

    function test_L1Time() public {
        _refused(7, NOW + 1, abi.encodeWithSelector(BatchReader.L1TimeInFuture.selector, NOW, NOW + 1));
        bytes4 why = BatchReader.L1TimeTooOld.selector;
        _refused(7, NOW - MAX_AGE - 1, abi.encodeWithSelector(why, NOW - MAX_AGE, NOW - MAX_AGE - 1));
        _refused(7, 0, abi.encodeWithSelector(why, NOW - MAX_AGE, 0));
    }

    function test_L1TimeAtItsLimits() public {
        Draft memory first = _draft(1);
        first.words[7] = NOW - MAX_AGE;
        _commit(first);
        Draft memory second = _draft(2);
        second.words[7] = NOW;
        _commit(second);
        assertEq(rollup.batch(2).l1Time, NOW);
    }

    function test_L1TimeBeforeLastBatch() public {
        _commit(1);
        Draft memory draft = _draft(2);
        uint256 last = rollup.batch(1).l1Time;
        draft.words[7] = last - 1;
        _expectCommitRevert(draft, abi.encodeWithSelector(BatchReader.L1TimeBeforeLastBatch.selector, last, last - 1));
        draft.words[7] = last;
        _commit(draft);
    }

    function test_OldRoot() public {
        _refusedInEveryKind(8, GENESIS_ROOT + 1, BatchReader.OldRootWrong.selector, GENESIS_ROOT);
        _refusedInEveryKind(8, GENESIS_ROOT + R, BatchReader.OldRootWrong.selector, GENESIS_ROOT);
    }

    function test_NewRootMustBeInField() public {
        _refusedInEveryKind(9, R, abi.encodeWithSelector(BatchData.WordNotInField.selector, 9));
    }

    function test_EveryWordMustBeInField() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            uint256 length = _draft(kind, 1).words.length;
            for (uint256 i = 10; i < length; ++i) {
                Draft memory draft = _draft(kind, 1);
                draft.words[i] = i & 1 == 0 ? R : type(uint256).max;
                _blobs(kind == BatchData.BLOB);
                _expectCommitRevert(draft, abi.encodeWithSelector(BatchData.WordNotInField.selector, i));
            }
        }
    }

    function test_EveryWordOfAFullBatchMustBeInField() public {
        _openFallback();
        Draft memory draft = _draft(BatchData.FULL, 1);
        for (uint256 i = 10; i < draft.words.length; ++i) {
            uint256 right = draft.words[i];
            draft.words[i] = R;
            // Of a packed word the width is checked before.
            bool packed = i == 12 || i == 13 || i == 16 || i == 17 || i == 21 || i == 22 || i == 26 || i == 27;
            bytes4 why = packed ? BatchData.WordTooWide.selector : BatchData.WordNotInField.selector;
            _refused(ANYONE, BOND, _proposeCall(draft), abi.encodeWithSelector(why, i));
            draft.words[i] = right;
        }
    }

    function _refusedData(bytes memory data, bytes memory why) private {
        _refused(OPERATOR, abi.encodeCall(rollup.commit, (selectors[0], data, 1, "")), why);
    }

    function test_DataShorterThanHeader() public {
        _refusedData("", abi.encodeWithSelector(BatchReader.DataLengthWrong.selector, 320, 0));
        _refusedData(new bytes(319), abi.encodeWithSelector(BatchReader.DataLengthWrong.selector, 320, 319));
    }

    function test_DataWithOneByteMoreOrLess() public {
        bytes memory data = _data(_draft(1));
        bytes4 why = BatchReader.DataLengthWrong.selector;
        _refusedData(bytes.concat(data, hex"00"), abi.encodeWithSelector(why, data.length, data.length + 1));
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 1))
        }
        _refusedData(data, abi.encodeWithSelector(why, data.length + 1, data.length));
    }

    function test_CommitmentMustBeInField() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1);
            draft.commitment = R;
            _blobs(kind == BatchData.BLOB);
            _expectCommitRevert(draft, abi.encodeWithSelector(BatchReader.CommitmentNotInField.selector, R));
        }
    }

    function test_OnlyEvidenceThatIsAskedFor() public {
        Draft memory draft = _draft(1);
        bytes memory call = abi.encodeCall(rollup.commit, (selectors[0], _data(draft), draft.commitment, hex"00"));
        _refused(OPERATOR, call, _error(BatchReader.EvidenceUnexpected.selector));
    }

    function test_DevelopmentBatchOnlyWhereListed() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1 + kind);
            ++draft.words[6];
            _commit(draft);
        }

        vm.chainId(1);
        setUpOn(1);
        for (uint256 kind = 0; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1 + kind);
            ++draft.words[6];
            _blobs(kind == BatchData.BLOB);
            _expectCommitRevert(draft, abi.encodeWithSelector(BatchReader.DevelopmentKeyRefused.selector, 1));
            --draft.words[6];
            _commit(draft);
        }
    }

    function setUpOn(uint256 chain) private {
        vm.chainId(chain);
        router = _router(false);
        rollup = _deploy(_parameters());
    }

    function test_ForkWithAnotherIdRefusesDevelopmentVerifier() public {
        router = _router(true);
        rollup = _deploy(_parameters());
        vm.chainId(1337); // listed, but not where this contract was deployed
        Draft memory draft = _draft(1);
        _expectCommitRevert(draft, abi.encodeWithSelector(VerifierRouter.DevelopmentKeyRefused.selector, 1337));
    }
}
