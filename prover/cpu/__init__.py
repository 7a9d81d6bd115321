"""The CPU engine: numba kernels for NTT, multi-scalar multiplication and sparse products, run on a pool of threads."""
