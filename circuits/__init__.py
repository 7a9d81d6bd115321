"""Circuits: Python that runs once (``api``, ``template``) and leaves arrays (``compiler``, ``r1cs``) with a witness program.

``check`` says which constraint a witness violates, ``formats`` speaks circom's files, ``gadgets`` are the parts
and ``statements`` the wholes. Start reading at ``api``.
"""
