from __future__ import annotations

import pytest

from aitbc_rollup.rollup import genesis
from aitbc_rollup.rollup.genesis import Genesis


@pytest.fixture(scope="session")
def world() -> Genesis:
    """A development genesis with two agents: 0 operator, 1 provider, 2 and 3 agents."""
    return genesis.development(31337, 2)
