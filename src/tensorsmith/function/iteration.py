"""What a for loop in a program runs over: the rows of tensors, counted ranges, and zip, enumerate, reversed, map of them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.composites import is_composite
from tensorsmith.function.control_flow import is_open
from tensorsmith.function.folding import map_fn
from tensorsmith.function.rounds import Rounds, Series, flat, rounds_of, zipped
from tensorsmith.ops.sorting import argsort, sort
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor


def rounds(items: Any) -> Rounds | Series | None:
    """How a loop of the program being traced runs over a value; None for what Python iterates over itself.

    Tensors and datasets are looped over while a program is traced; a scalar raises TypeError.
    """
    if context.executing_eagerly():
        return None
    if hasattr(type(items), "_read"):
        items = items._read()
    if isinstance(items, Tensor):
        return of_tensor(items)
    tell = getattr(type(items), "_rounds", None)
    return None if tell is None else tell(items)


def of_tensor(items: Tensor) -> Rounds:
    """The rows of a tensor; a range is counted, never made."""
    if items.ndim == 0:
        raise TypeError(f"Cannot iterate over a scalar tensor: {items!r}. Did you mean tf.range(...)?")
    bounds = _bounds(items) if isinstance(items, Symbol) else None
    if bounds is None:
        size = items.shape[0]
        count = size if size is not None else functions["shape"](items)[0]
        return Rounds(count, lambda number: functions["gather"](items, number))
    start, limit, step = bounds
    # rounded up, by the floor of the negative
    steps = functions["cast"](-((start - limit) // step), "int32")
    count = items.shape[0]
    if count is None:
        count = functions["maximum"](steps, 0)
    return Rounds(count, lambda number: start + functions["cast"](number, start.dtype) * step)


def _bounds(items: Symbol) -> tuple[Tensor, Tensor, Tensor] | None:
    """Start, limit and step of a symbol that tf.range made; None for another."""
    graph = items._graph
    node = next((n for n in reversed(graph.program.nodes) if items._id in n.outputs), None)
    if node is None or node.op.name != "range":
        return None
    found = []
    for number in node.inputs:
        if number in graph.program.constants:
            found.append(Tensor(graph.program.constants[number]))
        else:
            shape, dtype = graph.program.specs[number]
            found.append(Symbol(graph, number, shape, dtype))
    return tuple(found)  # type: ignore[return-value]


# ---- Python's own functions over what a program runs over


def zip_(*parts: Any, strict: bool = False) -> Any:
    """zip: as many rounds as the shortest part has; Python's own where no part is a tensor or dataset."""
    found = [rounds(part) for part in parts]
    if not any(r is not None for r in found):
        return builtins.zip(*parts, strict=strict)
    every = [_among_tensors(part) if r is None else r for part, r in zip(parts, found)]
    if any(r is None for r in every):
        # an iterator cannot be asked for row i: Python runs over all parts, as far as they go
        return builtins.zip(*[part if r is None else iter(r) for part, r in zip(parts, found)], strict=strict)
    counts = [rounds_of(r) for r in every]
    if strict and not any(map(is_open, counts)) and len(set(counts)) > 1:
        raise ValueError(f"zip(strict=True): the parts have {', '.join(map(str, counts))} rows.")
    return zipped(every)


def _among_tensors(part: Any) -> Rounds | None:
    """A list of numbers, or a range, beside tensors; None for what has no tensor of its rows."""
    if isinstance(part, range):
        return of_tensor(convert(np.arange(part.start, part.stop, part.step, dtype=np.int32)))
    if isinstance(part, (list, tuple, np.ndarray)) and len(part):
        try:
            return of_tensor(convert(part))
        except (TypeError, ValueError):
            return None
    return None


def enumerate_(items: Any, start: Any = 0) -> Any:
    """enumerate: (number, value) pairs; Python's own over Python's iterables."""
    found = rounds(items)
    if found is None:
        if is_open(start):
            return ((start + number, value) for number, value in builtins.enumerate(items))
        return builtins.enumerate(items, int(start) if isinstance(start, Tensor) else start)
    return found.numbered(start)


