"""The objects of a saved model as data and back: modules, lists, dicts, variables, functions with their traced forms."""

from __future__ import annotations

import inspect
from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, TypeSpec, describe
from tensorsmith.exchange.arrays import Reader, Writer
from tensorsmith.exchange.encoding import Decoder, Encoder, Unsaveable, dtype_of, shape_of
from tensorsmith.exchange.loaded import LoadedFunction, LoadedModule, Signature, Signatures
from tensorsmith.exchange.program_data import ProgramReader, ProgramWriter
from tensorsmith.exchange.reading import Place
from tensorsmith.exchange.safety import quoted
from tensorsmith.exchange.signatures import forms_of, functions_of
from tensorsmith.function.composites import Form, is_composite, is_tensor, parts_of_spec
from tensorsmith.function.concrete import ConcreteFunction
from tensorsmith.function.function import Function
from tensorsmith.function.given import Given
from tensorsmith.function.trace import Traced
from tensorsmith.program.program import Program
from tensorsmith.state.module import Module
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.tensor import Tensor

MOST_OBJECTS = 10**5
_KINDS = {
    kind.name: kind
    for kind in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.VAR_KEYWORD,
    )
}


class ObjectWriter:
    """Objects -> data, each once, however many hold it."""

    def __init__(self, arrays: Writer) -> None:
        self._arrays = arrays
        self._objects: list[Any] = []
        self._known: dict[int, int] = {}
        self._variables: list[Any] = []
        self._variable_numbers: dict[int, int] = {}
        self._forms: list[Any] = []
        self._form_numbers: dict[int, int] = {}
        self._keep: list[Any] = []
        self._programs = ProgramWriter(arrays, self._variable)
        self._values = Encoder(arrays, self._programs.write)

    def add(self, thing: Any, place: str) -> int:
        """The number of an object. Raises TypeError for the outermost one when it holds nothing that can be saved."""
        number = self._add(thing, place)
        if number is None:
            raise TypeError(
                explain(
                    "saved_model.save",
                    f"{place} cannot be saved",
                    {"given": describe(thing)},
                    "it must be a tf.Module, a Keras layer or model, or what load gave",
                )
            )
        return number

    def content(self, root: int, signatures: dict[str, Signature]) -> dict[str, Any]:
        """All of it, with the signatures of the outermost object."""
        named = {
            name: {"form": self._form(s.concrete), "inputs": s.input_names, "outputs": s.output_names}
            for name, s in signatures.items()
        }
        return {
            "root": root, "objects": self._objects, "variables": self._variables, "forms": self._forms,
            "signatures": named,
        }  # fmt: skip

    def _add(self, thing: Any, place: str) -> int | None:
        found = self._known.get(id(thing))
        if found is not None:
            return found
        kind = self._kind(thing)
        if kind is None:
            return None
        number = self._known[id(thing)] = len(self._objects)
        self._keep.append(thing)
        self._objects.append(None)
        data = getattr(self, f"_{kind}")(thing, place)
        self._objects[number] = {"kind": kind, **data}
        return number

    def _kind(self, thing: Any) -> str | None:
        if isinstance(thing, Variable):
            return "variable"
        if isinstance(thing, (Function, LoadedFunction, ConcreteFunction)):
            return "function"
        if isinstance(thing, Module) or hasattr(thing, "_saved_parts"):
            return "module"
        if isinstance(thing, (list, tuple)):
            return "list" if any(self._kind(part) for part in thing) else None
        if isinstance(thing, dict):
            return "dict" if any(self._kind(part) for part in thing.values()) else None
        return None

    def _module_parts(self, thing: Any) -> dict[str, Any]:
        if hasattr(thing, "_saved_parts"):
            return thing._saved_parts()
        parts = {key: value for key, value in vars(thing).items() if key != "signatures"}
        if "_called" in parts:
            parts["__call__"] = parts.pop("_called")
        return {**parts, **functions_of(thing)}

    def _module(self, thing: Any, place: str) -> dict[str, Any]:
        parts = {}
        for key, value in sorted(self._module_parts(thing).items()):
            number = self._add(value, f"{place}.{key}")
            if number is not None:
                parts[key] = number
        return {"name": str(getattr(thing, "name", "")), "parts": parts}

    def _list(self, thing: Any, place: str) -> dict[str, Any]:
        return {"parts": [self._add(part, f"{place}[{at}]") for at, part in enumerate(thing)]}

    def _dict(self, thing: Any, place: str) -> dict[str, Any]:
        pairs = []
        for key, part in thing.items():
            if not isinstance(key, (str, int)):
                raise TypeError(
                    f"saved_model.save: {place} has the key {quoted(key, 60)}; keys are texts or whole numbers."
                )
            pairs.append([key, self._add(part, f"{place}[{key!r}]")])
        return {"parts": pairs}

    def _function(self, thing: Any, place: str) -> dict[str, Any]:
        if isinstance(thing, ConcreteFunction):
            return {"name": thing.name, "parameters": None, "forms": [self._form(thing)]}
        parameters = self._parameters(thing)
        name = thing.name if isinstance(thing, LoadedFunction) else thing.__name__
        return {"name": name, "parameters": parameters, "forms": [self._form(form) for form in forms_of(thing)]}

    def _parameters(self, thing: Any) -> list[Any] | None:
        if isinstance(thing, LoadedFunction):
            signature = thing.signature
        else:
            signature = thing._parameters.signature
        if signature is None:
            return None
        parameters = list(signature.parameters.values())
        limit = getattr(thing, "input_signature", None)
        if limit is not None:
            parameters = parameters[: len(limit)]
        found = []
        for parameter in parameters:
            default = []
            if parameter.default is not parameter.empty:
                try:
                    default = [self._values.encode(parameter.default)]
                except Unsaveable:
                    return None
            found.append([parameter.name, parameter.kind.name, default])
        return found

    def _variable(self, variable: Any, place: str = "") -> Any:
        number = self._variable_numbers.get(id(variable))
        if number is None:
            if not isinstance(variable, Variable):
                raise ValueError(
                    explain(
                        "saved_model.save",
                        "a function holds a value of the trace around it",
                        {"value": describe(variable)},
                        way_out="Pass it as an argument.",
                    )
                )
            number = self._variable_numbers[id(variable)] = len(self._variables)
            self._keep.append(variable)
            name = str(getattr(variable, "path", None) or variable.name).removesuffix(":0")
            self._variables.append(
                {
                    "name": name, "dtype": variable.dtype.name, "shape": list(variable.shape),
                    "trainable": bool(variable.trainable), "value": self._arrays.add(variable._tensor._array, name),
                }
            )  # fmt: skip
        return {"variable": number} if place else number

    def _form(self, concrete: ConcreteFunction) -> int:
        number = self._form_numbers.get(id(concrete))
        if number is None:
            number = self._form_numbers[id(concrete)] = len(self._forms)
            self._keep.append(concrete)
            self._forms.append(None)
            try:
                arguments = self._values.encode(concrete.structured_input_signature)
                results = self._results(concrete._traced.form)
            except Unsaveable as error:
                raise ValueError(
                    explain(
                        f"saving the function {concrete.name!r}",
                        f"an argument or a result of it is {error}, which is no data",
                        way_out="Pass and return tensors, numbers, texts, and lists, tuples and dicts of them.",
                    )
                ) from None
            program = self._programs.write(concrete.program)
            self._forms[number] = {
                "name": concrete.name, "arguments": arguments, "results": results, "program": program,
            }  # fmt: skip
        return number

    def _results(self, form: Form) -> Any:
        leaves = [_described(leaf) for leaf in form.leaves]
        whole = nest.pack_sequence_as(form.structure, leaves) if nest.is_nested(form.structure) else leaves[0]
        return self._values.encode(whole)


