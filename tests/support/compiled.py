"""Runs a function as training runs a step: traced once on symbols, compiled by XLA, new values of variables set at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.function.trace import trace
from tensorsmith.program import execute
from tensorsmith.tensor.tensor import Tensor


def run(function: Callable[..., Any], *arrays: Any) -> Any:
    """What `function(*arrays)` gives when it is compiled for batches of any number of rows."""
    arrays = tuple(np.asarray(array) for array in arrays)

    def body(graph: Any) -> Any:
        return function(*(graph.input((None, *array.shape[1:]), array.dtype) for array in arrays))

    traced = trace(body)
    captured = [variable._tensor._array for variable, _ in traced.program.captures]
    outputs, updates = execute.run(traced.program, list(arrays), captured)
    for (variable, _), value in zip(traced.program.updates, updates, strict=True):
        variable._tensor = Tensor(value)
    return traced.pack(outputs)
