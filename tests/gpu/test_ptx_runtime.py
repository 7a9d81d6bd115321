"""The CPU that runs PTX: instructions against their definitions, and the faults it is there to find."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from ptx import PtxError, Translator
from shim_device import PtxDevice

pytestmark = pytest.mark.usefixtures("compiler")

WORD = 0xFFFFFFFF


def device(body: str, seed: int = 0) -> PtxDevice:
    """One whose module ``probe`` is the kernel ``run``; ``body`` begins with its parameters."""
    return PtxDevice(seed, {"probe": f'#include "arch.cuh"\nKERNEL run({body}'})


def signed(x: int) -> int:
    return x - (x >> 31 << 32)


def quotient(a: int, b: int) -> int:
    """Rounded towards zero."""
    return abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


def permuted(a: int, b: int, selectors: int) -> int:
    """prmt.b32: bytes of b:a by selectors of four bits, the highest of which asks for eight copies of the sign."""
    eight = (a | b << 32).to_bytes(8, "little")
    nibbles = [selectors >> 4 * k & 15 for k in range(4)]
    return int.from_bytes((255 * (eight[s & 7] >> 7) if s & 8 else eight[s] for s in nibbles), "little")


#: Expressions over 32-bit a, b and what they are modulo 2^32.
INTEGERS: dict[str, Callable[[int, int], int]] = {
    "a * b": lambda a, b: a * b,
    "__umulhi(a, b)": lambda a, b: a * b >> 32,
    "__mulhi((i32)a, (i32)b)": lambda a, b: signed(a) * signed(b) >> 32,
    "((u64)a * b + a) >> 7": lambda a, b: (a * b + a) >> 7,
    "((u64)a << 32 | b) * ((u64)b << 32 | a) >> 32": lambda a, b: (a << 32 | b) * (b << 32 | a) % 2**64 >> 32,
    "__umul64hi((u64)a << 32 | b, (u64)b << 32 | a)": lambda a, b: (a << 32 | b) * (b << 32 | a) >> 64,
    "(i32)a >> (b & 31)": lambda a, b: signed(a) >> (b & 31),
    "((u64)a << 32 | b) >> (b & 63)": lambda a, b: (a << 32 | b) >> (b & 63),
    "(u64)a << (b & 63) >> 32": lambda a, b: (a << (b & 63)) % 2**64 >> 32,
    "a / (b | 1)": lambda a, b: a // (b | 1),
    "a % (b | 1)": lambda a, b: a % (b | 1),
    "(i32)a / (i32)(b | 1)": lambda a, b: quotient(signed(a), signed(b | 1)),
    "a < b ? a : b": lambda a, b: min(a, b),
    "max((i32)a, (i32)b)": lambda a, b: max(signed(a), signed(b)),
    "(i32)a < (i32)b": lambda a, b: signed(a) < signed(b),
    "__popc(a)": lambda a, b: a.bit_count(),
    "__popcll((u64)a << 32 | b)": lambda a, b: a.bit_count() + b.bit_count(),
    "__clz(a)": lambda a, b: 32 - a.bit_length(),
    "__clzll((u64)b << 3)": lambda a, b: 64 - (b << 3).bit_length(),
    "__brev(a)": lambda a, b: int(f"{a:032b}"[::-1], 2),
    "__ffs(a)": lambda a, b: (a & -a).bit_length(),
    "__funnelshift_l(a, b, 9)": lambda a, b: (b << 9) | (a >> 23),
    "__funnelshift_r(a, b, b)": lambda a, b: ((b << 32) | a) >> (b & 31),
    "(a & b) ^ (~a & 0x1234567u)": lambda a, b: (a & b) ^ (~a & 0x1234567),
    "(a >> 5) & 0x3ff": lambda a, b: a >> 5 & 0x3FF,
    "(u8)a * (u16)b": lambda a, b: (a & 255) * (b & 65535),
    "(signed char)a": lambda a, b: signed((a & 255) << 24) >> 24,
    "__byte_perm(a, b, 0x3715)": lambda a, b: permuted(a, b, 0x3715),
    "permuted(a, b)": lambda a, b: permuted(a, b, b),
    "bits_extracted(a)": lambda a, b: signed((a >> 3 & 0x7F) << 25) >> 25,
    "bits_inserted(a, b)": lambda a, b: (b & ~(0xFFF << 11)) | (a & 0xFFF) << 11,
    "highest(a)": lambda a, b: (a.bit_length() - 1) & WORD,
    "sum_128(a, b)": lambda a, b: ((a << 96 | b << 64 | WORD << 32 | a) + (b << 96 | a << 64 | WORD << 32 | b)) >> 64,
    "product_128(a, b)": lambda a, b: ((a << 32 | b) * (b << 32 | a) + (a << 64 | b)) >> 64,
    "called(a, b)": lambda a, b: a + 3 * b,
}
#: What C has no word for.
FUNCTIONS = """
DEVICE u32 bits_extracted(u32 a) { i32 r; asm("bfe.s32 %0, %1, 3, 7;" : "=r"(r) : "r"(a)); return (u32)r; }
DEVICE u32 bits_inserted(u32 a, u32 b) {
    u32 r; asm("bfi.b32 %0, %1, %2, 11, 12;" : "=r"(r) : "r"(a), "r"(b)); return r;
}
DEVICE u32 permuted(u32 a, u32 b) {
    u32 r; asm("prmt.b32 %0, %1, %2, %2;" : "=r"(r) : "r"(a), "r"(b)); return r;
}
DEVICE u32 highest(u32 a) { u32 r; asm("bfind.u32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
DEVICE u32 sum_128(u32 a, u32 b) {
    u64 r, ab = (u64)a << 32 | b, ba = (u64)b << 32 | a, x = (u64)~0u << 32 | a, y = (u64)~0u << 32 | b;
    asm("{ .reg .u64 low; add.cc.u64 low, %3, %4; addc.u64 %0, %1, %2; }" : "=l"(r) : "l"(ab), "l"(ba), "l"(x), "l"(y));
    return (u32)r;
}
DEVICE u32 product_128(u32 a, u32 b) {
    u64 r, x = (u64)a << 32 | b, y = (u64)b << 32 | a;
    asm("{ .reg .u64 low; mad.lo.cc.u64 low, %1, %2, %3; madc.hi.u64 %0, %1, %2, %4; }"
        : "=l"(r) : "l"(x), "l"(y), "l"((u64)b), "l"((u64)a));
    return (u32)r;
}
OUTLINE u32 called(u32 a, u32 b) { return a + 3 * b; }
"""


def test_integers() -> None:
    rng = random.Random(3)
    edges = [0, 1, 31, 32, 0x7FFFFFFF, 0x80000000, WORD]
    pairs = [(a, b) for a in edges for b in edges] + [(rng.getrandbits(32), rng.getrandbits(32)) for _ in range(64)]
    lines = "".join(f"out[{k} * n + i] = (u32)({text});\n" for k, text in enumerate(INTEGERS))
    source = f"u32* out, const u32* x, const u32* y, u32 n) {{ u32 i = threadIdx.x, a = x[i], b = y[i];\n{lines}}}"
    cpu = PtxDevice(sources={"probe": f'#include "arch.cuh"\n{FUNCTIONS}\nKERNEL run({source}'})
    operands = np.array(pairs, np.uint32)
    out = cpu.empty((len(INTEGERS), len(pairs)), np.uint32)
    arrays = [cpu.upload(np.ascontiguousarray(operands[:, column])) for column in (0, 1)]
    cpu.launch("probe", "run", 1, len(pairs), out, *arrays, np.uint32(len(pairs)))
    for (text, function), row in zip(INTEGERS.items(), cpu.download(out), strict=True):
        assert row.tolist() == [function(a, b) & WORD for a, b in pairs], text


def test_floating_point_is_rounded_as_told() -> None:
    cpu = device(
        """double* out, u64 b) { double x = __ull2double_rn(b);
        out[0] = __dadd_rz(x, 1.0); out[1] = __dadd_ru(x, 1.0); out[2] = __fma_rz(x, x, -1.0);
        out[3] = __dmul_rd(x, -x);
        out[4] = __longlong_as_double(b | 0x3ff0000000000000); out[5] = __double2ull_rz(x * 0.75);
    }"""
    )
    b = 2**53 - 1
    out = cpu.empty(6, np.float64)
    cpu.launch("probe", "run", 1, 1, out, np.uint64(b))
    got = [Fraction(float(x)) for x in cpu.download(out)[[0, 1, 2, 3, 5]]]
    assert got[:2] == [b + 1, b + 1]
    square = b * b
    spacing = 2 ** (square.bit_length() - 53)
    assert got[2] == (square - 1) // spacing * spacing
    assert got[3] == -(-(-square // spacing) * spacing)
    assert got[4] == int(b * 0.75)


def launch(body: str, threads: int = 64, size: int = 64, seed: int = 0, blocks: int = 1, **more: Any) -> list[int]:
    cpu = device(body, seed)
    out = cpu.zeros(size, np.uint32)
    cpu.launch("probe", "run", blocks, threads, out, **more)
    return cpu.download(out).tolist()


SWAP = "u32* out) {{ __shared__ u32 x[64]; u32 t = threadIdx.x; x[t] = t; {} out[t] = x[t ^ {}]; }}"


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_a_race_is_found_in_any_order(seed: int) -> None:
    for barrier, distance in [("", 1), ("", 32), ("__syncwarp();", 32)]:
        with pytest.raises(AssertionError, match="no barrier in between"):
            launch(SWAP.format(barrier, distance), seed=seed)
    for barrier, distance in [("__syncthreads();", 32), ("__syncwarp();", 1)]:
        assert launch(SWAP.format(barrier, distance), seed=seed) == [t ^ distance for t in range(64)]


def test_writing_what_others_still_read_is_a_race() -> None:
    body = """u32* out) {{ __shared__ u32 x[64]; u32 t = threadIdx.x; x[t] = t; __syncthreads();
        u32 y = x[t ^ 32]; {} x[t] = y; __syncthreads(); out[t] = x[t]; }}"""
    with pytest.raises(AssertionError, match="no barrier in between"):
        launch(body.format(""))
    assert launch(body.format("__syncthreads();")) == [t ^ 32 for t in range(64)]


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_no_barrier_orders_what_blocks_do_to_global_memory(seed: int) -> None:
    body = """u32* out) {{ u32 i = blockIdx.x * blockDim.x + threadIdx.x; out[i] = i; {}
        out[128 + i] = out[i ^ {}]; }}"""

    def run(barrier: str, distance: int) -> list[int]:
        return launch(body.format(barrier, distance), size=256, seed=seed, blocks=2)[128:]

    for barrier, distance in [("", 1), ("__syncwarp();", 32), ("__syncthreads();", 64)]:
        with pytest.raises(AssertionError, match=r"bytes of global memory .* no barrier in between"):
            run(barrier, distance)
    for barrier, distance in [("__syncwarp();", 1), ("__syncthreads();", 32)]:
        assert run(barrier, distance) == [i ^ distance for i in range(128)]


def test_atomics_do_not_race_with_each_other_but_with_reads() -> None:
    body = """u32* out) {{ __shared__ u32 sum; if (threadIdx.x == 0) sum = 0; __syncthreads();
        atomicAdd(&sum, threadIdx.x); {} out[threadIdx.x] = sum; }}"""
    assert launch(body.format("__syncthreads();")) == [sum(range(64))] * 64
    with pytest.raises(AssertionError, match="no barrier in between"):
        launch(body.format(""))


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("u32* out) { out[threadIdx.x] = out[threadIdx.x + 64]; }", "within no array"),
        ("u32* out) { out[(int)threadIdx.x - 1] = 1; }", "within no array"),
        ("u32* out) { out[threadIdx.x] = __ldg(out + threadIdx.x); }", "reads it as fixed and writes it"),
        (
            "u32* out) { u32 t = threadIdx.x; out[t] = t < 32 ? t : __ldg(out + t - 32); }",
            "reads it as fixed and writes it",
        ),
        ("uint4* out) { out[threadIdx.x % 8] = *(uint4*)((u32*)out + 1); }", "not aligned"),
        (
            "u32* out) { DYNAMIC_SHARED(x); u32 t = threadIdx.x; ((u32*)x)[t] = t; out[t] = ((u32*)x)[t]; }",
            "beyond the block's",
        ),
        ('u32* out) { if (threadIdx.x) __syncthreads(); else { out[0] = 1; asm volatile("trap;"); } }', "trap"),
    ],
)
def test_an_access_that_a_card_would_refuse_or_corrupt_is_refused(body: str, what: str) -> None:
    with pytest.raises(AssertionError, match=what):
        launch(body, shared=252)


def test_exchanges_between_lanes() -> None:
    body = """u32* out) { u32 t = threadIdx.x; u32* row = out + 8 * t;
        row[0] = __shfl_sync(~0u, t, 5); row[1] = __shfl_xor_sync(~0u, t, 6); row[2] = __shfl_up_sync(~0u, t, 3);
        row[3] = __shfl_down_sync(~0u, t, 3); row[4] = __shfl_sync(~0u, t, t + 1, 8);
        row[5] = __ballot_sync(~0u, t % 3 == 0); row[6] = __match_any_sync(~0u, t / 5);
        row[7] = __any_sync(~0u, t == 40);
    }"""
    got = np.array(launch(body, 64, 512)).reshape(64, 8)
    for t in range(64):
        warp, lane = t // 32 * 32, t % 32
        assert got[t].tolist() == [
            warp + 5,
            t ^ 6,
            t - 3 if lane >= 3 else t,
            t + 3 if lane < 29 else t,
            t // 8 * 8 + (t + 1) % 8,
            sum(1 << k for k in range(32) if (warp + k) % 3 == 0),
            sum(1 << k for k in range(32) if (warp + k) // 5 == t // 5),
            warp == 32,
        ]


def test_an_unknown_instruction_is_named() -> None:
    with pytest.raises(PtxError, match="tex"):
        Translator(".visible .entry k()\n{\n\ttex.1d.v4.f32.s32 {%f1, %f2}, [t, {%r1}];\n\tret;\n}").translate()
