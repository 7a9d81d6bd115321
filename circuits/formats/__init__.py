"""circom's files: constraints (``r1cs``), witnesses (``wtns``) and names (``sym``), read with suspicion."""
