"""The full batch, the optimistic fallback's (``docs/protocol.md``, "Full batches"); proven where there is a dispute."""
