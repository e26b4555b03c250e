"""What two branches, or two rounds of a loop, must agree on: the form, dtypes and shapes of their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.composites import is_composite, is_tensor
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

NUMBER = (bool, int, float, complex, np.ndarray, np.generic)
RETURNED = "the value returned"


class Undefined:
    """Stands for a variable that has no value yet, or has one in one branch only; using it raises UnboundLocalError."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_undefined", name)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        name = object.__getattribute__(self, "_undefined")
        raise UnboundLocalError(
            f"{name!r} may be used before it has a value: give it one in every branch, and before a loop that sets it."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._refuse()

    __call__ = __bool__ = __iter__ = __len__ = __getitem__ = __index__ = __float__ = __int__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __mod__ = __pow__ = __matmul__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse

    def __repr__(self) -> str:
        return f"<undefined {object.__getattribute__(self, '_undefined')}>"


class Slot:
    """The place of one tensor in a structure."""

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        self.at = at


class Whole:
    """The place of the parts of a ragged or sparse tensor, or a tensor array."""

    __slots__ = ("count", "start", "template")

    def __init__(self, template: Any, start: int, count: int) -> None:
        self.template, self.start, self.count = template, start, count


def fill(structure: Any, tensors: list[Any]) -> Any:
    """A structure with tensors in its slots."""

    def one(leaf: Any) -> Any:
        if isinstance(leaf, Slot):
            return tensors[leaf.at]
        if isinstance(leaf, Whole):
            return leaf.template._from_parts(tensors[leaf.start : leaf.start + leaf.count])
        return leaf

    return nest.map_structure(one, structure)


def late_parts(value: Any) -> list[bool]:
    """For each part of a composite whether its shape is still open."""
    tell = getattr(value, "_late", None)
    return [False] * len(value._parts()) if tell is None else tell()


def same_plain(a: Any, b: Any) -> bool:
    """True for two Python values that need not be told apart."""
    if a is b:
        return True
    if type(a) is not type(b) or isinstance(a, np.ndarray) or is_tensor(a):
        return False
    try:
        return bool(a == b)
    except Exception:  # an object whose == fails is simply another object
        return False


def merged_shape(a: Any, b: Any, name: str) -> tuple[int | None, ...]:
    """What two static shapes have in common; ValueError when their ranks differ."""
    if len(a) != len(b):
        raise ValueError(
            explain(
                name,
                "its rank changes",
                {"shapes": [tuple(a), tuple(b)]},
                "a branch or a round of a loop may change sizes, not the number of axes",
            )
        )
    return tuple([x if x == y else None for x, y in zip(a, b)])


class Branches:
    """The results of two branches put side by side.

    first, second  the tensors that each gives, in the order of the slots.
    late           the slots in which one of them may be a stand-in.
    """

    def __init__(self) -> None:
        self.first: list[Tensor] = []
        self.second: list[Tensor] = []
        self.late: list[int] = []

    def merge(self, a: Any, b: Any, name: str) -> Any:
        """The common structure of two values; TypeError or ValueError, naming the variable, where there is none."""
        if a is b:
            return a
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            return self._half(a, b, name)
        if nest.is_nested(a) or nest.is_nested(b):
            return self._nested(a, b, name)
        if is_composite(a) or is_composite(b):
            return self._composite(a, b, name)
        if not (is_tensor(a) or is_tensor(b)) and same_plain(a, b):
            return a
        if not all(is_tensor(v) or isinstance(v, NUMBER) for v in (a, b)):
            raise TypeError(
                explain(
                    name,
                    "it differs between the branches and is no tensor in one",
                    {"if": describe(a), "else": describe(b)},
                    "only tensors may differ where the condition is a tensor",
                )
            )
        return self._slot(*_of_one_dtype(a, b, name), name)

    def _slot(self, x: Tensor, y: Tensor, name: str, late: bool = False) -> Slot:
        if not late:
            merged_shape(x.shape, y.shape, name)
        else:
            self.late.append(len(self.first))
        self.first.append(x)
        self.second.append(y)
        return Slot(len(self.first) - 1)

    def _half(self, a: Any, b: Any, name: str) -> Any:
        """A value that only one branch has: dropped, unless it is what the function returns."""
        there = b if isinstance(a, Undefined) else a
        if isinstance(there, Undefined) or name != RETURNED:
            return Undefined(name)
        if nest.is_nested(there):
            return nest.map_structure(lambda leaf: self._half(*((a, leaf) if there is b else (leaf, b)), name), there)
        if not (is_tensor(there) or isinstance(there, NUMBER)):
            return there
        value = convert(there)
        stand_in = Tensor(np.zeros([size or 0 for size in value.shape], value.dtype.numpy_dtype))
        return self._slot(stand_in, value, name, True) if there is b else self._slot(value, stand_in, name, True)

    def _nested(self, a: Any, b: Any, name: str) -> Any:
        alike = type(a) is type(b) and len(a) == len(b)
        if not alike or isinstance(a, dict) and set(a) != set(b):
            raise TypeError(
                explain(name, "its structure differs between the branches", {"if": describe(a), "else": describe(b)})
            )
        if isinstance(a, dict):
            return {key: self.merge(a[key], b[key], f"{name}[{key!r}]") for key in a}
        parts = [self.merge(x, y, f"{name}[{at}]" if name != RETURNED else name) for at, (x, y) in enumerate(zip(a, b))]
        return nest.pack_sequence_as([None] * len(parts), parts) if isinstance(a, list) else _like(a, parts)

    def _composite(self, a: Any, b: Any, name: str) -> Any:
        if type(a) is not type(b):
            raise TypeError(
                explain(
                    name, "its kind differs between the branches", {"if": type(a).__name__, "else": type(b).__name__}
                )
            )
        first, second = a._parts(), b._parts()
        open_ = [x or y for x, y in zip(late_parts(a), late_parts(b))]
        if len(first) != len(second):
            raise TypeError(explain(name, "its number of ragged axes differs between the branches"))
        start = len(self.first)
        for x, y, late in zip(first, second, open_):
            self._slot(*_of_one_dtype(x, y, name), name, late)
        # the branch that knows more tells what is known
        return Whole(b if any(late_parts(a)) else a, start, len(first))


def _like(template: Any, parts: list[Any]) -> Any:
    return type(template)(*parts) if hasattr(template, "_fields") else tuple(parts)


def _of_one_dtype(a: Any, b: Any, name: str) -> tuple[Tensor, Tensor]:
    """Two values as tensors of one dtype: a Python number follows the other."""
    x, y = (convert(v) if is_tensor(v) else v for v in (a, b))
    if isinstance(x, Tensor) and not isinstance(y, Tensor):
        y = convert(y, None, x.dtype.numpy_dtype)
    elif isinstance(y, Tensor) and not isinstance(x, Tensor):
        x = convert(x, None, y.dtype.numpy_dtype)
    elif not isinstance(x, Tensor):
        x, y = convert(x), convert(y)
        if x.dtype.is_floating != y.dtype.is_floating:
            wide = (x if x.dtype.is_floating else y).dtype.numpy_dtype
            x, y = convert(a, None, wide), convert(b, None, wide)
    if x.dtype is not y.dtype:
        raise TypeError(
            explain(
                name,
                "its dtype differs between the branches",
                {"if": x.dtype.name, "else": y.dtype.name},
                "",
                "Convert one of them with tf.cast.",
            )
        )
    return x, y
