"""The loop of built-in cells as one function: what an open tape hears of, in the place of every step."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_not
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.specs import TensorSpec
from tensorsmith.function.concrete import ConcreteFunction
from tensorsmith.function.function import function, functions_run_eagerly
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local


class RecordedLoops:
    """The loops of one layer as traced functions, kept beside it while the settings of its cell are what they were.

    A tape that heard of each step would compile its derivative with all steps side by side: 50 steps of an LSTM took
    16 s. As a function the loop is one operation, whose derivative is a loop again (0.5 s). Sizes of batch and time are
    not known to it, so a layer is traced once.
    """

    def __init__(self) -> None:
        self._forms: dict[Any, ConcreteFunction] = {}
        self._was: list[Any] = []

    def __call__(self, layer: Any, body: Callable[..., Any], given: dict[str, Any], key: Any) -> Any:
        """What `body(given)` gives.

        given  nested tensors by what they are: "sequences" and "mask" begin with the axes T and B, all others with B.
        key    tells bodies apart that differ otherwise.
        """
        now = list(_settings(layer.cell))
        if len(now) != len(self._was) or any(map(is_not, now, self._was)):
            self._forms.clear()
            self._was = now
        tensors = [t for t in nest.flatten(given) if t is not None]
        specs = [
            TensorSpec((None,) * axes + tuple(t.shape)[axes:], t.dtype) for t, axes in zip(tensors, _open_axes(given))
        ]
        key = key, tuple(specs)
        found = self._forms.get(key)
        if found is None:
            found = self._forms[key] = _traced(body, given, specs)
        if found.misses():
            # the settings hold a tensor that a tape watches
            return body(given)
        return found.run(tensors)

    def __reduce__(self) -> Any:
        # a copy of the layer, or one read from a file, traces by itself
        return RecordedLoops, ()


# from so many steps on a loop over ragged rows, whose lengths are rounded up, is worth a compile (0.2 s) without a tape
_LONG = 32


def is_recorded(layer: Any, given: dict[str, Any], ragged: bool) -> bool:
    """Whether the loop is to be one function now: under a tape, at once, for cells of this package.

    A user's cell may print and look at values, and runs step by step as it does in TensorFlow. Without a tape single
    operations give the same in the time of a compile (5 to 20 ms for 50 to 200 steps), whatever the number of steps is.
    """
    if _local.graph is not None or functions_run_eagerly():
        return False
    if not _local.tapes and not (ragged and nest.flatten(given["sequences"])[0].shape[0] >= _LONG):
        return False
    return _is_own(layer.cell) and not any(isinstance(t, Symbol) for t in nest.flatten(given))


def _is_own(cell: Any) -> bool:
    return type(cell).__module__.startswith("tensorsmith.") and all(map(_is_own, getattr(cell, "cells", ())))


def _settings(cell: Any) -> Any:
    """All that the steps of a cell read, by identity."""
    for name, value in vars(cell).items():
        if not name.startswith("_"):
            yield value
    for inner in getattr(cell, "cells", ()):
        yield from _settings(inner)


def _open_axes(given: dict[str, Any]) -> list[int]:
    """How many axes of each tensor have sizes that differ from call to call."""
    axes = {name: 2 if name in ("sequences", "mask") else 1 for name in given}
    leaves = {name: nest.flatten(value) for name, value in given.items()}
    return [axes[name] for name in nest.sorted_keys(given) for leaf in leaves[name] if leaf is not None]


def _traced(body: Callable[..., Any], given: dict[str, Any], specs: list[TensorSpec]) -> ConcreteFunction:
    def loop(*tensors: Tensor) -> Any:
        rest = iter(tensors)
        return body(nest.map_structure(lambda t: None if t is None else next(rest), given))

    return function(loop, autograph=False).get_concrete_function(*specs)
