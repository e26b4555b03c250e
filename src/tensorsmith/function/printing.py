"""tf.print: what it writes, where, and when: at once, or each time the program runs that is being traced."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.composites import Form, is_composite, split
from tensorsmith.program.calls import Call, called
from tensorsmith.program.checks import STATUS
from tensorsmith.program.op import Array, Arrays, Op, register
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.tensor import Symbol, Tensor


def _print(xp: Any, status: Array, values: Arrays, call: Any = None) -> Any:
    """The status, after the values were printed."""
    return called(xp, status, values, call)


PRINT = register(
    Op("print", _print, same=False, shapes=lambda specs, settings: [((), np.dtype(np.int32))], differentiable=False)
)


def print_(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int | None = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> None:
    """Prints values: tensors as their elements, all else as Python prints it. In a traced function each time it runs.

    inputs         tensors, also ragged and sparse, nested values, texts.
    output_stream  sys.stderr (the default), sys.stdout, another open file, or "file:///path", which is appended to.
    summarize      how many elements are shown at both ends of each axis; all for -1.
    sep, end       as those of Python's print.

    Raises ValueError for a stream of another kind.

    >>> import sys, tensorsmith as tf
    >>> tf.print("a row:", tf.range(10), output_stream=sys.stdout)
    a row: [0 1 2 ... 7 8 9]
    """
    stream = _stream(output_stream)
    edge = -1 if summarize is None else int(summarize)
    tensors, form = split(list(inputs))
    graph = context.local.graph
    if graph is None:
        if not any(isinstance(tensor, Symbol) for tensor in tensors):
            stream(_text(form, [t._array for t in tensors], edge, sep, end))
        return
    key = "print", output_stream if isinstance(output_stream, str) else id(output_stream), edge, sep, end, _key(form)

    def function(arrays: list[np.ndarray]) -> None:
        stream(_text(form, arrays, edge, sep, end))

    graph.write(STATUS, apply(PRINT, [graph.read(STATUS), tensors], {"call": Call(function, key)}))


def _key(form: Form) -> Any:
    """What tells two printed forms apart, leaves that are tensors aside."""
    leaves = tuple([repr(leaf) if count < 0 else type(leaf).__name__ for leaf, count in zip(form.leaves, form.counts)])
    shape = nest.map_structure(lambda leaf: _Bare("*"), form.structure)
    return repr(shape), leaves


def _stream(given: Any) -> Callable[[str], Any]:
    """What writes a text to an output_stream; the streams of the process are asked for anew each time."""
    if given is None or given is sys.stderr:
        return lambda text: _written(sys.stderr, text)
    if given is sys.stdout:
        return lambda text: _written(sys.stdout, text)
    if isinstance(given, str) and given.startswith("file://"):
        return lambda text: _appended(given[len("file://") :], text)
    if callable(getattr(given, "write", None)):
        return lambda text: _written(given, text)
    if callable(given):  # a logger's method
        return lambda text: given(text.rstrip("\n"))
    raise ValueError(
        explain(
            "tf.print",
            "output_stream is no stream",
            {"output_stream": describe(given)},
            "it is sys.stdout, sys.stderr, an open file, a logger's method or 'file:///path'",
        )
    )


def _written(stream: Any, text: str) -> None:
    stream.write(text)
    stream.flush()


def _appended(path: str, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


# ---- texts


def _text(form: Form, arrays: list[Any], edge: int, sep: str, end: str) -> str:
    leaves, at = [], 0
    for leaf, count in zip(form.leaves, form.counts):
        if count < 0:
            leaves.append(leaf)
        elif is_composite(leaf):
            leaves.append(leaf._from_parts([Tensor(array) for array in arrays[at : at + count]]))
        else:
            leaves.append(Tensor(arrays[at]))
        at += max(count, 0)
    inputs = nest.pack_sequence_as(form.structure, leaves)
    return sep.join([_shown(value, edge) for value in inputs]) + end


def _shown(value: Any, edge: int) -> str:
    """One argument: a text as it is, in a nested value as Python shows it."""
    if isinstance(value, Tensor) and isinstance(value._array, np.ndarray) and not value._array.ndim:
        item = value._array[()]
        if isinstance(item, bytes):
            return item.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return repr(value)
    return _inner(value, edge)


def _inner(value: Any, edge: int) -> str:
    if isinstance(value, dict):
        keys = sorted(value) if all(isinstance(key, str) for key in value) else list(value)
        return "{" + ", ".join([f"{key!r}: {_inner(value[key], edge)}" for key in keys]) + "}"
    if nest.is_nested(value):
        parts = [_inner(part, edge) for part in value]
        if hasattr(value, "_fields"):
            return f"{type(value).__name__}({', '.join(f'{n}={p}' for n, p in zip(value._fields, parts))})"
        if isinstance(value, list):
            return f"[{', '.join(parts)}]"
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if isinstance(value, Tensor):
        return elements(np.asarray(value._array), edge)
    if hasattr(value, "to_list") and is_composite(value):
        return _ragged(value.to_list(), edge)
    if is_composite(value) and hasattr(value, "dense_shape"):
        parts = [elements(np.asarray(p), edge) for p in (value.indices, value.values, value.dense_shape)]
        return "'SparseTensor(indices={}, values={}, shape={})'".format(*parts)
    return repr(value)


def _ragged(rows: Any, edge: int) -> str:
    if not isinstance(rows, list):
        return f"'{rows.decode('utf-8', 'replace')}'" if isinstance(rows, bytes) else element(np.asarray(rows)[()])
    parts = [_ragged(row, edge) for row in rows]
    if edge >= 0 and len(parts) > 2 * edge:
        parts = [*parts[:edge], "...", *parts[len(parts) - edge :]]
    return f"[{', '.join(parts)}]"


def elements(array: np.ndarray, edge: int) -> str:
    """An array's elements: `edge` of them at both ends of each axis, all for -1.

    >>> print(elements(np.arange(6.0).reshape(3, 2) / 4, 1))
    [[0 0.25]
     ...
     [1 1.25]]
    """
    if not array.ndim:
        return element(array[()], quoted=True)
    return _block(array, edge, 0)


def _block(array: np.ndarray, edge: int, depth: int) -> str:
    rows: list[Any] = list(range(len(array)))
    if edge >= 0 and len(rows) > 2 * edge:
        rows = [*rows[:edge], None, *rows[len(rows) - edge :]]
    if array.ndim == 1:
        return "[" + " ".join(["..." if at is None else element(array[at], quoted=True) for at in rows]) + "]"
    gap = "\n" * (array.ndim - 1) + " " * (depth + 1)
    return "[" + gap.join(["..." if at is None else _block(array[at], edge, depth + 1) for at in rows]) + "]"


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'"}


def element(item: Any, quoted: bool = False) -> str:
    """One element: the shortest of 6 and 9 digits (15 and 17 for float64) that reads back as the same number.

    >>> [element(np.float32(x)) for x in (1.0, 0.1, 1 / 3, 1e6)]
    ['1', '0.1', '0.333333343', '1e+06']
    """
    if isinstance(item, bytes):
        text = item.decode("utf-8", "replace")
        return '"' + "".join([_ESCAPES.get(letter, letter) for letter in text]) + '"' if quoted else text
    if isinstance(item, (bool, np.bool_)):
        return "1" if item else "0"
    if isinstance(item, (complex, np.complexfloating)):
        return f"({element(item.real)},{element(item.imag)})"
    if isinstance(item, (int, np.integer)):
        return str(int(item))
    value = float(item)
    kind = np.asarray(item).dtype
    if kind == np.float64:
        short = f"{value:.15g}"
        return short if float(short) == value else f"{value:.17g}"
    short = f"{value:.6g}"
    return short if np.float32(float(short)) == np.float32(value) or value != value else f"{value:.9g}"


class _Bare(str):
    __slots__ = ()

    __repr__ = str.__str__
