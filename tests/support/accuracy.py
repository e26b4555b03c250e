"""Worst errors of elementwise operations in float32, in units in the last place, on both engines.

    python -m tests.support.accuracy                          # a million samples of each; writes docs/accuracy.md
    python -m tests.support.accuracy --only erf --only pow    # these, told and not written

The samples are spread over all bit patterns of floats, over the sizes that people compute with, and around the points
at which formulas change. The exact values are those of `tests/support/exact.py`, in float64.
"""

from __future__ import annotations

import argparse
import math
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorsmith.program.execute import guard, jax
from tensorsmith.program.op import Op
from tests.support.exact import EXACT
from tests.support.spine import ROOT, is_elementwise, operations

BOUND = 5.0
ENGINES = ("NumPy", "XLA")
PAGE = ROOT / "docs" / "accuracy.md"
TINY = float(np.finfo("float32").tiny)
# Nothing is asked of results smaller than this. NumPy's denormal numbers have fewer digits; XLA's CPU code makes them
# zero, and some stand on the way to results that are a little larger.
LOWEST = {"NumPy": TINY, "XLA": 2.0**-120}
# the remainder is a multiple of the last place of the divisor, and denormal where that is smaller than this
DIVISORS = dict.fromkeys(("floordiv", "floormod", "truncatemod"), 2.0 ** (-102))
# operations whose shape rule is another one, though they work element by element
ALSO = ("abs", "divide")
# settings, of operations that have some
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "gelu": [{}, {"approximate": True}],
    "elu": [{}, {"alpha": 0.7}],
    "silu": [{}, {"beta": 1.7}],
    "weighted_cross_entropy_with_logits": [{"pos_weight": 3.0}],
}


def asked() -> list[tuple[Op, dict[str, Any]]]:
    """Every operation that makes floats of floats, element by element, with its settings."""
    found = []
    for _, op in sorted(operations().items()):
        of_floats = op.shapes is not None and op.shapes.__name__ != "predicate" and "f" in op.kinds
        if of_floats and (is_elementwise(op) or op.name in ALSO) and "axis" not in op.settings:
            found += [(op, settings) for settings in SETTINGS.get(op.name, [{}])]
    return found


# ---- samples

# around these numbers and their negatives formulas change, or results overflow, vanish or pass zero
DANGER = (
    0.0, 2.0**-126, 1e-30, 1e-20, 1e-10, 2.0**-24, 2.0**-12, 1e-4, 0.01, 0.1, 0.2, 0.25, 0.35, 0.375, 0.44, 0.5, 0.55,
    2.0**-0.5, 0.8, 0.84, 0.9, 0.95, 1.0, 1.25, 1.5, math.pi / 2, 1.75, 2.0, 2.5, math.e, 3.0, math.pi, 3.25, 3.75, 4.0,
    3 * math.pi / 2, 5.0, 6.0, 2 * math.pi, 8.0, 9.0, 10.0, 12.0, 13.0, 14.4, 16.6, 17.3, 20.0, 50.0, 64.0, 87.3, 88.72,
    89.4, 100.0, 103.9, 1e4, 1e8, 2.0**24, 2.0**31, 1e20, 3.4e38, math.inf,
    # where digamma, lgamma and the exponential integral are zero
    1.4616321, 0.5040830, 2.4570247, 2.7476826, 3.1435808, 4.0390, 6.0036, 0.37250741,
)  # fmt: skip


def _bits(rng: np.random.Generator, count: int) -> np.ndarray:
    """Floats of which every bit pattern is as likely as any other."""
    return rng.integers(0, 2**32, count, dtype=np.uint32).view(np.float32)


def _near(rng: np.random.Generator, count: int) -> np.ndarray:
    """The danger points, and floats at most some thousand steps away from one, most of them closer."""
    points = np.array([sign * value for value in DANGER for sign in (1, -1)], "float32")
    steps = np.rint(rng.standard_normal(count) * 2.0 ** rng.uniform(-1, 11, count)).astype("int64")
    steps[: len(points)] = 0
    found = np.resize(points, count)
    # without its sign the pattern of a float is a number that grows with it
    sizes = np.maximum(np.abs(found).view("int32").astype("int64") + steps, 0).astype("int32").view("float32")
    found = np.copysign(sizes, found)
    rng.shuffle(found)
    return found


