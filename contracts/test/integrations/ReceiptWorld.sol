// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccountProofs} from "../../src/AccountProofs.sol";
import {BatchData} from "../../src/BatchData.sol";
import {IAccountProofs} from "../../src/IAccountProofs.sol";
import {Hashers, IFinalRoots, Receipt, Receipts} from "../../src/integrations/Receipts.sol";
import {Test} from "../Test.sol";

/// @dev What a Poseidon contract promises, with another hash: so sessions and trees can be made here.
contract Hasher {
    uint256 private immutable INPUTS;

    constructor(uint256 inputs) {
        INPUTS = inputs;
    }

    fallback(bytes calldata words) external returns (bytes memory) {
        require(words.length == 32 * (INPUTS + 1), "length");
        for (uint256 i = 0; i < words.length; i += 32) {
            require(uint256(bytes32(words[i:])) < BatchData.R, "field");
        }
        return abi.encode(uint256(keccak256(words)) % BatchData.R);
    }
}

/// @dev The roots of a rollup, as many batches of which are final as it says.
contract Roots is IFinalRoots {
    error BatchNotFinal(uint256 finalized, uint256 got);

    uint256 public immutable shard;
    IAccountProofs public immutable accountProofs;
    uint256 public finalizedBatches;
    mapping(uint256 batchNumber => uint256) private _roots;

    constructor(uint256 shard_, IAccountProofs accountProofs_) {
        (shard, accountProofs) = (shard_, accountProofs_);
    }

    function set(uint256 batchNumber, uint256 root) external {
        _roots[batchNumber] = root;
    }

    function finalize(uint256 upTo) external {
        finalizedBatches = upTo;
    }

    function finalRoot(uint256 batchNumber) external view returns (uint256) {
        if (batchNumber > finalizedBatches) revert BatchNotFinal(finalizedBatches, batchNumber);
        return _roots[batchNumber];
    }
}

/// @dev A rollup with one final batch, and receipts of whatever sessions a test thinks of.
abstract contract ReceiptWorld is Test {
    uint256 internal constant R = BatchData.R;
    uint32 internal constant AGENT = 70_001;
    uint32 internal constant PROVIDER = 5;
    uint32 internal constant NONCE = 9;
    uint256 internal constant BATCH = 3;

    Hashers internal hashers;
    AccountProofs internal accountProofs;
    address private _leafHasher;
    Roots internal rollup;
    Receipts internal receipts;
    uint256 internal externalId = 4242;

    function setUp() public virtual {
        hashers = Hashers(_hasher(2), _hasher(3), _hasher(4), _hasher(5), _hasher(16));
        _leafHasher = _hasher(8);
        accountProofs = new AccountProofs(hashers.four, _leafHasher);
        rollup = new Roots(7, accountProofs);
        rollup.finalize(BATCH);
        receipts = new Receipts(rollup, hashers);
    }

    /// @dev A receipt under the root of `BATCH`, which is set to fit.
    /// @param count Records in the session.
    /// @param place Which of them.
    /// @param later Sessions of the agent after it.
    function receiptOf(uint256 count, uint256 place, uint256 later) internal returns (Receipt memory receipt) {
        receipt = foldedUpTo(5 * place / 16 * 16, pagesOf(count));
        receipt.batchNumber = BATCH;
        receipt.place = place;
        receipt.terms = AGENT | uint256(PROVIDER) << 32 | uint256(NONCE) << 64 | count << 96;
        receipt.fees = 1000 | 2000 << 64;
        receipt.historyBefore = _any("history");
        receipt.laterMessages = new uint256[](later);
        for (uint256 i = 0; i < later; ++i) {
            receipt.laterMessages[i] = _any(string(abi.encode("message", i)));
        }
        seal(receipt);
    }

    /// @dev Puts what the receipt says into the agent's history, and its account under the root.
    function seal(Receipt memory receipt) internal {
        uint256 state = fold(receipt.stateBefore, receipt.words);
        uint256 message = hash(hashers.four, abi.encode(3, receipts.domain(), state, receipt.terms, receipt.fees));
        uint256 history = hash(hashers.two, abi.encode(2, receipt.historyBefore, message));
        for (uint256 i = 0; i < receipt.laterMessages.length; ++i) {
            history = hash(hashers.two, abi.encode(2, history, receipt.laterMessages[i]));
        }
        receipt.leaf = [_any("x"), _any("y"), 1, 2, 3, 4, history, externalId];
        for (uint256 i = 0; i < 48; ++i) {
            receipt.siblings[i] = _any(string(abi.encode("sibling", i)));
        }
        rollup.set(receipt.batchNumber, _root(receipt));
    }

    /// @dev Words of a session's pages: records of the protocol's layout, then zeros.
    function pagesOf(uint256 count) internal pure returns (uint256[] memory words) {
        words = new uint256[]((count + 15) / 16 * 80);
        for (uint256 i = 0; i < count; ++i) {
            uint256 any = _any(string(abi.encode("record", i)));
            words[5 * i] = any >> 64;
            words[5 * i + 1] = any >> 144 | uint256(AGENT) << 112;
            for (uint256 j = 2; j < 5; ++j) {
                words[5 * i + j] = _any(string(abi.encode(any, j)));
            }
        }
    }

    /// @dev The words from number `first` on, and the state before them.
    function foldedUpTo(uint256 first, uint256[] memory words) internal returns (Receipt memory receipt) {
        receipt.stateBefore = fold(4, _slice(words, 0, first));
        receipt.words = _slice(words, first, words.length);
    }

    function fold(uint256 state, uint256[] memory words) internal returns (uint256) {
        for (uint256 i = 0; i < words.length; i += 16) {
            state = hash(hashers.sixteen, abi.encodePacked(state, _slice(words, i, i + 16)));
        }
        return state;
    }

    function hash(address hasher, bytes memory words) internal returns (uint256) {
        (bool ok, bytes memory result) = hasher.call(words);
        assertTrue(ok, "a hash");
        return abi.decode(result, (uint256));
    }

    function assertRefused(Receipt memory receipt, bytes4 expected) internal {
        assertReverts(address(receipts), abi.encodeCall(Receipts.verifyRecord, (receipt)), expected);
    }

    /// @dev The call reverts with this error, whatever its values.
    function assertReverts(address target, bytes memory call, bytes4 expected) internal {
        (bool ok, bytes memory reason) = target.call(call);
        assertTrue(!ok && reason.length >= 4, "an error");
        // forge-lint: disable-next-line(unsafe-typecast)
        assertEq(uint32(bytes4(reason)), uint32(expected)); // the error's selector
    }

    /// @dev The root over the receipt's account: docs/protocol.md, "Account".
    function _root(Receipt memory receipt) private returns (uint256 node) {
        node = hash(_leafHasher, abi.encodePacked(uint256(1), receipt.leaf));
        for (uint256 level = 0; level < 16; ++level) {
            uint256[4] memory children;
            uint256 place = AGENT >> (2 * level) & 3;
            for (uint256 i = 0; i < 3; ++i) {
                children[i < place ? i : i + 1] = receipt.siblings[3 * level + i];
            }
            children[place] = node;
            node = hash(hashers.four, abi.encodePacked(uint256(0), children));
        }
    }

    function _hasher(uint256 inputs) private returns (address) {
        return address(new Hasher(inputs));
    }

    /// @dev Any word below r.
    function _any(string memory label) private pure returns (uint256) {
        return uint256(keccak256(bytes(label))) % R;
    }

    function _slice(uint256[] memory words, uint256 from, uint256 to) private pure returns (uint256[] memory part) {
        part = new uint256[](to - from);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = words[from + i];
        }
    }
}
