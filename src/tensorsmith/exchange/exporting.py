"""export: a function or model in a file of the kind that its name says."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.exchange import stablehlo
from tensorsmith.exchange.onnx import writing as onnx

FORMATS: dict[str, Callable[..., None]] = {"onnx": onnx.export, "stablehlo": stablehlo.export}


def export(thing: Any, filepath: Any, format: str | None = None, input_signature: Any = None, **kwargs: Any) -> None:
    """Writes how a function or a model computes its results, to be run by another runtime.

    thing            a `tf.function` with one signature, one of its traced forms, a Keras model, or what
                     `tf.saved_model.load` gave.
    format           "onnx" (run by onnxruntime, opset 18) or "stablehlo" (read by `jax.export.deserialize`); by default
                     what the ending of `filepath` says.
    input_signature  TensorSpecs of the arguments, where the thing does not know them itself.
    kwargs           what the format takes besides: `platforms=("cpu", "cuda")` of "stablehlo".

    Only results are exported: what the function assigns, prints or checks is left out.

    Raises ValueError for an unknown format and, naming the operation, for what the format cannot hold.
    """
    found = format or os.path.splitext(os.fsdecode(filepath))[1].removeprefix(".")
    write = FORMATS.get(found)
    if write is None:
        raise ValueError(
            explain(
                "export",
                "there is no such format",
                {"format": repr(found), "formats": ", ".join(map(repr, FORMATS))},
                way_out="Name it by the ending of the file, or by format=. tf.saved_model.save writes a folder.",
            )
        )
    write(thing, filepath, input_signature=input_signature, **kwargs)
