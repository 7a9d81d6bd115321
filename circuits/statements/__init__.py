"""Statements: what the circuits of this rollup prove."""
