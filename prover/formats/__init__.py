"""Files of the prover: ``zkey`` and ``ptau`` as snarkjs writes and reads them, ``arrays`` for what is only ours."""
