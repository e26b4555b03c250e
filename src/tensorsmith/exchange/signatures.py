"""Which functions of an object are its signatures, and what their arguments and results are called."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.exchange.loaded import LoadedFunction, LoadedModule, Signature
from tensorsmith.function.composites import is_composite
from tensorsmith.function.concrete import ConcreteFunction
from tensorsmith.function.function import Function

DEFAULT = "serving_default"


def chosen(obj: Any, given: Any) -> dict[str, Signature]:
    """The signatures to save: those given, those that a loaded object has, or the one function with an input_signature."""
    if given is None:
        if isinstance(obj, LoadedModule):
            return dict(vars(obj).get("signatures", {}))
        hook = getattr(obj, "_saved_functions", None)
        if hook is not None:
            return {name: signature_of(name, function) for name, function in hook().items()}
        own = functions_of(obj)
        candidates = {k: f for k, f in own.items() if getattr(f, "input_signature", None) is not None}
        if len(candidates) > 1 and "__call__" in candidates:
            candidates = {"__call__": candidates["__call__"]}
        given = next(iter(candidates.values())) if len(candidates) == 1 else {}
    if not isinstance(given, dict):
        given = {DEFAULT: given}
    return {name: signature_of(name, function) for name, function in given.items()}


def functions_of(obj: Any) -> dict[str, Any]:
    """The traced functions of an object, by the names of its attributes."""
    found: dict[str, Any] = {}
    for kind in type(obj).__mro__:
        for name, value in vars(kind).items():
            if isinstance(value, Function) and name not in found:
                found[name] = value.__get__(obj, type(obj))
    for name, value in vars(obj).items():
        if isinstance(value, (Function, ConcreteFunction, LoadedFunction, Signature)):
            found[name] = value
    return found


def signature_of(name: str, function: Any) -> Signature:
    """A function as a signature: arguments by name, results in a dict."""
    if not isinstance(name, str) or not name:
        raise ValueError(explain("saved_model.save", "a signature is named by a text", {"given": repr(name)}))
    if isinstance(function, Signature):
        return Signature(name, function.concrete, function.input_names, function.output_names)
    concrete = function if isinstance(function, ConcreteFunction) else _only_form(name, function)
    program = concrete.program
    inputs = [program.names.get(n) or f"argument_{at}" for at, n in enumerate(program.inputs)]
    if len(set(inputs)) != len(inputs):
        raise ValueError(
            explain(
                f"the signature {name!r}",
                "two of its arguments have one name",
                {"names": inputs},
                way_out="Name them: tf.TensorSpec(shape, dtype, name=...).",
            )
        )
    return Signature(name, concrete, inputs, _output_names(name, concrete))


def _only_form(name: str, function: Any) -> ConcreteFunction:
    if isinstance(function, Function) and function.input_signature is not None:
        return function.get_concrete_function()
    forms = forms_of(function) if isinstance(function, (Function, LoadedFunction)) else None
    if forms is None:
        raise ValueError(
            explain(
                f"the signature {name!r}",
                "it is no traced function",
                {"given": describe(function)},
                way_out="Give a tf.function, or what its get_concrete_function(...) returns.",
            )
        )
    if len(forms) != 1:
        raise ValueError(
            explain(
                f"the signature {name!r}",
                f"the function was traced in {len(forms)} forms and a signature is one",
                {"forms": [form.structured_input_signature for form in forms]} if forms else "",
                way_out="Give it an input_signature, or pass function.get_concrete_function(tf.TensorSpec(...)).",
            )
        )
    return forms[0]


def forms_of(function: Any) -> list[ConcreteFunction]:
    """The forms in which a function was traced, each once; by its input_signature where it was never called."""
    if isinstance(function, LoadedFunction):
        return function.forms
    if function.input_signature is not None:
        return [function.get_concrete_function()]
    found: list[ConcreteFunction] = []
    for form in function._forms.all():
        if not any(_same_call(form, other) for other in found):
            found.append(form)
    return found


def _same_call(a: ConcreteFunction, b: ConcreteFunction) -> bool:
    return a is b or repr(a.structured_input_signature) == repr(b.structured_input_signature)


def _output_names(name: str, concrete: ConcreteFunction) -> list[str]:
    outputs = concrete.structured_outputs
    if isinstance(outputs, dict):
        if not all(isinstance(key, str) for key in outputs) or any(map(nest.is_nested, outputs.values())):
            raise ValueError(
                explain(
                    f"the signature {name!r}",
                    "it returns a nested dict, or one whose keys are no texts",
                    {"outputs": outputs},
                    "a signature returns tensors by name",
                )
            )
        # results stand in the order of sorted keys
        names = [key for key in nest.flatten({key: key for key in outputs}) if outputs[key] is not None]
    else:
        # a ragged or sparse tensor goes as its parts
        whole = [leaf._parts() if is_composite(leaf) else [leaf] for leaf in nest.flatten(outputs) if leaf is not None]
        outputs = leaves = [part for parts in whole for part in parts]
        names = [f"output_{at}" for at in range(len(leaves))]
    if len(names) != len(concrete.program.outputs) or any(map(is_composite, nest.flatten(outputs))):
        raise ValueError(
            explain(
                f"the signature {name!r}", "it returns what is no tensor", {"outputs": outputs},
                way_out="Return tensors: of a ragged tensor, its parts.",
            )
        )  # fmt: skip
    return names
