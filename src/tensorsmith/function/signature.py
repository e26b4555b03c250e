"""The cache key of a call: specs of tensors, values of all else."""

from __future__ import annotations

import inspect
import weakref
from types import GeneratorType
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import SignatureError, explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import TensorSpec, TypeSpec, describe
from tensorsmith.function.composites import is_composite, parts_of_spec, spec_of
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Weak:
    """Stands in a key for an object: equal as long as the object lives, and to another for an equal object."""

    __slots__ = ("hash", "reference")

    def __init__(self, value: Any) -> None:
        self.reference, self.hash = weakref.ref(value), hash(value)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Weak):
            return False
        mine, its = self.reference(), other.reference()
        return mine is not None and (mine is its or bool(mine == its))

    def __repr__(self) -> str:
        return repr(self.reference())


class Key:
    """What a call of a traced function was given.

    key      hashable, equal for calls that one trace serves.
    tensors  the tensors (or TensorSpecs) among the arguments, in order.
    keep     what must outlive the key.
    objects  the objects that it knows by a weak reference.
    specs    whether a TensorSpec stands for a tensor.
    """

    __slots__ = ("keep", "key", "objects", "specs", "tensors")

    def __init__(self, arguments: Any) -> None:
        self.tensors: list[Any] = []
        self.keep: list[Any] = []
        self.objects: list[Weak] = []
        self.specs = False
        self.key = self._of(arguments)

    def _of(self, value: Any) -> Any:
        kind = type(value)
        if kind is Tensor or isinstance(value, Tensor):
            self.tensors.append(value)
            return value.dtype.name, value.shape
        if value is None or kind in (bool, int, str, bytes):
            return kind, value
        if isinstance(value, (set, frozenset)):
            raise _unclear(value, "its order is not fixed", "Pass a sorted list or a tuple.")
        if kind is GeneratorType:
            raise _unclear(value, "it would be used up by the first trace", "Pass a list: list(...).")
        if kind in (float, complex):
            return kind, repr(value)  # NaN is not equal to itself, and 0.0 is to -0.0
        if isinstance(value, (np.ndarray, np.generic)):
            return self._of(convert(value))
        if isinstance(value, dict):
            return kind, tuple([(key, self._of(value[key])) for key in nest.sorted_keys(value)])
        if nest.is_nested(value):
            return kind, tuple([self._of(part) for part in nest.parts(value)])
        if is_composite(value):
            parts = value._parts()
            self.tensors.extend(parts)
            static = getattr(value, "_static", None)
            if isinstance(value, TypeSpec):
                kind, self.specs = value.value_type, True
            told = parts_of_spec(spec_of(value, parts))
            return kind, static and static(), tuple((part.dtype.name, part.shape) for part in told)
        if kind is TensorSpec:
            self.tensors.append(value)
            self.specs = True
            return value.dtype.name, value.shape
        if hasattr(kind, "_read"):
            self.keep.append(value)
            return kind, id(value)
        # all other objects by identity or, where they have one, their own equality
        try:
            weak = Weak(value)
        except TypeError:
            return self._unreferenced(value)
        self.objects.append(weak)
        return kind, weak

    def _unreferenced(self, value: Any) -> Any:
        """A value that takes no weak reference (a slice, a range), or has no hash."""
        kind = type(value)
        if kind is slice:
            return kind, (value.start, value.stop, value.step)
        self.keep.append(value)
        try:
            hash(value)
        except TypeError:
            return kind, id(value)
        return kind, value


