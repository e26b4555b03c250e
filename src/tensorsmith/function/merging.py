"""What branches, or two rounds of a loop, must agree on: the form, dtypes and shapes of their values."""

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
# what is a tensor to who gets it from a program
PLAIN = (*NUMBER, str, bytes)
RETURNED = "the value returned"


class Undefined:
    """Stands for a variable that has no value yet, or has one in one branch only; using it raises UnboundLocalError."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_undefined", name)

    def refuse(self, *args: Any, **kwargs: Any) -> Any:
        """Raises what using the variable raises."""
        name = object.__getattribute__(self, "_undefined")
        raise UnboundLocalError(
            f"{name!r} may be used before it has a value: give it one in every branch, and before a loop that sets it."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self.refuse()

    __call__ = __bool__ = __iter__ = __len__ = __getitem__ = __index__ = __float__ = __int__ = refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = refuse
    __floordiv__ = __mod__ = __pow__ = __matmul__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = refuse

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


class Branches:
    """The results of several branches put side by side.

    labels  what the branches are called in messages.
    sides   for each branch the tensors that it gives, in the order of the slots.
    late    the slots in which one of them may be a stand-in.
    """

    def __init__(self, labels: list[str]) -> None:
        self.labels = labels
        self.sides: list[list[Tensor]] = [[] for _ in labels]
        self.late: list[int] = []

    def specs(self) -> list[Any]:
        """(shape, NumPy dtype) of each result: sizes that differ are None."""
        found = []
        for at, tensors in enumerate(zip(*self.sides)):
            shapes = [tuple(t.shape) for t in tensors]
            if at in self.late:
                # a stand-in has no elements
                shapes = [s for s in shapes if 0 not in s] or shapes[:1]
            shape = shapes[0]
            for other in shapes[1:]:
                shape = tuple([x if x == y else None for x, y in zip(shape, other)])
            found.append((shape, tensors[0].dtype.numpy_dtype))
        return found

    def merge(self, values: list[Any], name: str) -> Any:
        """The common structure of the values; TypeError or ValueError, naming the variable, where there is none."""
        first = values[0]
        if all(value is first for value in values):
            return first
        if any(isinstance(value, Undefined) for value in values):
            return self._half(values, name)
        if any(map(nest.is_nested, values)):
            return self._nested(values, name)
        if any(map(is_composite, values)):
            return self._composite(values, name)
        if not any(map(is_tensor, values)) and all(same_plain(first, value) for value in values):
            return first
        if not all(is_tensor(v) or isinstance(v, NUMBER) for v in values):
            raise TypeError(
                explain(
                    name,
                    "it differs between the branches and is no tensor in one",
                    self._given(values),
                    "only tensors may differ where the condition is a tensor",
                    "Give a tensor in each branch.",
                )
            )
        return self._slot(self._of_one_dtype(values, name), name)

    def _given(self, values: list[Any], tell: Any = describe) -> dict[str, str]:
        return {label: tell(value) for label, value in zip(self.labels, values)}

    def _slot(self, tensors: list[Tensor], name: str, late: bool = False) -> Slot:
        if late:
            self.late.append(len(self.sides[0]))
        elif len({len(t.shape) for t in tensors}) > 1:
            raise ValueError(
                explain(
                    name,
                    "its rank differs between the branches",
                    self._given(tensors),
                    "a branch may change sizes, not the number of axes",
                    "Use tf.reshape or tf.expand_dims in one of them.",
                )
            )
        for side, tensor in zip(self.sides, tensors):
            side.append(tensor)
        return Slot(len(self.sides[0]) - 1)

    def _half(self, values: list[Any], name: str) -> Any:
        """A value that only some branches have: dropped, unless it is what the function returns."""
        there = next((value for value in values if not isinstance(value, Undefined)), None)
        if there is None or name != RETURNED:
            return Undefined(name)
        if nest.is_nested(there):
            every = [nest.map_structure(lambda _, v=v: v, there) if isinstance(v, Undefined) else v for v in values]
            return self._nested(every, name)
        if not (is_tensor(there) or isinstance(there, NUMBER)):
            return there
        like = convert(there)
        stand_in = Tensor(np.zeros([size or 0 for size in like.shape], like.dtype.numpy_dtype))
        every = [stand_in if isinstance(value, Undefined) else value for value in values]
        return self._slot(self._of_one_dtype(every, name), name, True)

    def _nested(self, values: list[Any], name: str) -> Any:
        first = values[0]
        alike = all(type(v) is type(first) and len(nest.parts(v)) == len(nest.parts(first)) for v in values)
        if not alike or isinstance(first, dict) and any(set(value) != set(first) for value in values):
            raise TypeError(
                explain(
                    name,
                    "its structure differs between the branches",
                    self._given(values, _with_type),
                    "all branches must give the same lists, tuples and dictionaries",
                )
            )
        if isinstance(first, dict):
            return nest.like(first, {k: self.merge([v[k] for v in values], f"{name}[{k!r}]") for k in first})
        parts = [
            self.merge(list(at_one_place), f"{name}[{at}]" if name != RETURNED else name)
            for at, at_one_place in enumerate(zip(*map(nest.parts, values)))
        ]
        return nest.like(first, parts)

    def _composite(self, values: list[Any], name: str) -> Any:
        if any(type(value) is not type(values[0]) for value in values):
            raise TypeError(
                explain(
                    name,
                    "its kind differs between the branches",
                    self._given(values, lambda value: type(value).__name__),
                )
            )
        sides = [value._parts() for value in values]
        if any(len(parts) != len(sides[0]) for parts in sides):
            raise TypeError(explain(name, "its number of ragged axes differs between the branches"))
        start = len(self.sides[0])
        for parts, late in zip(zip(*sides), zip(*map(late_parts, values))):
            self._slot(self._of_one_dtype(list(parts), name), name, any(late))
        # the branch that knows more tells what is known
        known = [v for v in values if not any(late_parts(v))] or values
        whole = known[0]
        for other in known[1:] if hasattr(whole, "_merged") else []:
            whole = whole._merged(other)
        return Whole(whole, start, len(sides[0]))

    def _of_one_dtype(self, values: list[Any], name: str) -> list[Tensor]:
        """Values as tensors of one dtype: Python numbers follow the tensors, else what is widest among them."""
        tensors = [convert(value) if is_tensor(value) else value for value in values]
        like = next((t.dtype.numpy_dtype for t in tensors if isinstance(t, Tensor)), None)
        if like is None:
            numbers = [convert(value) for value in values]
            like = next((n.dtype.numpy_dtype for n in numbers if n.dtype.is_floating), None)
        tensors = [t if isinstance(t, Tensor) else convert(t, None, like) for t in tensors]
        if any(t.dtype is not tensors[0].dtype for t in tensors):
            raise TypeError(
                explain(
                    name,
                    "its dtype differs between the branches",
                    self._given(tensors, lambda tensor: tensor.dtype.name),
                    "",
                    "Convert one of them with tf.cast.",
                )
            )
        return tensors


def _with_type(value: Any) -> str:
    return f"{type(value).__name__} {describe(value)}" if nest.is_nested(value) else describe(value)
