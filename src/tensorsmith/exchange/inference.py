"""What is exported of a thing: one program from named inputs to named outputs, without what it assigns."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.exchange.loaded import LoadedFunction, LoadedModule, Signature
from tensorsmith.exchange.signatures import DEFAULT, signature_of
from tensorsmith.function.concrete import ConcreteFunction
from tensorsmith.function.function import Function
from tensorsmith.program.printing import sub_programs
from tensorsmith.program.program import Node, Program


class Inference:
    """A program that gives results and assigns nothing.

    values   {id: array} of what it does not compute: constants, and variables as they are now.
    names    {id: name} of the variables among them.
    inputs, outputs  [(name, shape, dtype)].
    """

    def __init__(self, signature: Signature) -> None:
        self.program = program = signature.program.pure()
        specs = program.specs
        self.inputs = [(n, *specs[i]) for n, i in zip(signature.input_names, program.inputs)]
        self.outputs = [(n, *specs[i]) for n, i in zip(signature.output_names, program.outputs)]
        self.values: dict[int, Any] = dict(program.constants)
        self.names: dict[int, str] = {}
        for source, number in program.captures:
            self.values[number] = source._tensor._array
            self.names[number] = str(getattr(source, "path", None) or source.name).removesuffix(":0")


def inference(thing: Any, input_signature: Any = None) -> Inference:
    """The program to export of a function, a model, a loaded model or one of its signatures.

    Raises ValueError where it is not known for which inputs; TypeError for a thing that is none of these.
    """
    return Inference(_signature(thing, input_signature))


def _signature(thing: Any, given: Any) -> Signature:
    if given is not None and not isinstance(given, (list, tuple)):
        given = [given]
    if isinstance(thing, Signature):
        return thing
    if isinstance(thing, LoadedModule):
        if DEFAULT in thing.signatures:
            return thing.signatures[DEFAULT]
        thing = vars(thing).get("_called", thing)
    serving = getattr(thing, "_serving", None)
    if serving is not None:
        return signature_of("serve", serving(given))
    if isinstance(thing, Function) and given is not None:
        thing = thing.get_concrete_function(*given)
    elif not isinstance(thing, (Function, ConcreteFunction, LoadedFunction)) and callable(thing) and given is not None:
        thing = Function(thing, given)
    if not isinstance(thing, (Function, ConcreteFunction, LoadedFunction)):
        raise TypeError(
            explain(
                "export",
                "there is nothing here to export",
                {"given": describe(thing)},
                "it takes a traced function, a Keras model, a loaded model, or a function with an input_signature",
            )
        )
    return signature_of("export", thing)


def nodes_within(program: Program) -> Iterator[Node]:
    """All nodes, those of sub-programs too."""
    for node in program.nodes:
        yield node
        for _, inner in sub_programs(node):
            yield from nodes_within(inner)


def needs(package: str, what: str) -> Any:
    """A package of the extra `export` (ONNX alone: `onnx`); ModuleNotFoundError that says how to get it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.split(".")[0]:
            raise
        raise ModuleNotFoundError(
            f'{package!r} is needed for {what}: pip install "tensorsmith[export]"', name=package
        ) from None
