"""Full batches, the optimistic fallback's, whose inputs stand on L1 (``docs/protocol.md``, "Full batches").

A bonded proposer posts inputs and what he says comes of them. Anybody can redo it (``judgement``), and where two differ
a proof decides (``batch``, ``witness_inputs``). So everything here is total: whatever words the contract lets pass have
one outcome, and no item of them stops a batch.
"""