def _described(leaf: Any) -> Any:
    if is_composite(leaf):
        if not hasattr(leaf, "_type_spec"):
            raise Unsaveable(f"a {type(leaf).__name__}")
        return leaf._type_spec()
    if is_tensor(leaf):
        return TensorSpec(leaf.shape, leaf.dtype)
    return leaf


class ObjectReader:
    """Data -> objects."""

    def __init__(self, arrays: Reader) -> None:
        self._arrays = arrays
        self._variables: list[Variable] = []
        self._forms: list[ConcreteFunction] = []
        self._programs = ProgramReader(arrays, self._variable)
        self._values = Decoder(arrays, self._programs.read)

    def root(self, content: Place) -> LoadedModule:
        """The outermost object, everything in it made."""
        root, objects, variables, forms, signatures = content.fields(
            "root", "objects", "variables", "forms", "signatures"
        )
        with context.eagerly():
            self._variables = [self._made_variable(each) for each in variables.parts()]
        self._forms = [self._form(each) for each in forms.parts()]
        places = objects.parts()
        if len(places) > MOST_OBJECTS:
            raise objects.refuse(f"there are more than {MOST_OBJECTS} objects")
        # first all objects, then what is in them: an object may hold one that holds it
        made = [self._object(place) for place in places]
        for thing, place in zip(made, places):
            self._fill(thing, place, made)
        outermost = made[root.number(len(made))]
        if not isinstance(outermost, LoadedModule):
            raise root.refuse("the outermost object is no module")
        named = {name: self._signature(name, place) for name, place in signatures.items().items()}
        vars(outermost)["signatures"] = Signatures(named)
        return outermost

    def _variable(self, place: Place) -> Variable:
        return self._variables[place.number(len(self._variables))]

    def _made_variable(self, place: Place) -> Variable:
        name, dtype, shape, trainable, value = place.fields("name", "dtype", "shape", "trainable", "value")
        array = self._arrays.get(value)
        if array.dtype != dtype_of(dtype):
            raise value.refuse(f"the value is {array.dtype.name} and the variable {dtype.value}")
        static = shape_of(shape)
        if len(static) != array.ndim or any(a not in (None, b) for a, b in zip(static, array.shape)):
            raise value.refuse(f"the value is of shape {array.shape} and the variable of {static}")
        variable = Variable(Tensor(array), trainable=trainable.truth(), shape=static)
        variable._name = name.text()
        return variable

    def _object(self, place: Place) -> Any:
        kind = place.items().get("kind")
        if kind is None or kind.text() not in ("module", "list", "dict", "variable", "function"):
            raise place.refuse("it is of no known kind")
        if kind.value == "module":
            return LoadedModule()
        if kind.value == "list":
            return []
        if kind.value == "dict":
            return {}
        if kind.value == "variable":
            return self._variable(place.fields("kind", "variable")[1])
        _, name, parameters, forms = place.fields("kind", "name", "parameters", "forms")
        found = [self._forms[number.number(len(self._forms))] for number in forms.parts()]
        return LoadedFunction(name.text(), self._parameters(parameters), found)

    def _parameters(self, place: Place) -> inspect.Signature | None:
        if place.value is None:
            return None
        found = []
        for each in place.parts():
            name, kind, default = each.parts(3)
            if not name.text().isidentifier() or kind.text() not in _KINDS or len(default.parts()) > 1:
                raise each.refuse("it is no parameter")
            given = {"default": self._values.decode(default.parts()[0])} if default.parts() else {}
            found.append(inspect.Parameter(name.value, _KINDS[kind.value], **given))
        try:
            return inspect.Signature(found)
        except ValueError as error:
            raise place.refuse(f"these are no parameters ({quoted(str(error), 80)})") from error

    def _fill(self, thing: Any, place: Place, made: list[Any]) -> None:
        def part(number: Place) -> Any:
            return None if number.value is None else made[number.number(len(made))]

        if isinstance(thing, LoadedModule):
            _, name, parts = place.fields("kind", "name", "parts")
            if name.text():
                thing._name = name.value
            for key, number in parts.items().items():
                if key == "__call__":
                    vars(thing)["_called"] = part(number)
                    continue
                if not key.isidentifier() or key.startswith("__") or hasattr(LoadedModule, key) or key == "_name":
                    raise number.refuse(f"{quoted(key, 60)!r} is no name of an attribute")
                vars(thing)[key] = part(number)
        elif isinstance(thing, list):
            thing.extend(part(number) for number in place.fields("kind", "parts")[1].parts())
        elif isinstance(thing, dict):
            for pair in place.fields("kind", "parts")[1].parts():
                key, number = pair.parts(2)
                if type(key.value) not in (str, int):
                    raise key.refuse("it is no key")
                thing[key.value] = part(number)

    def _form(self, place: Place) -> ConcreteFunction:
        name, arguments_, results_, program_ = place.fields("name", "arguments", "results", "program")
        program = self._programs.read(program_)
        arguments = self._values.decode(arguments_)
        if not (isinstance(arguments, tuple) and len(arguments) == 2 and isinstance(arguments[1], dict)):
            raise arguments_.refuse("arguments are a tuple and a dict")
        leaves = [leaf for leaf in nest.flatten(arguments) if isinstance(leaf, TypeSpec)]
        specs: list[Any] = [part for leaf in leaves for part in parts_of_spec(leaf)]
        if [(s.shape, s.dtype.numpy_dtype) for s in specs] != [program.specs[i] for i in program.inputs]:
            raise arguments_.refuse("they are not the inputs of its program")
        whole = self._values.decode(results_)
        form = _form_of(whole, program, results_)
        given = Given(None, name.text(), *arguments)
        return ConcreteFunction(name.text(), Traced(None, program, form), given)  # type: ignore[arg-type]

    def _signature(self, name: str, place: Place) -> Signature:
        form, inputs, outputs = place.fields("form", "inputs", "outputs")
        concrete = self._forms[form.number(len(self._forms))]
        names = [each.text() for each in inputs.parts()], [each.text() for each in outputs.parts()]
        counts = len(concrete.program.inputs), len(concrete.program.outputs)
        if (len(names[0]), len(names[1])) != counts or len(set(names[0])) != counts[0]:
            raise place.refuse("its names are not as many as its arguments and results")
        return Signature(name, concrete, *names)


def _form_of(whole: Any, program: Program, place: Place) -> Form:
    leaves, counts = nest.flatten(whole), []
    for leaf in leaves:
        counts.append(len(leaf._parts()) if is_composite(leaf) else 1 if isinstance(leaf, TensorSpec) else -1)
    if sum(max(count, 0) for count in counts) != len(program.outputs):
        raise place.refuse(f"there are {len(program.outputs)} outputs, which is not what it returns")
    return Form(whole, leaves, counts)
