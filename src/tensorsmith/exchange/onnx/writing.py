"""Walks a program and writes its ONNX model: variables as initializers, open sizes as names."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.exchange import atomic
from tensorsmith.exchange.inference import Inference, inference
from tensorsmith.exchange.onnx import control, nodes, primitives
from tensorsmith.exchange.onnx.graph import IR_VERSION, OPSET, Builder, NotInOnnx, Shared, refused
from tensorsmith.program import lower
from tensorsmith.program.execute import guard, jax
from tensorsmith.program.lower import FOLD, Group
from tensorsmith.program.program import Node
from tensorsmith.version import __version__

LARGEST_BYTES = 2**31 - 1
BRANCHES = control  # its rules are among those of `primitives`


def export(thing: Any, filepath: Any, input_signature: Any = None) -> None:
    """Writes how a function or model computes its results as an ONNX model (opset 18), its variables as initializers.

    thing            a traced function with one signature, a Keras model, a loaded model or signature.
    input_signature  TensorSpecs of the arguments; sizes of None stay open.

    Raises ValueError, naming the operation and its line, for what ONNX cannot hold; ModuleNotFoundError without onnx.
    """
    data = model(inference(thing, input_signature)).SerializeToString()
    path = atomic.checked_target(filepath)
    atomic.write_file(path, lambda file: file.write(data))


def model(what: Inference) -> Any:
    """The ONNX model of a program, checked."""
    import jax.export as jax_export

    with guard():
        try:
            made = _written(what, jax_export)
        except Exception as error:
            if not type(error).__module__.startswith("jax."):
                raise
            raise ValueError(
                explain(
                    "export to ONNX",
                    f"JAX cannot trace the program for sizes that are open: {str(error).splitlines()[0].rstrip('.')}",
                    {"inputs": [f"{name}{list(shape)}" for name, shape, _ in what.inputs]},
                    way_out="Give an input_signature with known sizes, or save it as 'tf_saved_model'.",
                )
            ) from error
    size = made.ByteSize()
    if size > LARGEST_BYTES:
        raise ValueError(
            explain(
                "export to ONNX",
                "the model is too large for one file",
                {"bytes": size},
                f"ONNX files hold {LARGEST_BYTES} bytes",
                "tf.saved_model.save holds models of any size.",
            )
        )
    return made


def _written(what: Inference, jax_export: Any) -> Any:
    try:
        return _Writer(what, False, jax_export).model()
    except (TypeError, ValueError) as error:
        if isinstance(error, _Refused) or not any(None in shape for _, shape, _ in what.inputs):
            raise
    # sizes that are named apart have to be equal: the first axes share one name
    return _Writer(what, True, jax_export).model()


class _Refused(ValueError):
    """Told already; no other naming of sizes would help."""


class _Writer:
    def __init__(self, what: Inference, shared: bool, jax_export: Any) -> None:
        self.what, self.shared = what, Shared()
        self.b = Builder(self.shared)
        self.names: dict[int, str] = {}
        self.shapes: dict[int, tuple[Any, ...]] = {}
        # what is known while the program is written: constants, and sizes
        self.known: dict[int, Any] = {}
        scope = jax_export.SymbolicScope()
        program = what.program
        self.inputs = []
        for at, ((name, shape, dtype), number) in enumerate(zip(what.inputs, program.inputs)):
            label = self.b.name(name)
            named = [
                size if size is not None else ("batch" if axis == 0 and (shared or at == 0) else f"{name}_{axis}")
                for axis, size in enumerate(shape)
            ]
            for axis, size in enumerate(named):
                if isinstance(size, str):
                    self.shared.sizes.setdefault(size, (label, axis))
            open_ = any(isinstance(size, str) for size in named)
            self.names[number] = label
            self.shapes[number] = (
                tuple(jax_export.symbolic_shape(",".join(map(str, named)), scope=scope)) if open_ else tuple(shape)
            )
            self.inputs.append((label, dtype, named))
        for number, array in what.values.items():
            self.shapes[number] = array.shape
            if number in what.names:
                self.names[number] = ""  # an initializer, made where it is first used
            else:
                self.known[number] = array

    def name_of(self, number: int) -> str:
        """What a value is called in the graph; a constant, or a size, becomes one where it is first used."""
        found = self.names.get(number)
        if found:
            return found
        label, self.b.label = self.b.label, ""
        if number in self.what.names:
            found = self.b.constant(self.what.values[number], name=self.what.names[number])
        else:
            found = self._known_name(number)
        self.b.label = label
        self.names[number] = found
        return found

    def _known_name(self, number: int) -> str:
        dtype = self.what.program.specs[number][1]
        value = self.known[number]
        if isinstance(value, np.ndarray) and value.dtype != object:
            return self.b.constant(value)
        sizes = np.asarray(value, object)
        vector = self.b.shape(sizes.ravel().tolist())
        vector = vector if dtype == np.int64 else self.b.add("Cast", vector, to=self.b.type_of(dtype))
        return vector if sizes.ndim == 1 else self.b.add("Reshape", vector, self.b.ints(*sizes.shape))

    def model(self) -> Any:
        program, b, helper = self.what.program, self.b, self.b.helper
        for step in lower.schedule(program.nodes):
            node = step.node if isinstance(step, Group) else step
            b.label = f"{node.part}/{node.op.name}" if node.part else node.op.name
            try:
                self._group(step) if isinstance(step, Group) else self._node(step)
            except NotInOnnx as error:
                raise _Refused(str(refused(node.op.name, str(error), node.where))) from None
        b.label = ""
        outputs = []
        for (name, _, dtype), number in zip(self.what.outputs, program.outputs):
            try:
                label = b.name(name)
                b.nodes.append(helper.make_node("Identity", [self.name_of(number)], [label], name=label))
                outputs.append((label, dtype, [s if isinstance(s, int) else str(s) for s in self.shapes[number]]))
            except NotInOnnx as error:
                raise _Refused(str(refused(name, str(error), None))) from None

        def info(each: Any) -> Any:
            name, dtype, shape = each
            try:
                return helper.make_tensor_value_info(name, b.type_of(dtype), shape)
            except NotInOnnx as error:
                raise _Refused(str(refused(name, str(error), None))) from None

        graph = helper.make_graph(
            b.nodes, program.name or "program", [info(i) for i in self.inputs], [info(o) for o in outputs],
            self.shared.initializers,
        )  # fmt: skip
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="tensorsmith",
            producer_version=__version__,
        )  # fmt: skip
        self.shared.onnx.checker.check_model(made, full_check=made.ByteSize() < LARGEST_BYTES)
        return made

    # ---- one step

    def _node(self, node: Node) -> None:
        if all(number in self.known for number in node.inputs if number >= 0) and self._folded(node):
            return
        if node.op.eager or any(
            self.what.program.specs[i][1] == object for i in (*node.inputs, *node.outputs) if i >= 0
        ):
            raise NotInOnnx("texts" if not node.op.eager else "a result whose size hangs on values")
        env: dict[int, Any] = {}

        def run(env: dict[int, Any]) -> list[Any]:
            results = node.op.kernel(jax().numpy, *lower.arguments(node, env), **node.settings)
            return list(results) if isinstance(results, (tuple, list)) else [results]

        open_ = [n for n in dict.fromkeys(node.inputs) if n >= 0 and n not in self.known]
        env.update({n: self.known[n] for n in node.inputs if n in self.known})
        sizes = [n for n, value in env.items() if value.dtype == object]
        try:
            closed, shapes = self._traced(run, env, open_, node.outputs)
        except (TypeError, ValueError):
            if not sizes:
                raise
            # open sizes that are no sizes here but numbers to reckon with
            open_ += sizes
            closed, shapes = self._traced(run, env, open_, node.outputs)
        if all(number in self.known for number in node.outputs):
            return
        own = None
        if len(node.outputs) == 1:
            own = nodes.own(self.b, node.op.name, self._call(node, shapes[0]))
        results = [own] if own else primitives.jaxpr(self.b, closed, [self.name_of(n) for n in open_])
        for number, result in zip((n for n in node.outputs if n not in self.known), results):
            self.names[number] = result

    def _call(self, node: Node, shape: Any) -> nodes.Call:
        specs = self.what.program.specs
        given = {n: self.name_of(n) for n in node.inputs if n >= 0}
        sizes = {n: self.shapes[n] for n in node.inputs if n >= 0}
        first = next((n for n in node.inputs if n >= 0), None)
        # the condition of `where` is no measure of what it gives
        dtype = specs[node.outputs[0]][1] if first is None else specs[first][1]
        packed = lower.arguments(node, given)
        return nodes.Call(packed, lower.arguments(node, sizes), dtype, node.settings, shape, specs[node.outputs[0]][1])

    def _folded(self, node: Node) -> bool:
        """Computes a node of small known arrays here and now."""
        values = [self.known[n] for n in node.inputs if n >= 0]
        small = all(v.size <= FOLD for v in values)
        if not values or not small or any(hasattr(s, "nodes") for s in node.settings.values()):
            return False
        sizes = any(v.dtype == object for v in values)
        if any(self.what.program.specs[i][1] == object for i in (*node.inputs, *node.outputs) if i >= 0):
            return False  # texts
        try:
            results = node.op.kernel(np, *lower.arguments(node, self.known), **node.settings)
        except (TypeError, ValueError):
            if sizes:
                return False
            raise
        results = results if isinstance(results, (tuple, list)) else [results]
        for number, result in zip(node.outputs, results):
            self.known[number] = np.asarray(result)
            self.shapes[number] = np.shape(result)
        return True

    def _group(self, group: Group) -> None:
        """A gradient with the nodes that it differentiates, as JAX makes it."""
        made = [*(o for node in group.slice for o in node.outputs), *group.node.outputs]
        needed = {n for node in [*group.slice, group.node] for n in node.inputs if n >= 0}
        late = [
            node for step in group.late for node in ([step] if isinstance(step, Node) else [*step.slice, step.node])
        ]
        made += [o for node in late for o in node.outputs]
        needed |= {n for node in late for n in node.inputs if n >= 0}
        inside = set(made)
        open_ = sorted(n for n in needed if n not in inside and n not in self.known)
        env = {n: self.known[n] for n in needed if n in self.known}

        def run(env: dict[int, Any]) -> list[Any]:
            lower.execute([group], env, jax().numpy)
            return [env[n] for n in made]

        closed, _ = self._traced(run, env, open_, made)
        results = primitives.jaxpr(self.b, closed, [self.name_of(n) for n in open_])
        self.names.update(zip((n for n in made if n not in self.known), results))

    def _traced(self, run: Any, env: dict[int, Any], open_: list[int], made: Any) -> tuple[Any, list[Any]]:
        """The jaxpr of a step from what is not known yet; what needs no run is noted as known, shapes too."""
        module, specs = jax(), self.what.program.specs
        found: list[Any] = []

        def function(*arrays: Any) -> list[Any]:
            results = run({**env, **dict(zip(open_, arrays))})
            found[:] = [None if isinstance(r, module.core.Tracer) else r for r in results]
            return [r for r in results if isinstance(r, module.core.Tracer)]

        structs = [module.ShapeDtypeStruct(self.shapes[n], specs[n][1]) for n in open_]
        closed = module.make_jaxpr(function)(*structs)
        shapes = iter(closed.out_avals)
        result = []
        for number, value in zip(made, found):
            if value is None:
                self.shapes[number] = tuple(next(shapes).shape)
            else:
                self.known[number] = np.asarray(value) if not isinstance(value, np.ndarray) else value
                self.shapes[number] = np.shape(self.known[number])
            result.append(self.shapes[number])
        return closed, result
