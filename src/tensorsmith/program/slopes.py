"""Derivatives of common operations as JAX derived them once, read from a data file: a first gradient needs no JAX.

`slopes.json` is written by `python -m tensorsmith.tools.derive` and never by hand. It holds, for an operation with
its settings, the primitives of the jaxpr of its `jax.vjp`: names and numbers, no code. Elementwise operations were
derived on scalars; here their primitives run on arrays, and what broadcasting stretched is summed again. Others
were derived with their sizes left open (`program/opened.py`), and say which size of which argument stands where.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tensorsmith.core.shapes import broadcast
from tensorsmith.program.op import Op, registry

FILE = Path(__file__).with_name("slopes.json")
# the dtypes that the stored derivatives hold for; JAX derives those of shorter floats in its own way
FLOATS = (np.dtype("float32"), np.dtype("float64"))
LETTERS = {"b": np.dtype(bool), "i": np.dtype("int32"), "l": np.dtype("int64")}
# stands in the settings of a row for any number
OPEN = "$any"
_KINDS = {**{dtype: letter for letter, dtype in LETTERS.items()}, **dict.fromkeys(FLOATS, "f")}

_stored: dict[str, list[dict[str, Any]]] | None = None


class Value:
    """A value of a jaxpr: all that is known of it is shape and dtype."""

    __slots__ = ("aval",)

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.aval = SimpleNamespace(shape=shape, dtype=dtype)


class Literal(Value):
    """A number in a jaxpr."""

    __slots__ = ("val",)

    def __init__(self, value: Any, dtype: np.dtype) -> None:
        super().__init__((), dtype)
        self.val = value


class Equation:
    """One primitive with what it takes and makes."""

    __slots__ = ("invars", "outvars", "params", "primitive")

    def __init__(self, name: str, params: dict[str, Any], invars: list[Any], outvars: list[Any]) -> None:
        self.primitive, self.params = SimpleNamespace(name=name), params
        self.invars, self.outvars = invars, outvars


class Listing:
    """Equations in the form of a jaxpr."""

    constvars: tuple[Any, ...] = ()
    consts: tuple[Any, ...] = ()

    def __init__(self, invars: list[Any], outvars: list[Any], eqns: list[Equation]) -> None:
        self.invars, self.outvars, self.eqns = invars, outvars, eqns
        self.jaxpr = self

    def constant(self, array: Any) -> Value:
        """A value that is an array known now."""
        made = Value(array.shape, array.dtype)
        self.constvars, self.consts = (*self.constvars, made), (*self.consts, array)
        return made

    def apply(self, name: str, params: dict[str, Any], invars: list[Any], shape: Any, dtype: np.dtype) -> Value:
        """One more equation; the value that it makes."""
        made = Value(tuple(shape), dtype)
        self.eqns.append(Equation(name, params, invars, [made]))
        return made


def stored() -> dict[str, list[dict[str, Any]]]:
    """The rows of the file, by the operation's name."""
    global _stored
    found = _stored
    if found is None:
        found = _stored = json.loads(FILE.read_text())
    return found


def find(op: Op, settings: dict, shapes: list[tuple[int, ...]], dtypes: list[np.dtype]) -> dict[str, Any] | None:
    """The row for a call on arrays of these shapes and dtypes, None where the file has none."""
    rows = stored().get(op.name)
    if rows is None or registry.get(op.name) is not op:
        return None
    floats = {d for d in dtypes if d.kind == "f"}
    if len(floats) != 1 or not floats.issubset(FLOATS):
        return None
    kinds = "".join([_KINDS.get(d, "?") for d in dtypes])
    for row in rows:
        if row["kinds"] == kinds and _fits(row, settings, shapes):
            return row
    return None


