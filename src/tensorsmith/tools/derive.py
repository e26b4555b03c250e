"""Writes `program/slopes.json`: the derivatives of common operations, as JAX derives them.

    python -m tensorsmith.tools.derive

Elementwise operations are found in the registry and derived on scalars. What is derived is compared with JAX's own
derivative of arrays: an operation that is not truly elementwise, or needs a primitive that NumPy has not, is left
out, and JAX derives it when it is met. The others are those of `SHAPED`, derived with their sizes left open
(`program/opened.py`).
"""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np

from tensorsmith.program import execute, opened, slopes
from tensorsmith.program.op import REQUIRED, Op, registry
from tensorsmith.program.pieces import Call
from tensorsmith.program.small import NotSmall, Small, traced

_AXES = [None, 0, 1, -1]
# {operation: [(settings, None for any; samples of settings; shapes of the arguments in letters; their dtypes)]}
Shaped = tuple[Any, list[dict], tuple[str, ...], str]


def _reduced(ranks: range) -> list[Shaped]:
    """Rows of a reduction."""
    return [
        _row({"axis": axis, "keepdims": keep}, "abcd"[:rank])
        for rank in ranks
        for axis, keep in itertools.product(_AXES, (False, True))
        if axis is None or -rank <= axis < rank
    ]


def _row(settings: dict, *words: str, kinds: str = "") -> Shaped:
    sample = {key: 5 if value == slopes.OPEN else value for key, value in settings.items()}
    return settings, [sample], words, kinds or "f" * len(words)


SHAPED: dict[str, list[Shaped]] = {
    "matmul": [
        _row({"transpose_a": a, "transpose_b": b}, *words)
        for a, b, *words in [
            (False, False, "mk", "kn"),
            (True, False, "km", "kn"),
            (False, True, "mk", "nk"),
            (True, True, "km", "nk"),
            (False, False, "bmk", "bkn"),
            (False, True, "bmk", "bnk"),
            (False, False, "bmk", "kn"),
        ]
    ],
    "reduce_sum": _reduced(range(5)),
    "reduce_mean": _reduced(range(5)),
    "reduce_max": _reduced(range(1, 4)),
    "reduce_logsumexp": _reduced(range(1, 3)),
    "softmax": [_row({"axis": -1}, "abc"[:rank]) for rank in range(1, 4)],
    "log_softmax": [_row({"axis": -1}, "abc"[:rank]) for rank in range(1, 4)],
    "softmax_cross_entropy_with_logits": [_row({"axis": -1}, "ab", "ab")],
    "sparse_softmax_cross_entropy_with_logits": [_row({}, "a", "ab", kinds=kind + "f") for kind in "il"],
    "gather": [
        _row({"axis": axis}, "abc"[:rank], "de"[:places], kinds="f" + kind)
        for rank, places, kind, axis in itertools.product((1, 2, 3), (0, 1, 2), "il", (0, 1))
        if axis == 0 or (rank == 2 and places == 1)
    ],
    "group_reduce": [
        _row({"kind": how}, "abc"[:rank], "a", "d", kinds="f" + kind * 2)
        for how, rank, kind in itertools.product(("sum", "max"), (1, 2, 3), "il")
        if how == "sum" or (rank < 3 and kind == "l")
    ],
    **{
        f"unsorted_segment_{how}": [
            _row({"num_segments": slopes.OPEN}, "ab"[:rank], "a", kinds="f" + kind)
            for rank, kind in itertools.product((1, 2), "il")
        ]
        for how in ("sum", "mean")
    },
    "concat": [
        _row({"axis": axis}, *words)
        for axis, *words in [
            (0, "a", "b"),
            (-1, "a", "b"),
            (0, "ac", "bc"),
            (1, "ca", "cb"),
            (-1, "ca", "cb"),
            (-1, "cda", "cdb"),
        ]
    ],
    "stack": [_row({"axis": 0}, "ab"[:rank], "ab"[:rank]) for rank in range(3)],
    "expand_dims": [_row({"axis": axis}, "abc"[:rank]) for rank in range(4) for axis in (0, 1, -1) if axis <= rank],
    "cumsum": [_row({"axis": axis}, "ab"[:rank]) for axis, rank in [(0, 1), (0, 2), (1, 2)]],
    "reshape": [(None, [{"sizes": (1, -1)}, {"sizes": (-1, 1, 1)}], ("abcd"[:rank],), "f") for rank in range(5)],
    "transpose": [({"perm": None}, [{"perm": None}], ("abc"[:rank],), "f") for rank in range(4)],
    "identity": [({}, [{}], ("abcd"[:rank],), "f") for rank in range(5)],
}


