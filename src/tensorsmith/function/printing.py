"""tf.print: what it writes, where, and when: at once, or each time the program runs that is being traced."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.composites import Form, is_composite, split
from tensorsmith.function.texts import element, elements
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
    text = sep.join([_shown(value, edge, len(inputs) == 1) for value in inputs]) + end
    # bytes that are no text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _shown(value: Any, edge: int, alone: bool) -> str:
    """One argument: a text as it is, in a nested value as Python shows it; one in a tensor is quoted unless it stands alone."""
    if alone and isinstance(value, Tensor) and isinstance(value._array, np.ndarray) and not value._array.ndim:
        item = value._array[()]
        if isinstance(item, bytes):
            return item.decode("utf-8", "surrogateescape")
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
    if isinstance(rows, bytes):
        return "'" + re.sub(r"(['\\])", r"\\\1", rows.decode("utf-8", "surrogateescape")) + "'"
    if not isinstance(rows, list):
        return f"{rows:f}" if isinstance(rows, float) else element(rows)
    parts = [_ragged(row, edge) for row in rows]
    if edge >= 0 and len(parts) > 2 * edge:
        parts = [*parts[:edge], "...", *parts[len(parts) - edge :]]
    return f"[{', '.join(parts)}]"


class _Bare(str):
    __slots__ = ()

    __repr__ = str.__str__
