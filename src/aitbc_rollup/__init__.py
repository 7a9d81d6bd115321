"""A zk-rollup toolkit for AI agents' work: records in, Groth16 proofs out, state roots on an L1.

The rooms (``algebra``, ``verifier``, ``circuits``, ``prover``, ``rollup``, ``cli``,
``contracts``) stand at the root of the repository and install as ``aitbc_rollup.<room>``.
``docs/architecture.md`` says what lives where and which room may import which.
"""

__version__ = "0.1.0"
