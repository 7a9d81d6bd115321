"""Circuits: Python that runs once (``api``, ``template``) and leaves arrays behind (``compiler``, ``r1cs``).

``witness`` computes what satisfies them, ``check`` says which constraint is violated, ``formats`` speaks circom's
files, ``gadgets`` are the parts and ``statements`` the wholes. Start reading at ``api``.
"""
