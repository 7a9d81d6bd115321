"""What every room stands on: BN254, Baby Jubjub and Poseidon, each as an obvious reference and as a fast twin.

``reference/`` holds plain-integer Python, written to be read; the modules beside it hold the
numba kernels. The same tests run over both.
"""
