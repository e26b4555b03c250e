"""The cache key of a call: specs of tensors, values of all else."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.composites import is_composite
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Key:
    """What a call of a traced function was given: `key` hashable, `tensors` in order, `keep` what must outlive the key."""

    __slots__ = ("keep", "key", "tensors")

    def __init__(self, arguments: Any) -> None:
        self.tensors: list[Tensor] = []
        self.keep: list[Any] = []
        self.key = self._of(arguments)

    def _of(self, value: Any) -> Any:
        kind = type(value)
        if kind is Tensor or isinstance(value, Tensor):
            self.tensors.append(value)
            return value.dtype.name, value.shape
        if value is None or kind in (bool, int, str, bytes):
            return kind, value
        if kind in (float, complex):
            return kind, repr(value)  # NaN is not equal to itself, and 0.0 is to -0.0
        if isinstance(value, (np.ndarray, np.generic)):
            return self._of(convert(value))
        if isinstance(value, dict):
            return kind, tuple((key, self._of(value[key])) for key in value)
        if nest.is_nested(value):
            return kind, tuple([self._of(part) for part in value])
        if is_composite(value):
            parts = value._parts()
            self.tensors.extend(parts)
            static = getattr(value, "_static", None)
            return kind, static and static(), tuple((part.dtype.name, part.shape) for part in parts)
        # variables and all other objects by identity or, where they have one, their own equality
        self.keep.append(value)
        if hasattr(kind, "_read"):
            return kind, id(value)
        try:
            hash(value)
        except TypeError:
            return kind, id(value)
        return kind, value


class Remembered:
    """Finds what calls of the usual kind mean without building a Key: some ten arrays in 2 µs instead of 20.

    Of the usual kind are positional arguments that are plain tensors, NumPy arrays, numbers, strings or None. What a
    call meant is noted under the dtypes and shapes of its arrays and the values of the rest, so it is only ever found
    by a call that would have the same Key.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Any, Any] = {}

    def find(self, args: tuple) -> tuple[Any, list[Any], Any]:
        """(what was noted for such a call, its arrays, under what to note it); None for what there is not."""
        parts: list[Any] = []
        arrays: list[Any] = []
        for value in args:
            kind = type(value)
            if kind is np.ndarray:
                array = value
            elif kind is Tensor:
                array = value._array
            elif kind is float:
                parts += kind, repr(value)  # as in a Key
                continue
            elif value is None or kind is int or kind is bool or kind is str:
                parts += kind, value
                continue
            else:
                return None, arrays, None
            arrays.append(array)
            parts += array.dtype, array.shape
        known = tuple(parts)
        return self._found.get(known), arrays, known

    def note(self, known: Any, arrays: list[Any], tensors: list[Tensor], meaning: Any) -> None:
        """Notes what a call meant, where its arrays can go as they are in the place of the tensors of its Key."""
        if len(arrays) != len(tensors):
            return
        for array, tensor in zip(arrays, tensors):
            if type(tensor) is not Tensor or array.dtype.kind not in "fiubc":
                return
            if array.dtype != tensor._array.dtype or array.shape != tensor._array.shape:
                return
        if len(self._found) > 1000:
            self._found.clear()
        self._found[known] = meaning


class Parameters:
    """The parameters of a Python function: calls that mean the same are given one form."""

    def __init__(self, function: Any, name: str) -> None:
        self.name = name
        try:
            self.signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):
            self.signature = None
        parameters = list(self.signature.parameters.values()) if self.signature else []
        plain = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY
        # the common call, positional arguments for positional parameters, needs no binding
        self.count = len(parameters) if all(p.kind in plain for p in parameters) and self.signature else -1

    def bind(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments in order with defaults filled in; TypeError as Python raises it."""
        if not kwargs and len(args) == self.count or self.signature is None:
            return args, kwargs
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}(): {error}") from None
        bound.apply_defaults()
        return bound.args, bound.kwargs


def fitted(who: str, specs: Any, values: Any) -> Any:
    """Arguments as the specs of an input_signature want them; TypeError or ValueError where they do not fit."""
    if isinstance(specs, TensorSpec):
        value = values if isinstance(values, Tensor) else convert(values, None, specs.dtype.numpy_dtype)
        if not specs.is_compatible_with(value):
            raise TypeError(
                explain(who, "an argument does not fit the input_signature", {"given": describe(value), "spec": specs})
            )
        return value
    if nest.is_nested(specs):
        if not nest.is_nested(values) or len(specs) != len(values):
            raise TypeError(
                explain(who, "the arguments do not nest like the input_signature", {"given": describe(values)})
            )
        if isinstance(specs, dict):
            return {key: fitted(who, spec, values[key]) for key, spec in specs.items()}
        parts = [fitted(who, spec, part) for spec, part in zip(specs, values)]
        return parts if isinstance(specs, list) else tuple(parts)
    return values


def specs_of(value: Any) -> Any:
    """Arguments with a TensorSpec in the place of each tensor; ragged and sparse tensors as lists of those of their parts."""
    return stand_ins(value, TensorSpec, lambda whole, parts: parts)


def argument_names(function: Any, args: tuple, kwargs: dict) -> list[str]:
    """What each tensor among the arguments is called: by the parameter, `x_0` and `x_key` inside of it, or by its TensorSpec."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "argument")
    named = [(plain[at] if at < len(plain) else f"{rest}_{at - len(plain)}", value) for at, value in enumerate(args)]
    return [name for pair in [*named, *kwargs.items()] for name in _leaf_names(*pair)]


def _leaf_names(name: str, value: Any) -> list[str]:
    if isinstance(value, TensorSpec):
        return [value.name or name]
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return [name]
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in _leaf_names(f"{name}_{key}", part)]
    if nest.is_nested(value):
        keys = getattr(value, "_fields", range(len(value)))
        return [leaf for key, part in zip(keys, value) for leaf in _leaf_names(f"{name}_{key}", part)]
    if is_composite(value):
        return [f"{name}_{at}" for at in range(len(value._parts()))]
    return []


def _from_parts(whole: Any, parts: list[Any]) -> Any:
    return whole._from_parts(parts)


def stand_ins(value: Any, make: Any, whole: Any = _from_parts) -> Any:
    """Arguments with `make(shape, dtype)` in the place of each tensor or spec; `whole(value, parts)` makes composites."""
    if isinstance(value, TensorSpec):
        return make(value.shape, value.dtype)
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        tensor = convert(value)
        return make(tensor.shape, tensor.dtype)
    if isinstance(value, dict):
        return type(value)((key, stand_ins(part, make, whole)) for key, part in value.items())
    if nest.is_nested(value):
        parts = [stand_ins(part, make, whole) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else parts if isinstance(value, list) else tuple(parts)
    if is_composite(value):
        return whole(value, [make(part.shape, part.dtype) for part in value._parts()])
    return value
