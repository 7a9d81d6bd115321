"""The choice of the vector path."""

from __future__ import annotations

import pytest

from aitbc_rollup.algebra import cpu
from aitbc_rollup.errors import ResourceError, UsageError


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing was chosen yet."""
    for question in (cpu.chosen, cpu.available, cpu.features):
        monkeypatch.setattr(cpu, question.__name__, question.__wrapped__)
    monkeypatch.delenv("AITBC_CPU", raising=False)
    return monkeypatch


def test_every_processor_has_a_path(fresh: pytest.MonkeyPatch) -> None:
    fresh.setattr(cpu, "features", frozenset)
    assert cpu.available() == ("scalar",)
    assert cpu.chosen() == "scalar"
    assert cpu.llvm_features() is None


@pytest.mark.parametrize(
    ("features", "path"),
    [
        ({"avx2", "fma"}, "avx2"),
        ({"avx2"}, "scalar"),
        ({"avx2", "fma", "avx512f"}, "avx2"),
        ({"avx2", "fma", "avx512f", "avx512dq"}, "avx512"),
        ({"avx2", "fma", "avx512f", "avx512dq", "avx512ifma"}, "avx512ifma"),
    ],
)
def test_the_fastest_path_is_chosen(fresh: pytest.MonkeyPatch, features: set[str], path: str) -> None:
    fresh.setattr(cpu, "features", lambda: frozenset(features))
    assert cpu.chosen() == path


def test_a_lower_path_keeps_avx512_out(fresh: pytest.MonkeyPatch) -> None:
    host = {"avx2": True, "fma": True, "avx512f": True, "avx512dq": True, "bmi2": True, "sse4a": False}
    fresh.setattr(cpu.llvm, "get_host_cpu_features", lambda: host)
    assert cpu.llvm_features() is None
    fresh.setenv("AITBC_CPU", "avx2")
    assert cpu.llvm_features() == "+avx2,-avx512dq,-avx512f,+bmi2,+fma,-sse4a"


def test_an_unknown_path_is_a_usage_error(fresh: pytest.MonkeyPatch) -> None:
    fresh.setenv("AITBC_CPU", "avx1024")
    with pytest.raises(UsageError, match="no such path"):
        cpu.chosen()


def test_a_path_the_processor_lacks_is_a_resource_error(fresh: pytest.MonkeyPatch) -> None:
    fresh.setattr(cpu, "features", lambda: frozenset({"avx2", "fma"}))
    fresh.setenv("AITBC_CPU", "avx512")
    with pytest.raises(ResourceError, match="avx512dq, avx512f"):
        cpu.chosen()
