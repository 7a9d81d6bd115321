"""The node's side of protocol version 2: transactions, the fold over them, the data they leave."""
