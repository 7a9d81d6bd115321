"""Groth16 on BN254: setup, keys, proofs.

The files are the stages: ``setup`` makes a key for a constraint system, ``qap`` is the polynomial part, ``groth16``
proves, ``formats/zkey`` stores keys as snarkjs does. The heavy work goes through one protocol, ``engine.Engine``,
with a plain-integer reference (``reference``), a CPU engine (``cpu/``) and, where installed, a GPU engine.
"""