class Remembered:
    """Finds what calls of the usual kind mean without building a Key: some ten arrays in 2 µs instead of 20.

    Of the usual kind are plain tensors, NumPy arrays, numbers, strings, None, lists, tuples and dicts of these, and objects
    that equal nothing but themselves; named arguments that are no arrays. What a call meant is noted under the dtypes
    and shapes of its arrays, the values of the rest and the identity of objects, so it is only ever found by a call that
    would have the same Key.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        # the meaning, and a reference to each object: another one may come to have its id
        self._found: dict[Any, tuple[Any, list[Any]]] = {}

    def find(self, args: tuple, kwargs: dict) -> tuple[Any, list[Any], Any]:
        """(what was noted for such a call, its arrays, what `note` needs); None for what there is not."""
        parts: list[Any] = []
        arrays: list[Any] = []
        objects: list[Any] = []
        for value in args:
            kind = type(value)
            if kind is np.ndarray:
                array = value
            elif kind is Tensor:
                array = value._array
            elif _take(value, parts, arrays, objects):
                continue
            else:
                return None, arrays, None
            arrays.append(array)
            parts += array.dtype, array.shape
        if kwargs:
            count = len(arrays)
            for name, value in kwargs.items():
                parts.append(name)
                # in which order arrays would come is for the parameters to say
                if not _take(value, parts, arrays, objects) or len(arrays) > count:
                    return None, arrays, None
        known = tuple(parts)
        found = self._found.get(known)
        if found is not None and (not objects or all(ref() is value for ref, value in zip(found[1], objects))):
            return found[0], arrays, None
        return None, arrays, (known, objects)

    def note(self, call: Any, arrays: list[Any], tensors: list[Tensor], meaning: Any) -> None:
        """Notes what a call meant, where its arrays can go as they are in the place of the tensors of its Key."""
        known, objects = call
        if len(arrays) != len(tensors):
            return
        for array, tensor in zip(arrays, tensors):
            if type(tensor) is not Tensor or array.dtype.kind not in "fiubc":
                return
            if array.dtype != tensor._array.dtype or array.shape != tensor._array.shape:
                return
        if any(nest.is_nested(value) or is_composite(value) for value in objects):
            return  # known by what they hold, which may change
        try:
            references = [weakref.ref(value) for value in objects]
        except TypeError:
            return
        if len(self._found) > 1000:
            self._found.clear()
        self._found[known] = meaning, references


def _take(value: Any, parts: list[Any], arrays: list[Any], objects: list[Any]) -> bool:
    """Adds what stands for an argument; False for one that is not of the usual kind."""
    kind = type(value)
    if kind is bool or kind is int or kind is str or value is None:
        parts += kind, value
    elif kind is float:
        parts += kind, repr(value)  # as in a Key
    elif kind is np.ndarray or kind is Tensor or issubclass(kind, np.generic):
        array = value._array if kind is Tensor else value
        arrays.append(array)
        parts += array.dtype, array.shape
    elif kind is tuple or kind is list:
        parts += kind, len(value)
        return all(_take(part, parts, arrays, objects) for part in value)
    elif kind is dict:
        keys = nest.sorted_keys(value)
        parts += kind, tuple(keys)
        return all(_take(value[key], parts, arrays, objects) for key in keys)
    elif kind.__hash__ is object.__hash__ or hasattr(kind, "_read"):
        objects.append(value)
        parts += kind, id(value)
    else:
        return False
    return True


def _unclear(value: Any, wrong: str, way_out: str) -> TypeError:
    return TypeError(
        explain("a traced function", f"{type(value).__name__} cannot be an argument: {wrong}", {"given": value},
                way_out=way_out)
    )  # fmt: skip


def without_shapes(part: Any) -> Any:
    """A key with ranks in the place of shapes: what calls have in common that differ in sizes alone."""
    if type(part) is not tuple:
        return part
    if len(part) == 2 and type(part[0]) is str and isinstance(part[1], TensorShape):
        return part[0], len(part[1])
    return tuple(map(without_shapes, part))


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
        self.positional = [p.name for p in parameters if p.kind in plain]
        self.rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "")

    def bind(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments in order with defaults filled in; TypeError as Python raises it."""
        if not kwargs and len(args) == self.count or self.signature is None:
            return args, kwargs
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}(): {error}; its parameters are {self.signature}.") from None
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def named(self, args: tuple, kwargs: dict) -> list[tuple[str, Any]]:
        """Bound arguments with the names of their parameters."""
        count = len(self.positional)
        names = [*self.positional[: len(args)], *(f"{self.rest or 'argument'}_{at}" for at in range(len(args) - count))]
        return [*zip(names, args), *kwargs.items()]


