"""The node: records come in, become a batch that circuits can prove, and the state on disk advances.

``records`` and ``accounts`` say what is hashed, ``state`` applies it, ``store`` keeps it, ``batch`` makes
the data and the circuit's inputs, ``node`` runs the whole job, ``rebuild`` starts again from L1 data alone.
``docs/protocol.md`` is the text that counts.
"""