def _ordinary(rng: np.random.Generator, count: int) -> np.ndarray:
    """Floats of the sizes that people compute with."""
    few = count // 4
    parts = [
        rng.standard_normal(few),
        rng.uniform(-10, 10, few),
        rng.uniform(-110, 110, few),
        rng.choice([-1, 1], count - 3 * few) * 10 ** rng.uniform(-8, 5, count - 3 * few),
    ]
    return np.concatenate(parts)


def _spread(rng: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    """Half of them evenly, half of them evenly in their logarithm."""
    half = count // 2
    even = np.exp(rng.uniform(math.log(low), math.log(high), count - half))
    found = np.concatenate([rng.uniform(low, high, half), even])
    rng.shuffle(found)
    return found


def _labels(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.concatenate([rng.uniform(0, 1, count - count // 2), rng.integers(0, 2, count // 2)])


Ranges = Callable[[np.random.Generator, int], list[np.ndarray]]
# of iterations, and of what has a meaning for some arguments only: where the samples lie
RANGES: dict[str, tuple[str, Ranges]] = {
    "betainc": ("a, b in 0.05 to 100", lambda r, n: [_spread(r, n, 0.05, 100), _spread(r, n, 0.05, 100), r.uniform(0, 1, n)]),
    "igamma": ("a, x in 0.01 to 200", lambda r, n: [_spread(r, n, 0.01, 200), _spread(r, n, 0.01, 200)]),
    "igammac": ("a, x in 0.01 to 200", lambda r, n: [_spread(r, n, 0.01, 200), _spread(r, n, 0.01, 200)]),
    "zeta": ("x in 1.01 to 40, q in 0.05 to 100", lambda r, n: [_spread(r, n, 1.01, 40), _spread(r, n, 0.05, 100)]),
    "polygamma": ("a in 0 to 8, x in 0.05 to 100", lambda r, n: [r.integers(0, 9, n), _spread(r, n, 0.05, 100)]),
    **{
        name: ("labels in 0 to 1", lambda r, n: [_labels(r, n), _ordinary(r, n)])
        for name in ("sigmoid_cross_entropy_with_logits", "weighted_cross_entropy_with_logits")
    },
}  # fmt: skip


@np.errstate(invalid="ignore")
def samples(op: Op, count: int, engine: str, seed: int) -> list[np.ndarray]:
    """The arrays on which an operation is measured."""
    rng = np.random.default_rng(seed)
    if op.name in RANGES:
        columns = RANGES[op.name][1](rng, count)
    else:
        # of several arguments each kind of samples meets each other one
        kinds = (_bits, _ordinary, _near)
        turns = range(3 if len(op.arrays) > 1 else 1)
        ways = [(kinds[at], kinds[(at + turn) % 3]) for turn in turns for at in range(3)]
        each = -(-count // len(ways))
        columns = [
            np.concatenate([way[min(place, 1)](rng, each) for way in ways])[:count] for place in range(len(op.arrays))
        ]
    columns = [column.astype("float32") for column in columns]
    if engine == "XLA":
        # denormal numbers are zeros to it
        least = DIVISORS.get(op.name, TINY)
        columns = [np.where(np.abs(a) < least, np.copysign(np.float32(0), a), a) for a in columns]
    return columns


# ---- errors


def errors(result: np.ndarray, exact: np.ndarray, lowest: float) -> np.ndarray:
    """How many units in the last place of the exact value each result is off; infinite where one of both is NaN.

    lowest: nothing is asked of numbers smaller than this.
    """
    with np.errstate(all="ignore"):
        size = np.abs(exact)
        _, exponent = np.frexp(np.clip(size, 2.0**-149, 2.0**127))
        unit = np.ldexp(1.0, np.maximum(exponent - 24, -149))
        # infinity stands where the float behind the largest would be
        top = 2.0**128
        found = np.abs(np.clip(result.astype("float64"), -top, top) - np.clip(exact, -top, top)) / unit
        found = np.where(np.isnan(exact) & np.isnan(result), 0.0, found)
        found = np.where(np.isnan(exact) != np.isnan(result), np.inf, found)
        return np.where((size < lowest) & (np.abs(result) <= lowest), 0.0, found)


def exact(op: Op, arrays: list[np.ndarray], settings: dict[str, Any]) -> np.ndarray:
    """The exact values."""
    wide = [a.astype("float64") for a in arrays]
    # (the sweep of all operations holds a kernel in float64 to an oracle of its own)
    return np.asarray(EXACT[op.name](*wide, **settings) if op.name in EXACT else op.kernel(np, *wide, **settings))


def run(op: Op, arrays: list[np.ndarray], settings: dict[str, Any], engine: str) -> np.ndarray:
    """What the kernel gives."""
    if engine == "NumPy":
        return np.asarray(op.kernel(np, *arrays, **settings))
    with guard():
        return np.asarray(jax().jit(lambda *values: op.kernel(jax().numpy, *values, **settings))(*arrays))


@dataclass(frozen=True)
class Worst:
    """The worst error of an operation on an engine, and the inputs that gave it."""

    op: Op
    settings: dict[str, Any]
    engine: str
    error: float
    at: tuple[float, ...]
    result: float
    exact: float

    def name(self) -> str:
        told = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.op.name}({told})" if told else self.op.name

    def __str__(self) -> str:
        at = ", ".join(f"{value:.9g}" for value in self.at)
        return (
            f"{self.name()} on {self.engine}: {self.error:.3g} at {at}: {self.result:.9g} instead of {self.exact:.9g}"
        )


# (some of the NaN are signalling ones, of which a cast warns)
@np.errstate(all="ignore")
def measured(op: Op, settings: dict[str, Any], engine: str, count: int, seed: int = 1) -> Worst:
    """The worst error among so many samples."""
    arrays = samples(op, count, engine, seed)
    right = exact(op, arrays, settings)
    result = run(op, arrays, settings, engine)
    assert result.dtype == np.float32, op.name
    if op.name == "pow" and engine == "XLA":
        # NaN ** 0 and 1 ** NaN are 1 to IEEE 754 and to NumPy; to XLA sometimes 1 and sometimes NaN
        right = np.where(np.isnan(arrays[0]) | np.isnan(arrays[1]), result, right)
    found = errors(result, right, LOWEST[engine])
    at = int(np.argmax(found))
    place = tuple(float(a[at]) for a in arrays)
    return Worst(op, settings, engine, float(found[at]), place, float(result[at]), float(right[at]))


# ---- the page

_INTRODUCTION = """\
# How exact the elementwise operations are

The worst error of each elementwise operation in float32, in units in the last place of the exact value (ULP), among
{count:,} samples: a third of them spread over all bit patterns of floats, NaN and infinities among them, a third over
the sizes that people compute with, a third around the points at which formulas change, overflow or pass zero. A result
that is rounded correctly is off by at most 0.5. NumPy runs single operations, XLA runs compiled programs. The exact
values are computed in float64 by other formulas, most of them by SciPy.

All of them are within 5 ULP, and NaN is given where the exact value is NaN and nowhere else; `tests/ops/test_accuracy.py`
holds that. Not counted are results below 2^-126 (of XLA 2^-120): XLA's CPU code makes denormal numbers zero, also those
on the way to a result. For the same reason XLA's remainders are asked for divisors from 2^-102. NaN ** 0 and 1 ** NaN
are 1 on NumPy, as IEEE 754 has it, and 1 or NaN on XLA. Operations with a note are measured where it says.

Written by `python -m tests.support.accuracy` on {machine} with NumPy {numpy} and jax {jax}.

| operation | NumPy | XLA | worst at | note |
| --- | ---: | ---: | --- | --- |
"""


def page(found: list[Worst], count: int) -> str:
    """The table, worst first."""
    pairs: dict[str, dict[str, Worst]] = {}
    for worst in found:
        pairs.setdefault(worst.name(), {})[worst.engine] = worst
    lines = []
    for name, pair in sorted(pairs.items(), key=lambda item: (-max(w.error for w in item[1].values()), item[0])):
        worst = max(pair.values(), key=lambda w: w.error)
        at = ", ".join(f"{value:.9g}" for value in worst.at) if worst.error > 0 else ""
        note = RANGES.get(worst.op.name, ("",))[0]
        lines.append(f"| `{name}` | {pair['NumPy'].error:.2f} | {pair['XLA'].error:.2f} | {at} | {note} |\n")
    text = _INTRODUCTION.format(count=count, machine=platform.machine(), numpy=np.__version__, jax=jax().__version__)
    return text + "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.accuracy", description=__doc__)
    parser.add_argument("--only", action="append", metavar="OPERATION")
    parser.add_argument("--samples", type=int, default=1_000_000)
    choice = parser.parse_args()
    chosen = [(op, settings) for op, settings in asked() if not choice.only or op.name in choice.only]
    found = [measured(op, settings, engine, choice.samples) for op, settings in chosen for engine in ENGINES]
    for worst in sorted(found, key=lambda w: -w.error):
        print(worst)
    if not choice.only:
        PAGE.write_text(page(found, choice.samples))


if __name__ == "__main__":
    main()
