"""The GPU engine: CUDA kernels (``kernels/``), how they are compiled (``program``, ``nvrtc``) and what launches them.

Reached through ``prover.engine.load_engine("gpu")`` alone. Everything but :mod:`.engine` and the card's device works,
and is tested, without a GPU.
"""