def derive() -> dict[str, list[dict[str, Any]]]:
    """The content of the file."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in sorted(registry):
        op = registry[name]
        if not op.kernel.__module__.startswith(("tensorsmith.ops.", "tensorsmith.structures.")):
            continue
        found = [*_elementwise(op), *_shaped(op)]
        if found:
            rows[name] = found
    return rows


def text(rows: dict[str, list[dict[str, Any]]]) -> str:
    """The file: one line a row."""
    lines = [
        f"{json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(row) for row in found) + "\n]"
        for name, found in rows.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


# ---- elementwise operations


def _elementwise(op: Op) -> list[dict[str, Any]]:
    plain = op.plain and op.differentiable and not op.eager and "f" in op.kinds
    simple = all(value is None or isinstance(value, (bool, int, float, str)) for value in op.settings.values())
    if not plain or not simple:
        return []
    rows = []
    for kinds in itertools.product("fb", repeat=len(op.arrays)):
        if "f" not in kinds or ("b" in kinds and op.same is True):
            continue
        row = _derived(op, dict(op.settings), "".join(kinds), [()] * len(kinds))
        if row is not None:
            row = {**row, "ranks": None, "steps": [[*step[:4], None] for step in row["steps"]]}
            if _holds(op, row):
                rows.append(row)
    return rows


def _holds(op: Op, row: dict[str, Any]) -> bool:
    """Whether a derivative found on scalars is that of arrays."""
    rng = np.random.default_rng(0)
    shape = (4, 3)
    for dtype in slopes.FLOATS:
        arrays = [
            rng.uniform(0.1, 0.9, shape).astype(dtype) if k == "f" else rng.random(shape) < 0.5 for k in row["kinds"]
        ]
        try:
            made = np.asarray(op.kernel(np, *arrays, **op.settings))
        except (ValueError, TypeError, IndexError):
            return False
        if made.shape != shape or made.dtype != dtype:
            return False
        flow = rng.normal(size=shape).astype(dtype)
        expected = of_arrays(op, op.settings, arrays, flow)
        found = of_row(row, op.settings, arrays, flow)
        if not all(np.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in zip(found, expected, strict=True)):
            return False
    return True


def of_arrays(op: Op, settings: dict, arrays: list[Any], flow: Any) -> list[Any]:
    """JAX's derivative for these very shapes, by the floats among the arrays."""
    jax = execute.jax()
    call = call_of(op, settings, _specs(arrays))
    every = [*arrays, flow]
    # its primitives run on NumPy: XLA would compile every one of them for every shape
    small = Small(traced(call.backward(jax.numpy, jax), _specs(every), jax), math.inf)
    return small(*[every[at] for at in small.inputs])


def of_row(row: dict[str, Any], settings: dict, arrays: list[Any], flow: Any) -> list[Any]:
    """The same by a row of the file."""
    wanted = [at for at, a in enumerate(arrays) if a.dtype.kind == "f"]
    small = Small(slopes.listing(row, settings, _specs(arrays), _specs([flow]), wanted), math.inf)
    every = [*arrays, flow]
    return small(*[every[at] for at in small.inputs])


def _specs(arrays: Any) -> list[Any]:
    return [(a.shape, a.dtype) for a in arrays]


# ---- operations on shapes


