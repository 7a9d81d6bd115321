"""The command line, ``aitbc-rollup``: parsing, progress and printing; what is done is done in the other rooms."""
