"""The L1 as the node sees it: a chain to connect to, contracts to deploy, batches to commit, prove and finalize.

``client`` speaks to any chain, ``embedded`` is one inside this process, ``contracts`` computes addresses before there
is anything at them, ``rollup_contract`` does each step of a batch once, however often it is asked to.
"""
