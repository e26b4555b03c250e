"""What comes back from a saved model: modules, functions chosen by signature, signatures with named arguments."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, TypeSpec, describe
from tensorsmith.function.composites import is_composite, split
from tensorsmith.function.concrete import ConcreteFunction
from tensorsmith.state.module import Module
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class LoadedModule(Module):
    """A module as it was saved: its variables, functions and modules in attributes of the same names.

    Called like the object that was saved, where that could be called. `signatures` of the outermost holds its
    signatures by name.
    """

    signatures: Signatures

    def __init__(self) -> None:
        super().__init__(name="loaded")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = vars(self).get("_called")
        if function is None:
            raise TypeError(
                explain(
                    "the loaded object",
                    "it was saved without a function __call__",
                    {"functions": [k for k, v in vars(self).items() if isinstance(v, LoadedFunction)]},
                    way_out="Call one of its functions, or a signature: loaded.signatures[name](argument=value).",
                )
            )
        return function(*args, **kwargs)

    def __repr__(self) -> str:
        parts = [key for key in vars(self) if key not in ("_name", "_called")]
        return f"<loaded {self.name} with {', '.join(parts) or 'nothing in it'}>"


class LoadedFunction:
    """A function as it was saved: the forms that it was traced in, without the Python code that they came from.

    Takes arguments as the function did: the form whose tensors have these dtypes and shapes, and whose other arguments
    these values, is run. Raises ValueError, with the forms that there are, where none fits.
    """

    def __init__(self, name: str, signature: inspect.Signature | None, forms: list[ConcreteFunction]) -> None:
        self.name = self.__name__ = name
        self.signature, self.forms = signature, forms
        if signature is not None:
            self.__signature__ = signature

    @property
    def concrete_functions(self) -> list[ConcreteFunction]:
        return list(self.forms)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The form for arguments, or for TensorSpecs in their place; the only one where none are given."""
        if not args and not kwargs and len(self.forms) == 1:
            return self.forms[0]
        return self._find(args, kwargs)[0]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        form, values = self._find(args, kwargs)
        return form.run(values)

    def _find(self, args: tuple, kwargs: dict) -> tuple[ConcreteFunction, list[Any]]:
        if self.signature is not None:
            try:
                bound = self.signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.name}(): {error}") from None
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        # tensors as they are first; only where no form takes them, numbers and arrays become what a form wants
        for loose in (False, True):
            for form in self.forms:
                values: list[Any] = []
                if _fits(form.structured_input_signature, (args, kwargs), values, loose):
                    return form, values
        raise ValueError(
            explain(
                self.name,
                "no form that it was saved in takes these arguments",
                {"given": describe((args, kwargs)), "forms": [form.structured_input_signature for form in self.forms]},
                "a loaded function has no Python code to trace anew",
                "Save it with an input_signature, or after calls with such arguments.",
            )
        )

    def __repr__(self) -> str:
        return f"<loaded function {self.name} of {len(self.forms)} forms>"


def _fits(form: Any, given: Any, values: list[Any], loose: bool) -> bool:
    """Whether arguments are those of a form; fills `values` with its tensors in order."""
    if isinstance(form, TensorSpec):
        if isinstance(given, TensorSpec):
            return form.is_compatible_with(given)
        tensor = given
        if not isinstance(given, Tensor):
            if given is None or isinstance(given, str if form.dtype.name != "string" else bool):
                return False
            if not loose and not isinstance(given, (np.ndarray, np.generic)) and not hasattr(type(given), "_read"):
                return False
            try:
                tensor = convert(given, None, form.dtype.numpy_dtype)
            except (TypeError, ValueError):
                return False
        values.append(tensor)
        return form.is_compatible_with(tensor)
    if is_composite(given):
        if not (isinstance(form, TypeSpec) and form.is_compatible_with(given)):
            return False
        values.extend(given._parts())
        return True
    if isinstance(form, dict):
        return (
            isinstance(given, dict)
            and set(form) == set(given)
            and all(_fits(form[key], given[key], values, loose) for key in nest.sorted_keys(form))
        )
    if nest.is_nested(form):
        return (
            nest.is_nested(given)
            and not isinstance(given, dict)
            and len(nest.parts(form)) == len(nest.parts(given))
            and all(_fits(*pair, values, loose) for pair in zip(nest.parts(form), nest.parts(given)))
        )
    try:
        return type(form) is type(given) and bool(form == given)
    except (TypeError, ValueError):
        return False


class Signature:
    """One signature of a saved model: takes tensors by name, gives a dict of tensors.

    structured_input_signature, structured_outputs  the TensorSpecs of both.
    """

    def __init__(self, name: str, concrete: ConcreteFunction, inputs: list[str], outputs: list[str]) -> None:
        self.name, self.concrete, self.input_names, self.output_names = name, concrete, inputs, outputs

    @property
    def program(self) -> Any:
        return self.concrete.program

    @property
    def structured_input_signature(self) -> Any:
        specs = self.concrete.input_specs
        return (), {name: TensorSpec(s.shape, s.dtype, name) for name, s in zip(self.input_names, specs)}

    @property
    def structured_outputs(self) -> dict[str, TensorSpec]:
        return {
            name: TensorSpec(s.shape, s.dtype, name) for name, s in zip(self.output_names, self.concrete.output_specs)
        }

    @property
    def variables(self) -> tuple[Any, ...]:
        return self.concrete.variables

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if args and len(self.input_names) != 1:
            raise TypeError(
                explain(self.name, "a signature takes its arguments by name", {"names": ", ".join(self.input_names)})
            )
        given = {**dict(zip(self.input_names, args)), **kwargs}
        if set(given) != set(self.input_names) or len(args) + len(kwargs) != len(self.input_names):
            raise TypeError(
                explain(
                    self.name,
                    "these are not its arguments",
                    {"given": ", ".join(given), "arguments": ", ".join(self.input_names)},
                )
            )
        values = []
        for name, spec in zip(self.input_names, self.concrete.input_specs):
            value = given[name]
            value = value if isinstance(value, Tensor) else convert(value, None, spec.dtype.numpy_dtype)
            if not spec.is_compatible_with(value):
                raise ValueError(
                    explain(self.name, f"the argument {name!r} does not fit", {"given": describe(value), "spec": spec})
                )
            values.append(value)
        return dict(zip(self.output_names, split(self.concrete.run(values))[0]))

    def __repr__(self) -> str:
        return f"<signature {self.name}({', '.join(self.input_names)}) -> {{{', '.join(self.output_names)}}}>"


class Signatures(Mapping[str, Signature]):
    """The signatures of a saved model, by name."""

    def __init__(self, found: dict[str, Signature]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> Signature:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"Signatures({self._found!r})"
