"""The rollup contract of protocol version 2: batches, the queue, claims."""
