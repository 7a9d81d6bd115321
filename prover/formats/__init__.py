"""Files of the prover: ``zkey``, proving keys as snarkjs writes and reads them."""
