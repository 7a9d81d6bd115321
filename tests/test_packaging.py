"""The wheel carries every room and every data file, and puts nothing else into site-packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = ("outline.json", "library.json", "*.sol", "artifacts/*.json", "kernels/*.cu", "kernels/*.cuh")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built through the sdist, as a release would be."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def rooms() -> list[Path]:
    links = [path for path in sorted((ROOT / "src" / "aitbc_rollup").iterdir()) if path.is_symlink()]
    return [path for path in links if path.name != "examples"]


def test_every_module_and_data_file_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"aitbc_rollup/py.typed", "aitbc_rollup/errors.py"}
    for room in rooms():
        files = [*room.rglob("*.py"), *(path for pattern in DATA for path in room.rglob(pattern))]
        wanted |= {
            path.relative_to(ROOT / "src").as_posix()
            for path in files
            if not {"test", "tools", "node_modules", "out", "cache"} & set(path.relative_to(room).parts)
        }
    wanted |= {
        f"aitbc_rollup/examples/{name}" for name in ("genesis.json", "azure_llm/requests_256.csv", "azure_llm/LICENSE")
    }
    assert wanted - inside == set()


def test_no_generic_name_reaches_site_packages(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"aitbc_rollup"}


def test_the_wheel_imports_from_a_clean_place(wheel: Path, tmp_path: Path) -> None:
    """Third parties come from this environment; every room imports, `circuits` alone does not."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    names = ", ".join(f"aitbc_rollup.{room.name}" for room in rooms())
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        f"import aitbc_rollup, {names}\n"
        f"assert aitbc_rollup.__file__.startswith({str(tmp_path)!r}), aitbc_rollup.__file__\n"
        "try:\n    import circuits\nexcept ModuleNotFoundError:\n    print('ok')\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout == "ok\n", done.stderr
