"""snarkjs, at the version pinned in tests/node/package.json, in a folder of its own. For tests marked ``node``."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.formats.r1cs import write_r1cs
from aitbc_rollup.circuits.formats.wtns import write_wtns
from aitbc_rollup.circuits.r1cs import R1CS


@dataclass(frozen=True)
class Snarkjs:
    """The program and its folder; called with its arguments, it returns what was printed."""

    program: str
    room: Path

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        command = [self.program, *arguments]
        result = subprocess.run(command, cwd=self.room, capture_output=True, text=True, timeout=120, check=False)
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        return result.stdout

    def write(self, name: str, r1cs: R1CS, witness: Limbs) -> None:
        """A circuit and its witness as NAME.r1cs and NAME.wtns."""
        write_r1cs(self.room / f"{name}.r1cs", r1cs)
        write_wtns(self.room / f"{name}.wtns", witness)

    def make_key(self, name: str) -> Path:
        """NAME.zkey by a ceremony of one, from powers of tau on; NAME_fresh.zkey is the same without a contribution."""
        if not (self.room / "pot.ptau").exists():
            self("powersoftau", "new", "bn128", "6", "pot0.ptau")
            self("powersoftau", "contribute", "pot0.ptau", "pot1.ptau", "--name=one", "-e=test")
            self("powersoftau", "prepare", "phase2", "pot1.ptau", "pot.ptau")
        self("groth16", "setup", f"{name}.r1cs", "pot.ptau", f"{name}_fresh.zkey")
        self("zkey", "contribute", f"{name}_fresh.zkey", f"{name}.zkey", "--name=two", "-e=test")
        return self.room / f"{name}.zkey"
