"""circom's circuits: compiled by its own compiler, their witnesses calculated here, without node.

``compiler`` finds circom and runs it, ``inputs`` reads an ``input.json``, ``calculator`` runs the .wasm that circom
made. The .r1cs goes through ``formats.r1cs``, as any compiler's does.
"""