def shaped(op: Op) -> list[Shaped]:
    """The rows of an operation in `SHAPED`, with all its settings."""
    defaults = {key: value for key, value in op.settings.items() if value is not REQUIRED}
    return [
        (None if settings is None else {**defaults, **settings}, [{**defaults, **s} for s in samples], words, kinds)
        for settings, samples, words, kinds in SHAPED.get(op.name, ())
    ]


def _shaped(op: Op) -> list[dict[str, Any]]:
    rows = []
    for settings, samples, letters, kinds in shaped(op):
        # one name, as no settings of these have two numbers
        opens = [((key,), "any") for key, value in (settings or {}).items() if value == slopes.OPEN]
        found = [_derived(op, sample, kinds, [tuple(word) for word in letters], opens) for sample in samples]
        if found[0] is None or any(row is None or row["steps"] != found[0]["steps"] for row in found):
            raise ValueError(f"{op.name} of {letters} has no derivative that holds for all sizes.")
        rows.append({**found[0], "settings": settings, "ranks": [len(word) for word in letters]})
    return rows


# ---- one derivation


def call_of(op: Op, settings: dict, taken: Any, given: Any = ()) -> Call:
    """A call of the operation on arrays of these shapes and dtypes, by all floats among them."""
    lists = [name in op.lists for name in op.arrays]
    # a list that comes last takes sizes, of which all are settings here; any other takes all arrays
    last = len(taken) - sum(not many for many in lists)
    groups = tuple([None if not many else max(last, 0) for many in lists])
    wanted = tuple([at for at, (_, dtype) in enumerate(taken) if dtype.kind == "f"])
    return Call(op, settings, groups, (False,) * len(groups), tuple(taken), tuple(given), wanted, (0,))


def _derived(op: Op, settings: dict, kinds: str, sizes: list[Any], opens: Any = ()) -> dict[str, Any] | None:
    """A row that holds for all sizes, found in two dtypes; None where there is none."""
    found = []
    for dtype in slopes.FLOATS:
        letters = {"f": dtype, **slopes.LETTERS}
        words = {own: letter for letter, own in letters.items()}
        # any sizes will do for the arrays: what is found knows none
        taken = [(tuple([3 if type(n) is str else n for n in shape]), letters[k]) for shape, k in zip(sizes, kinds)]
        try:
            out = np.asarray(_result(op, settings, taken))
            if out.dtype != dtype:
                return None
            call = call_of(op, settings, taken, [(out.shape, dtype)])
            row = opened.derived(call, tuple(sizes), opens, words.__getitem__)
            Small(slopes.listing(row, settings, taken, call.given, call.wanted), math.inf)
        except (*execute.REFUSED, ArithmeticError, NotSmall, KeyError):
            return None
        if any(isinstance(atom, list) and isinstance(atom[1], np.ndarray) for step in row["steps"] for atom in step[2]):
            return None
        found.append(row)
    try:
        row = _unified(*found)
    except _Differs:
        return None
    return {"settings": settings, "kinds": kinds, **row}


def _result(op: Op, settings: dict, taken: Any) -> Any:
    arrays = [np.zeros(*spec) if spec[1].kind != "f" else np.full(spec[0], 0.5, spec[1]) for spec in taken]
    with np.errstate(all="ignore"):
        return op.kernel(np, *call_of(op, settings, taken).packed(arrays), **settings)


class _Differs(Exception):
    pass


def _unified(a: Any, b: Any) -> Any:
    """What two derivations have in common, with the numbers of the second, which is in float64."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [_unified(x, y) for x, y in zip(a, b)]
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return {key: _unified(a[key], b[key]) for key in a}
    if type(a) is not type(b):
        raise _Differs
    if a == b or (type(a) is float and np.array_equal(*np.array([a, b], "float32"), equal_nan=True)):
        return b
    raise _Differs


def main() -> None:
    """Writes the file."""
    import importlib
    import pkgutil

    import tensorsmith

    for module in pkgutil.walk_packages(tensorsmith.__path__, "tensorsmith."):
        if module.name.startswith(("tensorsmith.ops.", "tensorsmith.structures.")):
            importlib.import_module(module.name)
    slopes.FILE.write_text(text(derive()))


if __name__ == "__main__":
    main()
