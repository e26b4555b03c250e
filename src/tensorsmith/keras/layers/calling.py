"""What happens around `call`: inputs become tensors, are cast; the training flag; the note on errors."""

from __future__ import annotations

import inspect
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.dtypes import DType
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.ops.casting import cast
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class CallContext(threading.local):
    """The call that is under way on this thread.

    depth     how many layers are inside each other.
    training  the flag given to the outermost call that had one.
    number    which outermost call it is; what `add_loss` was given in another one does not count.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.training: bool | None = None
        self.number = 0

    def begin(self) -> None:
        """A new outermost call."""
        self.number = next(_numbers)


_numbers = itertools.count(1)


current = CallContext()


class Accepted:
    """What a layer's `call` takes.

    names     its arguments, without self, in order.
    training, mask   whether they are among them.
    masks     the arguments that have a mask of their own: (place, "query", "query_mask").
    """

    __slots__ = ("mask", "masks", "names", "training")

    def __init__(self, call: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(call).parameters.values())[1:]
        self.names = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
        self.training, self.mask = "training" in self.names, "mask" in self.names
        own = [(at, name, f"{name}_mask") for at, name in enumerate(self.names)]
        self.masks = tuple([one for one in own if one[2] in self.names])

    def by_name(self, args: tuple, kwargs: dict) -> tuple:
        """The arguments up to the first that is `training` or a mask; it and those behind it go to `kwargs` by name."""
        for at, name in enumerate(self.names[: len(args)]):
            if at and (name in ("training", "mask") or name.endswith("_mask")):
                kwargs.update(zip(self.names[at:], args[at:], strict=False))
                return args[:at]
        return args


def accepted(cls: type) -> Accepted:
    """What the `call` of a class of layers takes."""
    found = _accepted.get(cls.call)
    if found is None:
        found = _accepted[cls.call] = Accepted(cls.call)
    return found


_accepted: dict[Any, Accepted] = {}


def require_constructed(layer: Any) -> None:
    """RuntimeError when a subclass's constructor never reached that of Layer."""
    if "name" not in layer.__dict__:
        kind = type(layer).__name__
        raise RuntimeError(
            f"{kind}.__init__() did not call super().__init__(): write `super().__init__(**kwargs)` in it."
        )


def to_tensors(value: Any, dtype: DType | None, numbers: bool = True) -> Any:
    """Arrays in a nested argument become tensors; floats are cast to `dtype` (None: kept).

    numbers  whether plain numbers, and lists of them, become tensors as well.
    """
    if isinstance(value, (Tensor, RaggedTensor, SparseTensor)):
        return _cast(value, dtype)
    if type(value) is np.ndarray:
        return _cast(convert(value), dtype)
    if value is None or isinstance(value, (bool, str, bytes)):
        return value
    if isinstance(value, (list, tuple)) and not isinstance(value, TensorShape):
        if numbers and value and all(_is_number(leaf) for leaf in nest.flatten(value)):
            return _cast(convert(value), dtype)
        return nest.like(value, [to_tensors(part, dtype, numbers) for part in value])
    if isinstance(value, dict):
        return nest.rebuilt(value, lambda part: to_tensors(part, dtype, numbers))
    if isinstance(value, (int, float)) and not isinstance(value, np.generic):
        return _cast(convert(value), dtype) if numbers else value
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "_read") or hasattr(value, "__array__"):
        return _cast(convert(value), dtype)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.generic)) and not isinstance(value, bool)


def _cast(tensor: Any, dtype: DType | None) -> Any:
    if dtype is not None and tensor.dtype is not dtype and tensor.dtype.is_floating:
        return cast_with_mask(tensor, dtype)
    return tensor


def cast_with_mask(tensor: Any, dtype: DType) -> Any:
    """The tensor in another dtype, with the mask that it had."""
    made = cast(tensor, dtype)
    if getattr(tensor, "_keras_mask", None) is not None:
        made._keras_mask = tensor._keras_mask
    return made


def shapes_of(value: Any) -> Any:
    """The TensorShape of each tensor in a nested value, in its form; None for other leaves."""
    return nest.map_structure(lambda leaf: TensorShape(leaf.shape) if hasattr(leaf, "shape") else None, value)


def add_note(error: BaseException, layer: Any, inputs: Any) -> None:
    """Says on an error which layer failed on what; the error itself is left as it was."""
    noted = f"in {layer.name!r} ({type(layer).__name__}), given {describe(inputs)}"
    if noted not in getattr(error, "__notes__", ()):
        error.add_note(noted)
