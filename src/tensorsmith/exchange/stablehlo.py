"""Programs as StableHLO, written by `jax.export`: any runtime that reads it runs them, without Tensorsmith.

exported = jax.export.deserialize(bytearray(open("m.stablehlo", "rb").read()))
exported.call(x)
"""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.exchange import atomic
from tensorsmith.exchange.inference import Inference, inference, needs, nodes_within
from tensorsmith.program.calls import calls_python
from tensorsmith.program.execute import guard, jax, on_numpy
from tensorsmith.program.lower import lower


def export(thing: Any, filepath: Any, input_signature: Any = None, platforms: Any = None) -> None:
    """Writes how a function or model computes its results as StableHLO, its variables as constants in it.

    thing            a traced function with one signature, a Keras model, a loaded model or signature.
    input_signature  TensorSpecs of the arguments; sizes of None stay open (one name for all first axes where the
                     program needs them equal).
    platforms        names such as ("cpu", "cuda", "tpu"); by default the one of this process.

    The file is read by `jax.export.deserialize` and its `call` takes the arguments in order.
    Raises ValueError, naming the operation, where XLA cannot run the program; ModuleNotFoundError without flatbuffers.
    """
    needs("flatbuffers", 'export(..., "m.stablehlo")')
    data = bytes(exported(inference(thing, input_signature), platforms).serialize())
    path = atomic.checked_target(filepath)
    atomic.write_file(path, lambda file: file.write(data))


def exported(what: Inference, platforms: Any = None) -> Any:
    """The `jax.export.Exported` of a program."""
    program = what.program
    if on_numpy(program) or calls_python(program):
        raise ValueError(
            explain(
                "export to StableHLO",
                "the program holds what XLA cannot run",
                {
                    "operations": ", ".join(sorted({n.op.name for n in nodes_within(program) if _on_numpy(n)}))
                    or "texts"
                },
                "sizes that hang on values, texts and calls of Python code run on NumPy only",
            )
        )
    module = jax()
    run = lower(program, module.numpy)
    captured = [what.values[number] for _, number in program.captures]

    def function(*inputs: Any) -> Any:
        return run(list(inputs), [module.numpy.asarray(value) for value in captured])[0]

    import jax.export as jax_export

    with guard():
        failed: Exception | None = None
        for shared in (False, True):
            shapes = _shapes(what, shared, jax_export)
            try:
                return jax_export.export(module.jit(function), platforms=platforms)(*shapes)
            except Exception as error:
                # sizes that are named apart may have to be equal: then the first axes share one name
                failed = failed or error
                if not any(None in shape for _, shape, _ in what.inputs):
                    break
                failed = error
        assert failed is not None
        raise ValueError(
            explain(
                "export to StableHLO",
                f"JAX cannot trace the program for sizes that are open: {str(failed).splitlines()[0].rstrip('.')}",
                {"inputs": [f"{name}{list(shape)}" for name, shape, _ in what.inputs]},
                way_out="Give an input_signature with known sizes.",
            )
        ) from failed


def _on_numpy(node: Any) -> bool:
    return node.op.eager or any(type(setting).__name__ == "Call" for setting in node.settings.values())


def _shapes(what: Inference, shared: bool, jax_export: Any) -> list[Any]:
    scope = jax_export.SymbolicScope()
    made = []
    for at, (_, shape, dtype) in enumerate(what.inputs):
        if None in shape:
            names = [
                str(size) if size is not None else "batch" if shared and axis == 0 else f"d{at}_{axis}"
                for axis, size in enumerate(shape)
            ]
            shape = jax_export.symbolic_shape(",".join(names), scope=scope)
        made.append(jax().ShapeDtypeStruct(shape, dtype))
    return made