def reversed_(items: Any) -> Any:
    """reversed: the last row first."""
    found = rounds(items)
    if found is None:
        return builtins.reversed(items)
    runs = [
        Rounds(run.count, lambda number, run=run: run.item(run.count - 1 - number))
        for run in reversed(flat(found, "reversed"))
    ]
    return runs[0] if len(runs) == 1 else Series(runs)


def map_(function: Callable[..., Any], first: Any, *rest: Any) -> Any:
    """map: the function's results, one for each row."""
    found = zip_(first, *rest) if rest else rounds(first)
    if not isinstance(found, (Rounds, Series)):
        return builtins.map(function, first, *rest)
    return found.mapped((lambda values: function(*values)) if rest else function)


def filter_(function: Callable[[Any], Any] | None, items: Any) -> Any:
    """filter: the rows for which the function says so."""
    found = rounds(items)
    if found is None:
        return builtins.filter(function, items)
    keep = function if function is not None else lambda value: value
    runs: list[Any] = [Rounds(run.count, run.item, keep) for run in flat(found, "filter")]
    return runs[0] if len(runs) == 1 else Series(runs)


# ---- what takes all rows at once


def _whole(items: Any) -> Any:
    """A tensor whose rows are asked for, of a symbol or of a list that holds some; None for Python's own."""
    if is_open(items) or hasattr(type(items), "_listed"):
        return convert(items)
    if isinstance(items, (list, tuple)) and any(map(is_open, items)):
        return functions["stack"](list(items))
    return None


def any_(items: Any) -> Any:
    """any: whether one is true."""
    return _folded(items, "logical_or", builtins.any, True)


def all_(items: Any) -> Any:
    """all: whether each is true."""
    return _folded(items, "logical_and", builtins.all, False)


def _folded(items: Any, name: str, plain: Callable[[Any], bool], settles: bool) -> Any:
    if is_open(items) or hasattr(type(items), "_listed"):
        return functions["reduce_any" if settles else "reduce_all"](items, axis=0)
    if context.executing_eagerly() or isinstance(items, Tensor) or is_composite(items):
        return plain(items)
    result: Any = not settles
    for item in items:
        if is_open(item) or is_open(result):
            result = functions[name](item, result)
        elif bool(item) is settles:
            return settles
    return result


def sum_(items: Any, start: Any = 0) -> Any:
    """sum: along the first axis of a tensor."""
    if not (is_open(items) or hasattr(type(items), "_listed")):
        return builtins.sum(items, start)
    total = functions["reduce_sum"](items, axis=0)
    return total if isinstance(start, int) and start == 0 else total + start


def max_(*items: Any, **settings: Any) -> Any:
    """max: of the rows of a vector, or of several scalars."""
    return _extreme("reduce_max", builtins.max, items, settings)


def min_(*items: Any, **settings: Any) -> Any:
    """min: of the rows of a vector, or of several scalars."""
    return _extreme("reduce_min", builtins.min, items, settings)


def _extreme(name: str, plain: Callable[..., Any], items: tuple[Any, ...], settings: dict) -> Any:
    whole = None if settings else _whole(items[0] if len(items) == 1 else items)
    if whole is None:
        return plain(*items, **settings)
    if whole.ndim != 1:
        raise ValueError(
            explain(
                plain.__name__,
                "which of several rows is greater is not known",
                {"given": describe(items[0] if len(items) == 1 else list(items))},
                "it takes one vector, or scalars",
                f"Use tf.{name}.",
            )
        )
    return functions[name](whole, axis=0)


def sorted_(items: Any, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> Any:
    """sorted: the rows of a tensor in order."""
    if hasattr(type(items), "_listed"):
        items = convert(items)
    if not is_open(items):
        return builtins.sorted(items, key=key, reverse=reverse)
    direction = "DESCENDING" if reverse else "ASCENDING"
    if key is None:
        return sort(items, axis=-1, direction=direction)
    keys = map_fn(key, items)
    return functions["gather"](items, argsort(keys, axis=-1, direction=direction, stable=True))
