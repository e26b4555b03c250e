"""Derivatives of common operations as JAX derived them once, read from a data file: a first gradient needs no JAX.

`slopes.json` is written by `python -m tensorsmith.tools.derive` and never by hand. It holds, for an operation with
its settings, the primitives of the jaxpr of its `jax.vjp`: names and numbers, no code. Elementwise operations were
derived on scalars; here their primitives run on arrays, and what broadcasting stretched is summed again. Others
were derived on stand-in sizes, and say which size of which argument stands where.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tensorsmith.core.shapes import broadcast
from tensorsmith.program.op import Op, registry

FILE = Path(__file__).with_name("slopes.json")
# the dtypes that the stored derivatives hold for; JAX derives those of shorter floats in its own way
FLOATS = (np.dtype("float32"), np.dtype("float64"))
_LETTERS = {"b": np.dtype(bool), "i": np.dtype("int32")}

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
    kinds = "".join(["f" if d.kind == "f" else "b" if d.kind == "b" else "?" for d in dtypes])
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
        type(settings[key]) is type(value) and settings[key] == value for key, value in wanted.items()
    )


def listing(
    row: dict[str, Any], shapes: list[tuple[int, ...]], dtypes: list[np.dtype], out: tuple[int, ...], wanted: list[int]
) -> Listing:
    """The derivative for arrays of these shapes: takes the arguments and what flows into the result (of shape `out`).

    wanted  which of the arguments it is by.
    """
    dtype = next(d for d in dtypes if d.kind == "f")
    letters = {**_LETTERS, "f": dtype}
    shapes = [*shapes, out]
    values: list[Any] = [Value(shape, d) for shape, d in zip(shapes, [*dtypes, dtype])]
    made = Listing(list(values), [], [])

    def number(part: Any) -> Any:
        return _product([shapes[k][axis] for k, axis in part["sizes"]]) if isinstance(part, dict) else part

    def atom(part: Any) -> Any:
        if isinstance(part, int):
            return values[part]
        kind = letters[part[0]]
        return Literal(kind.type(number(part[1])), kind)

    for name, params, given, letter, shape in row["steps"]:
        arguments = [atom(part) for part in given]
        full: dict[str, Any] = {}
        for key, part in params.items():
            if key == "new_dtype":
                full[key] = letters[part]
            else:
                full[key] = _tuples(part, number)
        if shape is None:
            size = broadcast(*[a.aval.shape for a in arguments])
        else:
            size = tuple(number(part) for part in shape)
        values.append(made.apply(name, full, arguments, size, letters[letter]))
    for place in wanted:
        made.outvars.append(_as_wide(made, atom(row["outputs"][place]), shapes[place], dtype))
    return made


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


def _product(sizes: list[int]) -> int:
    """The product of sizes; 1 for none."""
    total = 1
    for size in sizes:
        total *= size
    return total
