"""The program behind a function, a model or a recorded tape, to print, count, draw and save."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.autograph import converted
from tensorsmith.function.concrete import ConcreteFunction, traced_form
from tensorsmith.function.function import Function
from tensorsmith.program.program import Program
from tensorsmith.state.tape import GradientTape
from tensorsmith.state.variable import Variable
from tensorsmith.tensor.tensor import Symbol, Tensor


def program_of(thing: Any, *args: Any, **kwargs: Any) -> Program:
    """The operations behind `thing`, as a `tf.Program`: `print` it, `count()` it, `draw()` it.

    thing         a `tf.function` or any Python function of tensors, with arguments or `tf.TensorSpec`s to trace it for; a
                  traced form of one (`get_concrete_function`); a Keras model (how it predicts; a step of it as
                  `program_of(model.train_step, (x, y))`); a `tf.GradientTape` with what it recorded.
    args, kwargs  what a function or a model is traced for.

    Raises TypeError for a thing that no program stands behind.

    >>> import tensorsmith as tf
    >>> print(tf.program_of(lambda x: tf.sqrt(x) * 2.0, tf.TensorSpec([None, 3])))
    <lambda>:
    x = input                float32[None, 3]
    %0 = sqrt(x)             float32[None, 3]  ...
    %1 = multiply(%0, 2.0)   float32[None, 3]  ...
    return %1
    """
    if isinstance(thing, Program):
        return thing
    if isinstance(thing, ConcreteFunction):
        return thing.program
    if isinstance(thing, Function):
        return thing.get_concrete_function(*args, **kwargs).program
    if isinstance(thing, GradientTape):
        return recorded(thing)
    signature = getattr(thing, "_input_signature", None)
    if signature is not None and not args and not kwargs:
        args = signature()
    if not callable(thing):
        raise TypeError(
            explain(
                "program_of",
                "there is no program behind this",
                {"given": describe(thing)},
                "it takes a function, a traced form of one, a Keras model or a GradientTape",
            )
        )
    name = getattr(thing, "name", None) or getattr(thing, "__name__", type(thing).__name__)
    return traced_form(converted(thing), name, args, kwargs).program


def recorded(tape: GradientTape) -> Program:
    """What a tape has recorded: variables and watched tensors by name, all else that is not computed as constants."""
    program = Program("tape")
    numbers: dict[int, int] = {}
    keep: list[Any] = []
    for variable, values in tape._reads.values():
        for value in values:
            numbers[id(value)] = program.capture(variable, tuple(value.shape), value.dtype.numpy_dtype)
    for at, value in enumerate(tape._watched.values()):
        if id(value) not in numbers:
            numbers[id(value)] = program.input(tuple(value.shape), value.dtype.numpy_dtype, f"watched_{at}")

    def number(value: Any) -> int:
        if value is None:
            return -1
        found = numbers.get(id(value))
        if found is None:
            keep.append(value)
            symbolic = isinstance(value, Symbol)
            found = numbers[id(value)] = (
                program.input(tuple(value.shape), value.dtype.numpy_dtype, value._name)
                if symbolic
                else program.constant(value._array)
            )
        return found

    used: set[int] = set()
    for op, inputs, settings, outputs in tape._calls:
        flat: list[int] = []
        groups: list[int | None] = []
        for given in inputs:
            many = isinstance(given, (list, tuple))
            groups.append(len(given) if many else None)
            flat.extend(map(number, given if many else [given]))
        results = [outputs] if isinstance(outputs, (Tensor, Variable)) else list(outputs)
        specs = [(tuple(result.shape), result.dtype.numpy_dtype) for result in results]
        for result, made in zip(results, program.add(op, flat, tuple(groups), settings, specs)):
            numbers[id(result)] = made
        used.update(flat)
    program.outputs = [number for node in program.nodes for number in node.outputs if number not in used]
    return program
