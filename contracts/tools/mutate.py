"""Mutation testing of the contracts: is every change of a condition, an assignment or a sum seen by some test?

``python contracts/tools/mutate.py`` compiles the contracts once with all mutants inside (``mutants.py``), runs the
tests for each, the quick ones first, and names those that no test sees. It exits with 1 if one of them is not listed
in ``contracts/tools/equivalent.json`` with the reason why it changes nothing anybody could see, or if one listed there
is seen. Results are kept in ``build/mutants`` as long as sources and tests stay the same, so it can be resumed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from aitbc_rollup.contracts.tools.mutants import Mutant, Schema, modifiers

CONTRACTS = Path(__file__).resolve().parents[1]
ROOT = CONTRACTS.parent
WORK = ROOT / "build" / "mutants"
#: The program itself, as tests/node/foundry.mjs finds it: node would take as long to start as most tests take to run.
FORGE = str(next((ROOT / "tests/node/node_modules/@foundry-rs").glob("forge-*/bin/forge")))
EQUIVALENT = CONTRACTS / "tools" / "equivalent.json"
#: What a rollup is made of. The verifier is tried by its own tests, interfaces do nothing.
FILES = (
    "Treasury", "Queue", "Claims", "Batches", "OptimisticFallback", "Escape", "AitbcRollup", "Managed",
    "VerifierRouter", "AttesterCommittee", "BatchData", "BatchReader", "EIP712Digest", "AccountProofs", "Receipts",
)  # fmt: skip
#: Tests that never see those.
ELSEWHERE = "test/Groth16*"
#: Tests that take longer are asked last: random ones, and, about batches alone, those of whole rooms.
RANDOM, LARGE = "testFuzz|invariant", "RoomTest"
#: What the mutants' own code makes fail.
GAS = "Gas"
QUICK, SLOW = 300, 1200  # seconds after which a run counts as one that never ends, which is seen
#: So few runs are enough; the seed is fixed, so a mutant is seen every time or never.
FEW = {
    "FOUNDRY_FUZZ_RUNS": "64", "FOUNDRY_INVARIANT_RUNS": "8", "FOUNDRY_INVARIANT_DEPTH": "64",
    "FOUNDRY_GAS_LIMIT": "10000000000",
}  # fmt: skip


def forge(folder: Path, *arguments: str, environment: dict[str, str] | None = None, limit: float | None = None) -> int:
    """Run forge below a folder; its exit status, or 124 if it took longer than the limit, in seconds."""
    command = [FORGE, *arguments]
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        run = subprocess.Popen(
            command, cwd=folder / "contracts", env=os.environ | (environment or {}), stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            return run.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, 9)
            run.wait()
            return 124


def prepare(folder: Path) -> list[Mutant]:
    """Write and compile the contracts with all mutants inside.

    Raises:
        SystemExit: they do not compile, or the tests fail without any mutant.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("src", "test", "tools", "artifacts"):
        shutil.copytree(CONTRACTS / name, folder / "contracts" / name, ignore=shutil.ignore_patterns("halmos"))
    shutil.copy(CONTRACTS / "foundry.toml", folder / "contracts")
    (folder / "tests").symlink_to(ROOT / "tests")
    if forge(folder, "build", "--ast", "--skip", "test") != 0:
        sys.exit(f"the contracts do not compile: {folder}/build.log")
    paths = [path for name in FILES if (path := folder / "contracts" / "src" / f"{name}.sol").exists()]
    out = folder / "contracts" / "out"
    trees = [json.loads((out / path.name / f"{path.stem}.json").read_text())["ast"] for path in paths]
    mutants: list[Mutant] = []
    for path, tree in zip(paths, trees, strict=True):
        schema = Schema(path.stem, path.read_bytes(), tree, set(modifiers(trees)), len(mutants))
        path.write_bytes(schema.text)
        mutants += schema.mutants
    if forge(folder, "build") != 0:
        sys.exit(f"the contracts do not compile with mutants inside: {folder}/build.log")
    if forge(folder, "test", *tests(), "--no-match-test", GAS, environment=FEW) != 0:
        sys.exit(f"the tests fail without any mutant: {folder}/test.log")
    (folder / "mutants.json").write_text(json.dumps([vars(mutant) for mutant in mutants], indent=1))
    return mutants


