"""A model as what leaves the process: its functions for inference and training, and the formats of `export`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.exchange import exporting, saved_model
from tensorsmith.function.function import Function


def functions(model: Any) -> dict[str, Any]:
    """`serve`, how the model predicts, and `__call__`, which also takes `training`; both of any batch size."""
    (inputs,) = model._input_signature()
    call = Function(_called(model), autograph=False, name="__call__")
    call.get_concrete_function(inputs)
    call.get_concrete_function(inputs, training=True)
    return {"serve": serving(model), "__call__": call}


def serving(model: Any, input_signature: Any = None) -> Function:
    """How a model predicts, as a function of its inputs."""
    if input_signature is None:
        input_signature = model._input_signature()
    elif not isinstance(input_signature, (list, tuple)):
        input_signature = [input_signature]

    def serve(inputs: Any) -> Any:
        return model(inputs, training=False)

    return Function(serve, input_signature, autograph=False, name="serve")


def _called(model: Any) -> Callable[..., Any]:
    def call(inputs: Any, training: bool = False) -> Any:
        return model(inputs, training=training)

    return call


def _write_saved_model(model: Any, path: str, input_signature: Any) -> None:
    function = None if input_signature is None else serving(model, input_signature)
    signatures = None if function is None else {"serve": function, "serving_default": function}
    saved_model.save(model, path, signatures=signatures)


FORMATS: dict[str, Callable[..., None]] = {"tf_saved_model": _write_saved_model, **exporting.FORMATS}


def export(
    model: Any,
    filepath: Any,
    format: str = "tf_saved_model",
    verbose: Any = None,
    input_signature: Any = None,
    **kwargs: Any,
) -> None:
    """What `Model.export` does."""
    write = FORMATS.get(format)
    if write is None:
        raise ValueError(
            explain(
                "export", "there is no such format", {"format": repr(format), "formats": ", ".join(map(repr, FORMATS))}
            )
        )
    path = os.fsdecode(filepath)
    write(model, path, input_signature=input_signature, **kwargs)
    if verbose or verbose is None:
        print(f"Saved artifact at {path!r}.")
