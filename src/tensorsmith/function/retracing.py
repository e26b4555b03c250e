"""How often a function was traced and for what: a storm of traces is told once, with the argument that changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import warn
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.signature import Key
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# up to this many traces of one function are nobody's fault: a training and a test form, a short last batch, two dtypes
LIMIT = 8


class Retraces:
    """The arguments of the last trace; warns once, in words, when there were more than LIMIT."""

    def __init__(self) -> None:
        self.count, self.told = 0, False
        self.last: dict[str, Any] = {}

    def note(self, name: str, named: list[tuple[str, Any]]) -> None:
        """A trace of the function `name` for these arguments, with the names of their parameters."""
        self.count += 1
        leaves = {path: _seen(leaf) for parameter, value in named for path, leaf in _leaves(parameter, value)}
        if self.count > LIMIT and not self.told:
            self.told = True
            warn(self._text(name, leaves))
        self.last = leaves

    def _text(self, name: str, leaves: dict[str, Any]) -> str:
        start = f"{name}: traced {self.count} times, which takes longer than running it"
        for path, (key, text, kind) in leaves.items():
            before = self.last.get(path)
            if before is None or before[0] != key:
                was = f"the argument {path!r} is {text} now" + (f" and was {before[1]} before" if before else "")
                return f"{start}; {was}. {_REMEDIES[kind].format(path=path, **_details(key, kind))}"
        gone = [path for path in self.last if path not in leaves]
        return f"{start}; the arguments nest in another way each time" + (f" ({gone[0]!r} is gone)." if gone else ".")


_REMEDIES = {
    "shape": "Sizes that change: tf.function(reduce_retracing=True), or input_signature=[tf.TensorSpec({sizes}, "
    "tf.{dtype})].",
    "number": "Each Python number is a trace of its own: pass a tensor, tf.constant({path}).",
    "value": "Each value is a trace of its own: pass a tensor where it is data.",
    "object": "Each object is a trace of its own: make it once, outside of the loop that calls the function.",
}


def _details(key: Any, kind: str) -> dict[str, Any]:
    return {"sizes": [None] * len(key[1]), "dtype": key[0]} if kind == "shape" else {}


def _leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key in nest.sorted_keys(value) for leaf in _leaves(f"{path}[{key!r}]", value[key])]
    if nest.is_nested(value):
        return [leaf for at, part in enumerate(nest.parts(value)) for leaf in _leaves(f"{path}[{at}]", part)]
    return [(path, value)]


def _seen(leaf: Any) -> tuple[Any, str, str]:
    """What a leaf was: what it is told apart by, how it reads, and of which kind it is."""
    if isinstance(leaf, (Tensor, TensorSpec, np.ndarray, np.generic)):
        tensor = leaf if isinstance(leaf, (Tensor, TensorSpec)) else convert(leaf)
        return (tensor.dtype.name, TensorShape(tensor.shape)), f"a tensor {describe(tensor)}", "shape"
    key = Key(leaf).key
    if isinstance(leaf, (int, float, complex)):
        return key, f"the Python number {leaf!r}", "number"
    if leaf is None or isinstance(leaf, (str, bytes)):
        return key, describe(leaf), "value"
    return key, f"the {type(leaf).__name__} {describe(leaf)}", "object"
