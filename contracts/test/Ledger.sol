// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {IAccountProofs} from "../src/IAccountProofs.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev Verifies what it was told is true. A proof of anything else does not exist.
contract TrueVerifier is IVerifier {
    error Untrue();

    bool public constant isDevelopment = false;
    uint256 public constant inputCount = 4;
    bytes32 public constant keyHash = keccak256("true");
    mapping(bytes32 statement => bool) private _isTrue;

    function tell(uint256[] memory statement) external {
        _isTrue[keccak256(abi.encodePacked(statement))] = true;
    }

    function verify(uint256[] calldata proof, uint256[] calldata inputs) external view {
        if (proof[0] != uint256(keccak256(abi.encodePacked(inputs)))) revert Untrue();
        if (!_isTrue[keccak256(abi.encodePacked(inputs[:inputs.length - 1]))]) revert Untrue();
    }
}

/// @dev What is true of the accounts: four of them, their balances under every root that follows from the genesis, and
/// what a batch makes of them. Money moves as docs/protocol.md says of queue items and of transfers to L1.
abstract contract Ledger is RollupTest, IAccountProofs {
    uint256 internal constant ACCOUNTS = 4;
    uint256 internal constant VALID = 1 << 248;
    address internal constant CAROL = address(0xca401);
    address internal constant DAVE = address(0xda7e);
    address internal constant MALLORY = address(0x3a1104);

    TrueVerifier internal verifier;
    /// @dev Roots that follow from the genesis by true batches, and from which batch before.
    mapping(uint256 root => bool) public isTrue;
    mapping(uint256 root => uint256) public parentOf;
    mapping(uint256 root => uint256[ACCOUNTS]) internal balances;

    function _owner(uint256 index) internal pure returns (address) {
        return [ALICE, BOB, CAROL, DAVE][index];
    }

    function _genesis(uint256 value) internal {
        isTrue[GENESIS_ROOT] = true;
        balances[GENESIS_ROOT][0] = value;
    }

    /// @inheritdoc IAccountProofs
    function isAccount(uint256 root, uint32 index, uint256[8] calldata leaf, uint256[48] calldata)
        external
        view
        returns (bool)
    {
        return isTrue[root] && index < ACCOUNTS && leaf[2] == uint160(_owner(index)) && leaf[3] == balances[root][index];
    }

    function held(uint256 root) public view returns (uint256 sum) {
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            sum += balances[root][i];
        }
    }

    /// @dev A batch with its one true outcome, which is told to the verifier: queue items, and perhaps a transfer of
    /// `amount` from account `index` to its owner on L1. Its parent is true.
    function _truth(Draft memory draft, uint256 index, uint256 amount) internal {
        uint256 parent = draft.words[8];
        uint256[ACCOUNTS] memory now_ = balances[parent];
        uint256 queue = draft.used.queue;
        for (uint256 i = 0; i < queue; ++i) {
            draft.words[10 + i] = _result(now_, draft.items[2 * i], address(uint160(draft.items[2 * i + 1])));
        }
        if (draft.used.transfers == 1) {
            bool enough = amount <= now_[index];
            if (draft.kind == BatchData.FULL) {
                // Inputs: index and amount. Result: a claim, or nothing.
                (draft.words[11 + queue], draft.words[12 + queue]) = (index, amount);
                draft.words[10 + queue] = enough ? VALID | _claimWord(_owner(index), amount) : 0;
            } else {
                if (!enough) amount = now_[index];
                enough = true;
                (draft.words[10 + queue], draft.words[11 + queue]) = (index, _claimWord(_owner(index), amount));
            }
            if (enough) now_[index] -= amount;
        }
        uint256 root = uint256(keccak256(abi.encode(parent, now_, draft.words[4], draft.items))) % R;
        draft.words[9] = root;
        (isTrue[root], parentOf[root], balances[root]) = (true, parent, now_);
        verifier.tell(_statement(draft));
    }

    /// @dev The result of a queue item, and the balances after it.
    function _result(uint256[ACCOUNTS] memory now_, uint256 item, address sender) private pure returns (uint256) {
        (uint256 a, uint256 b, uint256 amount) = (uint32(item >> 8), uint32(item >> 40), item >> 72);
        if (item & 0xff == 1) {
            if (a >= ACCOUNTS) return _claimWord(sender, amount);
            now_[a] += amount;
            return VALID;
        }
        if (a >= ACCOUNTS || sender != _owner(a)) return 0;
        if (item & 0xff == 2) {
            if (amount > now_[a]) amount = now_[a];
            now_[a] -= amount;
            return VALID | _claimWord(sender, amount);
        }
        if (b >= ACCOUNTS || amount > now_[a]) return 0;
        now_[a] -= amount;
        now_[b] += amount;
        return VALID;
    }

    /// @dev Another outcome than the true one: a root out of nowhere, or under the true one a claim that nobody has.
    function _untruth(Draft memory draft, uint256 seed) internal pure {
        if (draft.words.length > 10 && seed & 1 == 1) {
            draft.words[10] = VALID | _claimWord(MALLORY, 1_000 ether + seed % 9);
        } else {
            draft.words[9] = uint256(keccak256(abi.encode("nowhere", seed, draft.words[9]))) % R;
        }
    }
}
