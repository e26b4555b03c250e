"""What a traced form was traced for, and how the arguments of a call of that very form become its tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, TypeSpec, describe
from tensorsmith.function.composites import is_composite, parts_of_spec, spec_of
from tensorsmith.function.signature import Parameters, Weak, argument_names, stand_ins
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class Given:
    """The arguments of a trace: a spec for each tensor, a value for all else (known weakly, so that it may go).

    specs   the specs of the tensors, in order, with the names of the parameters.
    shapes  in the place of the tensors' own where they were relaxed.
    """

    def __init__(
        self, function: Callable[..., Any] | None, name: str, args: tuple, kwargs: dict, shapes: list[Any] | None = None
    ) -> None:
        self.name, self.parameters = name, Parameters(function, name)
        names = iter(argument_names(function, args, kwargs))
        self.specs: list[TensorSpec] = []

        def one(shape: Any, dtype: Any) -> TensorSpec:
            spec = TensorSpec(shape if shapes is None else shapes[len(self.specs)], dtype, next(names, None))
            self.specs.append(spec)
            return spec

        structure = stand_ins((args, kwargs), one, spec_of)
        self._structure = nest.map_structure(_held, structure)

    def structured(self) -> tuple[tuple, dict]:
        """(args, kwargs) with a TensorSpec for each tensor."""
        return nest.map_structure(_released, self._structure)

    def named(self) -> list[tuple[str, Any]]:
        args, kwargs = self.structured()
        return self.parameters.named(args, kwargs)

    def rows(self) -> list[str]:
        """A line a parameter."""
        return [f"{name}: {_literal(value)}" for name, value in self.named()]

    def text(self) -> str:
        return f"({', '.join(self.rows())})"

    def tensors(self, args: tuple, kwargs: dict) -> list[Tensor]:
        """The tensors of a call, in order; TypeError where they do not fit."""
        try:
            return self._structurally(args, kwargs)
        except TypeError as error:
            try:
                return self._flatly(args, kwargs)
            except TypeError:
                raise error from None

    def _refused(self, wrong: str, given: Any) -> TypeError:
        return TypeError(
            explain(self.name, wrong, {"given": describe(given), "signature": self.text()}, "it was traced for these")
        )

    def _structurally(self, args: tuple, kwargs: dict) -> list[Tensor]:
        """Arguments as in a call of the function; Python values must be those of the trace."""
        bound_args, bound_kwargs = self._bound(args, kwargs)
        wanted = dict(self.named())
        given = dict(self.parameters.named(bound_args, bound_kwargs))
        if list(wanted) != list(given):
            raise self._refused("the arguments do not fit the signature", given)
        tensors: list[Tensor] = []
        for name, spec in wanted.items():
            self._collect(name, spec, given[name], tensors)
        return tensors

    def _bound(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        signature = self.parameters.signature
        if signature is None:
            return args, kwargs
        try:
            bound = signature.bind_partial(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}(): {error}; it was traced for {self.text()}.") from None
        for name, value in self.named():
            # a Python value need not be given again
            parameter = signature.parameters.get(name)
            if parameter is not None and name not in bound.arguments:
                if any(isinstance(leaf, TypeSpec) for leaf in nest.flatten(value)):
                    raise TypeError(
                        f"{self.name}(): missing a required argument: {name!r}; it was traced for {self.text()}."
                    )
                bound.arguments[name] = value
        order = {name: bound.arguments[name] for name in signature.parameters if name in bound.arguments}
        again = inspect.BoundArguments(signature, order)  # type: ignore[arg-type]
        return again.args, again.kwargs

    def _collect(self, name: str, spec: Any, value: Any, tensors: list[Tensor]) -> None:
        if isinstance(spec, TensorSpec):
            tensors.append(self._fitting(name, spec, value))
        elif is_composite(value) and (isinstance(spec, (list, TypeSpec))):
            if isinstance(spec, TypeSpec) and not spec.is_compatible_with(value):
                raise self._refused(f"the argument {name!r} does not fit the signature", value)
            for part, own in zip(value._parts(), parts_of_spec(spec)):
                tensors.append(self._fitting(name, own, part))
        elif nest.is_nested(spec):
            mine, its = nest.parts(spec), nest.parts(value) if nest.is_nested(value) else []
            if len(mine) != len(its) or (isinstance(spec, dict) and set(spec) != set(value)):
                raise self._refused(f"the argument {name!r} nests in another way", value)
            for part, own in zip(mine, its):
                self._collect(name, part, own, tensors)
        elif value is not spec and not _equal(value, spec):
            raise self._refused(f"the argument {name!r} is not the value that it was traced with", value)

    def _fitting(self, name: str, spec: TensorSpec, value: Any) -> Tensor:
        try:
            tensor = value if isinstance(value, Tensor) else convert(value, None, spec.dtype.numpy_dtype)
        except (TypeError, ValueError):
            raise self._refused(f"the argument {name!r} cannot be a tensor", value) from None
        if not spec.is_compatible_with(tensor):
            raise self._refused(f"the argument {name!r} does not fit the signature", value)
        return tensor

    def _flatly(self, args: tuple, kwargs: dict) -> list[Tensor]:
        """The tensors alone: in order, or by their own names."""
        values: list[Any] = []
        for value in args:
            values.extend(value._parts() if is_composite(value) else [value])
        names = [spec.name or "" for spec in self.specs]
        rest = {name: kwargs[name] for name in names[len(values) :] if name in kwargs}
        if len(values) + len(rest) != len(self.specs) or len(rest) != len(kwargs):
            raise self._refused("the arguments do not fit the signature", [*args, *kwargs.values()])
        values += [rest[name] for name in names[len(values) :]]
        return [self._fitting(name, spec, value) for name, spec, value in zip(names, self.specs, values)]


def _equal(value: Any, other: Any) -> bool:
    try:
        return type(value) is type(other) and bool(value == other)
    except Exception:  # an object whose == fails, or gives many answers, is another one
        return False


def _held(leaf: Any) -> Any:
    if leaf is None or isinstance(leaf, (TypeSpec, bool, int, float, complex, str, bytes, np.dtype)):
        return leaf
    try:
        return Weak(leaf)
    except TypeError:
        return leaf


def _released(leaf: Any) -> Any:
    return leaf.reference() if isinstance(leaf, Weak) else leaf


def _literal(value: Any) -> str:
    return f"{value}" if any(isinstance(leaf, TypeSpec) for leaf in nest.flatten(value)) else f"Literal[{value!r}]"