def tests() -> list[str]:
    """What forge is told to run: everything that these mutants are in, whatever size that makes the contracts."""
    return ["--no-match-path", ELSEWHERE, "--code-size-limit", "1000000", "--fail-fast", "-j", "1"]


def seen(folder: Path, mutant: Mutant) -> bool:
    """Whether a test fails with a mutant, or never ends."""
    with tempfile.TemporaryDirectory() as kept:
        setting = FEW | {
            "FOUNDRY_BLOCK_COINBASE": f"0x{mutant.address:040x}",
            "FOUNDRY_FUZZ_FAILURE_PERSIST_DIR": f"{kept}/fuzz",
            "FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR": f"{kept}/invariant",
            "FOUNDRY_TEST_FAILURES_FILE": f"{kept}/failures",
            "FOUNDRY_CACHE_PATH": f"{kept}/cache",  # forge writes it, and others read it
        }  # fmt: skip
        own = Path(kept)
        (own / "contracts").symlink_to(folder / "contracts")
        shutil.copytree(folder / "contracts" / "cache", own / "cache")
        parts = [
            (QUICK, "--no-match-test", f"{GAS}|{RANDOM}", "--no-match-contract", LARGE),
            (SLOW, "--match-test", RANDOM, "--no-match-contract", LARGE),
        ]
        if mutant.name.startswith("Batch"):
            parts.append((SLOW, "--no-match-test", GAS, "--match-contract", LARGE))
        for limit, *some in parts:
            status = forge(own, "test", *tests(), *some, environment=setting, limit=limit)
            log = (own / "test.log").read_text()
            if status != 0 and (("[FAIL" not in log and status != 124) or "Compiling" in log):
                sys.exit(f"the tests did not run: {log}")
            if status != 0:
                return True
        return False


def digest() -> str:
    """Changes with everything that a result depends on."""
    hashed = hashlib.sha256()
    sources = [path for folder in ("src", "test") for path in CONTRACTS.glob(f"{folder}/**/*.sol")]
    for path in sorted([*sources, CONTRACTS / "tools/mutants.py"]):
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()[:16]


def main() -> None:
    """Try all mutants, or those whose name has a text in it, and say which ones live."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="*", default=[""], help="only mutants with one of these in their name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="test runs at once")
    options = parser.parse_args()
    folder = WORK / digest()
    if (folder / "mutants.json").exists():
        mutants = [Mutant(**kept) for kept in json.loads((folder / "mutants.json").read_text())]
    else:
        mutants = prepare(folder)
    results = folder / "results.jsonl"
    known = dict(json.loads(line) for line in results.read_text().splitlines()) if results.exists() else {}
    wanted = [mutant for mutant in mutants if any(text in mutant.name for text in options.text)]
    open_ = [mutant for mutant in wanted if mutant.name not in known]
    with ThreadPoolExecutor(options.jobs) as pool, results.open("a") as kept:
        runs = {pool.submit(seen, folder, mutant): mutant for mutant in open_}
        for done, run in enumerate(as_completed(runs), 1):
            name = runs[run].name
            known[name] = run.result()
            kept.write(json.dumps([name, known[name]]) + "\n")
            kept.flush()
            if not known[name] or done % 50 == 0:
                print(f"{done}/{len(open_)}", "" if known[name] else f"lives: {runs[run].line}: {name}", flush=True)
    sys.exit(report(wanted, known))


def report(wanted: list[Mutant], known: dict[str, bool]) -> int:
    """Print what came out; 1 if it is not as listed."""
    listed: dict[str, str] = json.loads(EQUIVALENT.read_text())
    alive = {mutant.name for mutant in wanted if not known[mutant.name]}
    names = {mutant.name for mutant in wanted}
    new, wrong = sorted(alive - listed.keys()), sorted((listed.keys() & names) - alive)
    for name in new:
        print(f"no test sees: {name}", file=sys.stderr)
    for name in wrong:
        print(f"listed as changing nothing, but a test sees it: {name}", file=sys.stderr)
    print(f"{len(wanted)} mutants, {len(wanted) - len(alive)} seen, {len(alive & listed.keys())} that change nothing")
    return 1 if new or wrong else 0


if __name__ == "__main__":
    main()
