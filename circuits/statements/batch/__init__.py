"""The batch, version 2 (``docs/protocol-2.md``): queue items, registrations, transfers and sessions of one shard."""
