"""The L1 as the node sees it: a chain to connect to, contracts to deploy, and each step of theirs.

::

    client over outbox and fees     any chain: ask, send, replace, rehearse, wait; embedded: one inside
    plan of pieces, parameters      every contract of a rollup and its address, before there is anything at it
    contracts, roles, manifest      created, compared with the artifacts, given to keys, written down
    rollup_contract                 a deployed rollup: batches done once, however often they are asked for; with queue,
                                    claims, treasury, fallback, escape, router, upgrades; standing: all at one block
    follower                        its events, and reorgs; elsewhere: data that are not in its transactions
"""