def _fits(row: dict[str, Any], settings: dict, shapes: list[tuple[int, ...]]) -> bool:
    ranks = row["ranks"]
    if ranks is not None and ranks != [len(shape) for shape in shapes]:
        return False
    wanted = row["settings"]
    if wanted is None:
        return True
    return wanted.keys() == settings.keys() and all(
        type(settings[key]) is (int if value == OPEN else type(value)) and (value == OPEN or settings[key] == value)
        for key, value in wanted.items()
    )


def listing(row: dict[str, Any], settings: dict, taken: Any, flows: Any, wanted: Any) -> Listing:
    """The derivative for arrays of certain shapes and dtypes: takes the arguments and what flows into the results.

    settings      of the operation.
    taken, flows  shapes and dtypes of these.
    wanted        which of the arguments it is by.
    """
    known = [shape for shape, _ in taken], settings
    letters = {**LETTERS, "f": next((d for _, d in taken if d.kind == "f"), None)}
    values: list[Any] = [Value(*spec) for spec in [*taken, *flows]]
    made = Listing(list(values), [], [])

    def dtype_of(letter: str) -> np.dtype:
        return letters.get(letter) or np.dtype(letter)

    def number(part: Any) -> Any:
        return evaluated(part, known) if type(part) is dict else part

    def atom(part: Any) -> Any:
        if type(part) is int:
            return values[part]
        kind = dtype_of(part[0])
        if isinstance(part[1], np.ndarray):
            return made.constant(part[1].astype(kind, copy=False))
        return Literal(kind.type(number(part[1])), kind)

    for name, params, given, letter, shape in row["steps"]:
        arguments = [atom(part) for part in given]
        full: dict[str, Any] = {}
        for key, part in params.items():
            full[key] = dtype_of(part) if key in _DTYPES else _tuples(part, number)
        if type(letter) is list:
            outs = [Value(_tuples(own, number), dtype_of(kind)) for kind, own in zip(letter, shape)]
            made.eqns.append(Equation(name, full, arguments, outs))
            values.extend(outs)
            continue
        size = broadcast(*[a.aval.shape for a in arguments]) if shape is None else _tuples(shape, number)
        values.append(made.apply(name, full, arguments, size, dtype_of(letter)))
    for place in wanted:
        made.outvars.append(_as_wide(made, atom(row["outputs"][place]), *taken[place]))
    return made


_DTYPES = frozenset({"new_dtype", "index_dtype", "dtype"})


def _as_wide(made: Listing, value: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """A derivative in the shape of its argument: summed over the axes along which that was stretched."""
    own = value.aval.shape
    whole = broadcast(own, shape)
    if own != whole or isinstance(value, Literal):
        axes = tuple(range(len(whole) - len(own), len(whole)))
        value = made.apply("broadcast_in_dim", {"shape": whole, "broadcast_dimensions": axes}, [value], whole, dtype)
    if whole == shape:
        return value
    extra = len(whole) - len(shape)
    axes = tuple(at for at, size in enumerate(whole) if at < extra or (shape[at - extra] == 1 and size != 1))
    left = tuple(size for at, size in enumerate(whole) if at not in axes)
    value = made.apply("reduce_sum", {"axes": axes}, [value], left, dtype)
    return value if left == shape else made.apply("reshape", {"new_sizes": shape}, [value], shape, dtype)


def _tuples(part: Any, number: Any) -> Any:
    return tuple(_tuples(p, number) for p in part) if isinstance(part, list) else number(part)


_WHERE = {"size": 0, "setting": 1}
_REDUCERS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "^": lambda a, b: a**b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "max": max,
    "min": min,
}


def evaluated(part: Any, known: Any) -> Any:
    """The number that an expression of sizes stands for.

    known  the shapes of the arguments, and the settings.
    """
    if type(part) is not dict:
        return part
    ((sign, parts),) = part.items()
    if sign in _WHERE:
        found = known[_WHERE[sign]]
        for place in parts:
            found = found[place]
        return found
    left, right = parts
    return _REDUCERS[sign](evaluated(left, known), evaluated(right, known))
