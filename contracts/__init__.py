"""The contracts: their sources, what they compile to, and what a block explorer asks of them."""
