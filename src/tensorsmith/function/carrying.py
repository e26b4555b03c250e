"""The values that a loop carries from round to round: their specs are found by tracing the body until they settle."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.function.composites import is_composite, is_tensor
from tensorsmith.function.merging import NUMBER, Slot, Undefined, Whole, fill, late_parts, same_plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Carry:
    """One tensor that a loop carries.

    first  its value before the loop.
    given  the Python number that it began as; None for a tensor: a number follows the dtype of the body.
    shape  static, None where it changes.
    late   True where `first` is a stand-in that takes the body's shape.
    kept   True where the shape was told, and a body that gives another is refused.
    """

    __slots__ = ("first", "given", "kept", "late", "name", "shape")

    def __init__(self, first: Tensor, name: str, given: Any = None, late: bool = False) -> None:
        self.first, self.name, self.given, self.late, self.kept = first, name, given, late, False
        self.shape: tuple[int | None, ...] = tuple(first.shape)


class Carried:
    """All that a loop carries, in the nested form in which the body takes it."""

    def __init__(self, values: list[Any], names: list[str], shapes: Any = None) -> None:
        self.carries: list[Carry] = []
        self.structure = [self._enter(value, name) for value, name in zip(values, names)]
        self.names = names
        for carry, shape in zip(self.carries, shapes or []):
            if shape is not None:
                self._keep(carry, TensorShape(shape))

    def _keep(self, carry: Carry, shape: TensorShape) -> None:
        if shape.rank is None:
            return
        if not shape.is_compatible_with(carry.shape):
            raise ValueError(
                explain(
                    carry.name,
                    "its first value does not fit its shape invariant",
                    {"first": describe(carry.first), "shape_invariant": shape},
                    "",
                    "Put None where the size changes.",
                )
            )
        carry.shape, carry.kept = tuple(shape), True

    def extended(self, value: Tensor, name: str) -> Carried:
        """The same with one tensor more behind."""
        whole = object.__new__(Carried)
        whole.carries, whole.names = list(self.carries), [*self.names, name]
        whole.structure = [*self.structure, whole._slot(Carry(value, name))]
        return whole

    def _enter(self, value: Any, name: str) -> Any:
        if nest.is_nested(value):
            return nest.map_structure(lambda leaf: self._enter(leaf, name), value)
        if is_composite(value):
            return self._enter_whole(value, name)
        if is_tensor(value):
            return self._slot(Carry(convert(value), name))
        if isinstance(value, NUMBER):
            return self._slot(Carry(convert(value), name, given=value))
        return value

    def _slot(self, carry: Carry) -> Slot:
        self.carries.append(carry)
        return Slot(len(self.carries) - 1)

    def _enter_whole(self, value: Any, name: str) -> Whole:
        start, parts = len(self.carries), value._parts()
        for part, late in zip(parts, late_parts(value)):
            self._slot(Carry(part, name, late=late))
        return Whole(value, start, len(parts))

    def specs(self) -> list[Any]:
        return [(carry.shape, carry.first.dtype) for carry in self.carries]

    def pack_one(self, form: Any) -> Any:
        """A part of the structure with the first values in it."""
        return fill(form, [carry.first for carry in self.carries])

    def pack(self, tensors: list[Any]) -> list[Any]:
        return fill(self.structure, tensors)

    def late(self) -> tuple[int, ...]:
        return tuple([at for at, carry in enumerate(self.carries) if carry.late])

    def settle(self, results: list[Any]) -> list[Tensor] | None:
        """The tensors among what the body gave, in order; None when the specs had to change and it must run anew.

        Raises TypeError or ValueError, naming the variable, where the body cannot be a loop's.
        """
        self._anew = False
        outputs: list[Any] = [None] * len(self.carries)
        for at, (form, result) in enumerate(zip(self.structure, results)):
            self.structure[at] = self._compare(form, result, self.names[at], outputs)
        return None if self._anew else outputs

    def _compare(self, form: Any, result: Any, name: str, outputs: list[Any]) -> Any:
        if isinstance(form, Slot):
            outputs[form.at] = self._tensor(self.carries[form.at], result)
            return form
        if isinstance(form, Whole):
            return self._compare_whole(form, result, name, outputs)
        if nest.is_nested(form):
            return self._compare_nested(form, result, name, outputs)
        if isinstance(form, Undefined) and not isinstance(result, Undefined):
            return self._discovered(result, name)
        if isinstance(form, Undefined) or same_plain(form, result):
            return form
        raise TypeError(
            explain(
                name,
                "a loop changes it from round to round, and it is no tensor",
                {"before": form, "after": describe(result)},
                "only tensors change in a loop that runs as part of a program",
                "Begin with a tensor: tf.constant(...).",
            )
        )

    def _compare_nested(self, form: Any, result: Any, name: str, outputs: list[Any]) -> Any:
        if (
            not nest.is_nested(result)
            or len(nest.parts(form)) != len(nest.parts(result))
            or isinstance(form, dict)
            and set(form) != set(result)
        ):
            raise ValueError(
                explain(
                    name,
                    "its structure changes from round to round",
                    {"before": describe(self.pack_one(form)), "after": describe(result)},
                    "a loop that runs as part of a program keeps the form of what it carries",
                )
            )
        keys = nest.sorted_keys(form) if isinstance(form, dict) else range(len(nest.parts(form)))
        rows = zip(keys, nest.parts(form), nest.parts(result))
        parts = [self._compare(mine, its, f"{name}[{key!r}]", outputs) for key, mine, its in rows]
        return nest.like(form, dict(zip(keys, parts)) if isinstance(form, dict) else parts)

    def _compare_whole(self, form: Whole, result: Any, name: str, outputs: list[Any]) -> Whole:
        if type(result) is not type(form.template) or len(result._parts()) != form.count:
            raise TypeError(
                explain(
                    name,
                    "its kind changes from round to round",
                    {"before": type(form.template).__name__, "after": describe(result)},
                )
            )
        for at, part in enumerate(result._parts(), form.start):
            outputs[at] = self._tensor(self.carries[at], part)
        static = getattr(form.template, "_static", None)
        if static is not None and static() != result._static():
            self._anew = True
            merged = form.template._merged(result) if hasattr(result, "_merged") else result
            return Whole(merged, form.start, form.count)
        return form

    def _tensor(self, carry: Carry, result: Any) -> Tensor:
        dtype = carry.first.dtype
        if not (is_tensor(result) or isinstance(result, NUMBER)):
            raise TypeError(
                explain(
                    carry.name,
                    "it is a tensor before a round of the loop and none after it",
                    {"after": describe(result)},
                )
            )
        if (
            carry.given is not None
            and not is_tensor(result)
            and isinstance(result, (float, np.floating))
            and not dtype.is_floating
        ):
            value = convert(result)
        else:
            value = convert(result) if is_tensor(result) else convert(result, None, dtype.numpy_dtype)
        if value.dtype is not dtype:
            if carry.given is None:
                raise TypeError(
                    explain(
                        carry.name,
                        "its dtype changes from round to round",
                        {"before": dtype.name, "after": value.dtype.name},
                        "",
                        f"Convert it: tf.cast(value, tf.{dtype.name}).",
                    )
                )
            carry.first = convert(carry.given, None, value.dtype.numpy_dtype)
            if carry.first.dtype is not value.dtype:
                raise TypeError(
                    explain(
                        carry.name,
                        "its dtype changes from round to round",
                        {"before": dtype.name, "after": value.dtype.name},
                        "",
                        f"Convert it: tf.cast(value, tf.{dtype.name}).",
                    )
                )
            self._anew = True
            return value
        self._reshape(carry, value)
        return value

    def _reshape(self, carry: Carry, value: Tensor) -> None:
        """Takes over what the body changes in a shape; ValueError where that may not be."""
        shape, before = tuple(value.shape), carry.shape
        if shape == before:
            return
        if carry.kept:
            if len(shape) != len(before) or any(b is not None and a != b for a, b in zip(shape, before)):
                raise ValueError(
                    explain(
                        carry.name,
                        "its shape after a round does not fit its shape invariant",
                        {"before": f"{value.dtype.name}{before}", "after": describe(value)},
                        "",
                        "Put None where the size changes, or give it a fixed shape with tf.ensure_shape.",
                    )
                )
            return
        if len(shape) != len(before):
            if not carry.late:
                raise ValueError(
                    explain(
                        carry.name,
                        "its rank changes from round to round",
                        {"before": f"{value.dtype.name}{before}", "after": describe(value)},
                        "a round of a loop may change sizes, not the number of axes",
                        "Use tf.reshape, or write the values to a tf.TensorArray.",
                    )
                )
            wanted = shape
        elif carry.late and 0 in before and 0 not in shape:
            wanted = shape
        else:
            wanted = tuple([x if x == y else None for x, y in zip(before, shape)])
        if wanted != before:
            carry.shape, self._anew = wanted, True

    def _discovered(self, result: Any, name: str) -> Any:
        """A variable that the body sets first: it begins as a stand-in of the same form."""
        self._anew = True

        def one(leaf: Any) -> Any:
            if is_composite(leaf) or not (is_tensor(leaf) or isinstance(leaf, NUMBER)):
                return leaf if not is_composite(leaf) else Undefined(name)
            value = convert(leaf)
            stand_in = np.zeros([size or 0 for size in value.shape], value.dtype.numpy_dtype)
            carry = Carry(Tensor(stand_in), name, late=None in tuple(value.shape))
            carry.shape = tuple(value.shape)
            return self._slot(carry)

        return nest.map_structure(one, result)
