"""Measures the CPU prover against its peers, on the same keys and witnesses, in turn.

    python benchmarks/prover_cpu.py [--powers 14 16 18 20] [--repeats 5] [--rapidsnark PROVER] [--work FOLDER] …

Measured are our own prover by its fastest path and by every other path of this processor, rapidsnark (where a binary is
given), snarkjs (once, at two sizes) and gnark (built from its published module, with a key of its own for the same
constraint system). Apart from each other:

``start``    the first process with nothing cached, which compiles the kernels; then the second, third …
``process``  a whole process that reads key and witness, proves and writes the proof; kernels and prepared key cached
``hot``      one proof in a process that has the key loaded and has proved before

Provers take turns, so that a change of the machine's mood falls on all; the first turn warms up and does not count.
Our proofs include the verification each ends with; every proof that a process writes is verified by us besides.
``workloads.py`` says what is proved. Results are written after each size.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import goals
import peers
import report
from peers import HERE, OURS, Files, Prover
from processes import ProcessFailedError, Worker, ask, run, spread

RESULT = HERE / "results" / "prover-cpu.json"


def prepared(files: Files, cache: Path) -> dict[str, Any]:
    """The circuit's files, made unless they are there: its sizes, and what our setup took."""
    if not files.path("zkey").exists():
        command = [sys.executable, HERE / "workloads.py", files.workload, str(files.power), files.folder]
        return ask(command, env={"AITBC_CACHE": str(cache)})
    made: dict[str, Any] = json.loads(files.path("json").read_text())
    return made


def whole_process(prover: Prover, files: Files) -> dict[str, Any]:
    """One run as a process."""
    return run(prover.process_command(files), env=prover.env)._asdict()


def check_proof(files: Files, cache: Path) -> None:
    """Verify what a process wrote, and take it away.

    Raises:
        ProcessFailedError: the proof does not hold, or is not there.
    """
    public, proof = files.path("public.json"), files.path("proof.json")
    verify = [sys.executable, "-m", "aitbc_rollup.cli.main", "groth16", "verify"]
    run([*verify, files.path("vk.json"), public, proof], env={"AITBC_CACHE": str(cache)})
    public.unlink()
    proof.unlink()


