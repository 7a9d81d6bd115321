"""The batch, version 2 (``docs/protocol.md``): queue items, registrations, transfers and sessions of one shard."""