class InputSignature:
    """The TensorSpecs that a function is traced for, once: for its first parameters; the others keep their defaults.

    Raises TypeError where it is no list or tuple of (nested) TensorSpecs, or does not fit the parameters.
    """

    def __init__(self, specs: Any, parameters: Parameters) -> None:
        self.parameters = parameters
        who = parameters.name
        if not isinstance(specs, (list, tuple)):
            raise TypeError(explain(who, "input_signature must be a list or a tuple", {"given": specs}))
        self.specs = tuple(specs)
        wrong = [leaf for leaf in nest.flatten(self.specs) if not isinstance(leaf, TypeSpec)]
        if wrong:
            raise TypeError(explain(who, "input_signature must hold TensorSpecs", {"given": wrong}))
        if parameters.signature is not None and not parameters.rest and len(self.specs) > len(parameters.positional):
            extra = len(self.specs) - len(parameters.positional)
            raise TypeError(
                explain(
                    who,
                    f"input_signature has {extra} TensorSpecs more than there are parameters",
                    {"input_signature": list(self.specs), "parameters": parameters.signature},
                )
            )

    def given(self) -> tuple[tuple, dict]:
        """The arguments that it is traced with: the specs, and the defaults of other parameters."""
        return self.parameters.bind(self.specs, {})

    def fit(self, args: tuple, kwargs: dict) -> list[Tensor]:
        """The tensors of a call; TypeError, naming the argument, where one does not fit."""
        tensors: list[Tensor] = []
        count = len(self.specs)
        wanted, fixed = self.given()
        for (name, value), spec in zip(self.parameters.named(args, kwargs), self.specs):
            self._fit(name, spec, value, tensors)
        if len(args) > len(wanted):
            raise TypeError(
                explain(self.parameters.name, "more arguments than the input_signature has", {"given": len(args)})
            )
        for (name, value), default in zip(
            self.parameters.named(args, kwargs)[count:], [*wanted[count:], *fixed.values()]
        ):
            if not _same(value, default):
                raise TypeError(
                    explain(
                        self.parameters.name,
                        f"the argument {name!r} is not in the input_signature and keeps its default",
                        {"given": describe(value), "default": describe(default)},
                        way_out="Give it a TensorSpec there, or leave the input_signature out.",
                    )
                )
        return tensors

    def _fit(self, name: str, spec: Any, value: Any, tensors: list[Tensor]) -> None:
        if isinstance(spec, TensorSpec):
            tensors.append(self._tensor(name, spec, value))
            return
        if isinstance(spec, TypeSpec):
            if not spec.is_compatible_with(value):
                raise self._refused(name, spec, value)
            if value is not None:
                tensors.extend(value._parts() if is_composite(value) else [value])
            return
        keys = nest.sorted_keys(spec) if isinstance(spec, dict) else list(range(len(spec)))
        alike = isinstance(value, dict) if isinstance(spec, dict) else nest.is_nested(value)
        if not alike or (isinstance(spec, dict) and set(spec) != set(value)) or len(spec) != len(value):
            raise TypeError(
                explain(
                    self.parameters.name,
                    f"the argument {name!r} does not nest like the input_signature",
                    {"given": describe(value), "spec": spec},
                )
            )
        for key in keys:
            self._fit(f"{name}[{key!r}]", spec[key], value[key], tensors)

    def _tensor(self, name: str, spec: TensorSpec, value: Any) -> Any:
        if isinstance(value, TensorSpec):
            # a form is asked for, nothing is run
            if spec.is_compatible_with(value):
                return value
            raise self._refused(name, spec, value)
        try:
            tensor = value if isinstance(value, Tensor) else value._read() if hasattr(type(value), "_read") else None
            if tensor is None:
                # arrays and numbers take the dtype that is asked for
                tensor = convert(value, spec.dtype)
        except (TypeError, ValueError):
            tensor = None
        if tensor is None or not spec.is_compatible_with(tensor):
            raise self._refused(name, spec, value, _way_out(name, spec, tensor))
        return tensor

    def _refused(self, name: str, spec: TypeSpec, value: Any, way_out: str = "") -> SignatureError:
        return SignatureError(
            explain(
                self.parameters.name,
                f"the argument {name!r} does not fit the input_signature",
                {"given": describe(value), "spec": spec},
                way_out=way_out,
            )
        )


def _way_out(name: str, spec: TensorSpec, tensor: Tensor | None) -> str:
    if tensor is not None and tensor.dtype is not spec.dtype and spec.shape.is_compatible_with(tensor.shape):
        return f"Convert: tf.cast({name}, tf.{spec.dtype.name})."
    return ""


def _same(value: Any, default: Any) -> bool:
    if value is default:
        return True
    try:
        return type(value) is type(default) and bool(value == default)
    except Exception:  # an object whose == fails, or gives many answers, is another one
        return False


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
        return [leaf for key in nest.sorted_keys(value) for leaf in _leaf_names(f"{name}_{key}", value[key])]
    if nest.is_nested(value):
        parts = nest.parts(value)
        keys = getattr(value, "_fields", range(len(parts)))
        return [leaf for key, part in zip(keys, parts) for leaf in _leaf_names(f"{name}_{key}", part)]
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
    if nest.is_nested(value):
        return nest.rebuilt(value, lambda part: stand_ins(part, make, whole))
    if is_composite(value):
        # how many values there are is not what a ragged or sparse tensor is told by: one trace serves any number
        told = parts_of_spec(spec_of(value, value._parts()))
        return whole(value, [make(part.shape, part.dtype) for part in told])
    return value