def first_starts(ours: Prover, files: Files, cache: Path, repeats: int) -> dict[str, Any]:
    """Processes from nothing cached: the first, and those after it. Leaves the cache filled."""
    shutil.rmtree(cache, ignore_errors=True)
    first, *others = [whole_process(ours, files) for _ in range(1 + repeats)]
    check_proof(files, cache)
    return {
        "power": files.power,
        "first": {quantity: round(value, 3) for quantity, value in first.items()},
        "second": summary(others),
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Median, least and most of every quantity; of stages the median."""
    found: dict[str, Any] = {"runs": len(runs)}
    for quantity in ("wall_s", "cpu_s", "peak_mib"):
        if quantity in runs[0]:
            found[quantity] = spread([one[quantity] for one in runs])
    stages = runs[0].get("stages_s", {})
    if stages:
        found["stages_s"] = {stage: spread([one["stages_s"][stage] for one in runs])["median"] for stage in stages}
    return found


class Series:
    """One prover in one way on one circuit: its runs."""

    def __init__(self, prover: Prover, kind: str, files: Files, cache: Path) -> None:
        self.prover, self.kind = prover, kind
        self.runs: list[dict[str, Any]] = []
        self.failure: str | None = None
        self._files, self._cache = files, cache
        self._worker: Worker | None = None

    def take_turn(self, *, counts: bool) -> None:
        """Prove once. After a failure there are no more turns, and the series says why."""
        if self.failure:
            return
        try:
            took = self._hot() if self.kind == "hot" else self._process()
        except ProcessFailedError as error:
            self.failure = str(error)
            print(f"{self.prover.name} is left out at this size: {error}", file=sys.stderr)
            return
        if counts:
            self.runs.append(took)

    def close(self) -> None:
        """Let go of a loaded key."""
        if self._worker:
            self._worker.close()

    def result(self) -> dict[str, Any]:
        """What is written of it."""
        return {"failed": self.failure} if self.failure else summary(self.runs)

    def _process(self) -> dict[str, Any]:
        took = whole_process(self.prover, self._files)
        check_proof(self._files, self._cache)
        return took

    def _hot(self) -> dict[str, Any]:
        if self._worker is None:
            self._worker = Worker(self.prover.hot_command(self._files), env=self.prover.env)
        return self._worker.prove()


def compared(provers: list[Prover], files: Files, cache: Path, repeats: int) -> dict[str, dict[str, Any]]:
    """Every prover in turn: figures by prover and kind."""
    found: dict[str, dict[str, Any]] = {prover.name: {} for prover in provers}
    with ExitStack() as stack:
        series = [Series(p, kind, files, cache) for kind in ("process", "hot") for p in provers if getattr(p, kind)]
        for one in series:
            stack.callback(one.close)
        for turn in range(1 + repeats):
            for one in series:
                if turn == 1 or not one.prover.once:
                    one.take_turn(counts=turn > 0)
        for one in series:
            found[one.prover.name][one.kind] = one.result()
    return found


def own_setup(prover: Prover, files: Files) -> dict[str, float]:
    """Make the prover's own key unless it is there, in a process that ends with it; what its setup took."""
    record = files.path(f"{prover.name}.json")
    if not record.exists():
        record.write_text(json.dumps(ask(prover.hot_command(files))["setup"]))
    took: dict[str, float] = json.loads(record.read_text())
    return took


def at_size(provers: list[Prover], files: Files, cache: Path, repeats: int) -> dict[str, Any]:
    """One circuit: what it is, what its setups took, what the provers took, and our ratios to each peer."""
    made = prepared(files, cache)
    here = [prover for prover in provers if prover.measured_at(files)]
    setups = {OURS: made.pop("setup")} | {prover.name: own_setup(prover, files) for prover in here if prover.own_key}
    size: dict[str, Any] = {"workload": files.workload, "power": files.power, **made, "setup": setups}
    size["provers"] = compared(here, files, cache, repeats)
    size["ratios"] = {
        f"{prover.name} / {peer.name}": found
        for prover in here
        if prover.name.startswith(OURS)
        for peer in here
        if not peer.name.startswith(OURS) and (found := goals.ratios(size, prover.name, peer.name))
    }
    return size


def chosen_provers(options: argparse.Namespace, machine: dict[str, Any], cache: Path) -> list[Prover]:
    """Ours and the peers that are there, ours first and the rest in between."""
    others = [path for path in machine["paths"] if path != machine["path"]]
    paths = [machine["path"], *(others if options.paths is None else [p for p in options.paths if p in others])]
    powers = frozenset(power for power in options.powers if power <= options.paths_up_to)
    default, *mine = peers.ours(machine["aitbc_rollup"], paths, cache, powers)
    found: list[Prover | None] = [default]
    if options.rapidsnark:
        found.append(peers.rapidsnark(options.rapidsnark, options.rapidsnark_lib, options.rapidsnark_version))
    if options.peers:
        found += [peers.snarkjs(options.snarkjs, frozenset(options.snarkjs_powers)), peers.gnark(options.work)]
    return [prover for prover in [*found, *mine] if prover]


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """The whole measurement; written after each size."""
    cache = options.cache or options.work / "cache"
    machine = ask([sys.executable, HERE / "machine.py"])
    provers = chosen_provers(options, machine, cache)
    versions = {prover.name: prover.version for prover in provers}
    result: dict[str, Any] = {"generated_by": "benchmarks/prover_cpu.py", "machine": machine, "versions": versions}
    result |= {"repeats": options.repeats, "complete": False, "start": None, "sizes": []}
    if options.resume:
        result |= earlier(options.out, result)
    if result["start"] is None and options.cache is None:
        files = Files(options.work, "chain", min(options.powers))
        prepared(files, cache)
        result["start"] = first_starts(provers[0], files, cache, options.repeats)
        print(report.start(result["start"]), flush=True)
    done = {(size["workload"], size["power"]) for size in result["sizes"]}
    for workload, power in [*(("chain", p) for p in options.powers), *(("hashes", p) for p in options.hashes)]:
        if (workload, power) not in done:
            size = at_size(provers, Files(options.work, workload, power), cache, options.repeats)
            result["sizes"].append(size)
            print(report.size(size), flush=True)
        result["goals"] = goals.judged(result)
        write(options.out, result)
    result["complete"] = True
    write(options.out, result)
    print(report.goals(result["goals"]))
    return result


def earlier(out: Path, result: dict[str, Any]) -> dict[str, Any]:
    """What an interrupted run of the same provers on the same processor had measured."""
    before = json.loads(out.read_text()) if out.exists() else {}
    if before.get("complete", True):
        return {}
    same = all(before.get(name) == result[name] for name in ("generated_by", "versions", "repeats"))
    if not same or before["machine"]["cpu"] != result["machine"]["cpu"]:
        print(f"{out.name} is of another machine, version or number of repeats: nothing is kept", file=sys.stderr)
        return {}
    return {name: before[name] for name in ("machine", "start", "sizes")}


def write(out: Path, result: dict[str, Any]) -> None:
    """Write the result, whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    part.write_text(json.dumps(result, indent=2) + "\n")
    part.replace(out)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--powers", type=int, nargs="+", default=[14, 16, 18, 20], help="sizes of the dense chain")
    add("--hashes", type=int, nargs="*", default=[18], metavar="POWER", help="sizes of the hash chain")
    add("--repeats", type=int, default=5)
    add("--paths", nargs="*", help="our paths besides the fastest; default: all this processor has")
    add("--paths-up-to", type=int, default=18, metavar="POWER", help="the largest size for those")
    add("--rapidsnark", type=Path, metavar="PROVER", help="rapidsnark's binary; left out if not given")
    add("--rapidsnark-lib", type=Path, metavar="LIBRARY", help="its shared library, for the proofs with the key loaded")
    add("--rapidsnark-version", metavar="TEXT", help="what the result calls it; default: the binary's hash")
    add("--snarkjs", type=Path, default=peers.SNARKJS, help="snarkjs's program")
    add("--snarkjs-powers", type=int, nargs="*", default=[16, 18], metavar="POWER")
    add("--no-peers", dest="peers", action="store_false", help="leave snarkjs and gnark out")
    add("--work", type=Path, metavar="FOLDER", help="keeps keys, witnesses and cache for the next run")
    add("--cache", type=Path, metavar="FOLDER", help="kernels are compiled there already; no first start is measured")
    add("--resume", action="store_true", help="keep the sizes that --out has from an interrupted run")
    add("--out", type=Path, default=RESULT)
    add("--no-plot", dest="plot", action="store_false")
    options = parser.parse_args(arguments)
    for option in ("rapidsnark", "rapidsnark_lib"):
        path = getattr(options, option)
        if path and not path.exists():
            parser.error(f"--{option.replace('_', '-')}: there is no {path}")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and draw."""
    options = parsed(arguments)
    with ExitStack() as stack:
        if options.work is None:
            options.work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options.work.mkdir(parents=True, exist_ok=True)
        result = measured(options)
    if options.plot:
        from plot import draw

        draw(result, options.out.with_suffix(".svg"))


if __name__ == "__main__":
    main()
