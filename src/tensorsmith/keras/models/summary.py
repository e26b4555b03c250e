"""The table of layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import nest


def text(model: Any, line_length: int | None = None, show_trainable: bool = False) -> str:
    """The table as it is printed: a row a layer, then the totals."""
    rows = [("Layer (type)", "Output Shape", "Param #", *(["Trainable"] if show_trainable else []))]
    for layer in model.layers:
        row = (f"{layer.name} ({type(layer).__name__})", _shape(layer), f"{_count(layer.weights):,}")
        rows.append((*row, *(["Y" if layer.trainable else "N"] if show_trainable else [])))
    widths = [max(len(row[i]) for row in rows) + 2 for i in range(len(rows[0]))]
    width = max(line_length or 0, sum(widths))
    lines = [f'Model: "{model.name}"', "_" * width]
    for at, row in enumerate(rows):
        lines.append("".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip())
        if at == 0:
            lines.append("=" * width)
    trained, fixed = _count(model.trainable_weights), _count(model.non_trainable_weights)
    lines += ["=" * width, f"Total params: {_size(model.weights, trained + fixed)}"]
    lines += [f"Trainable params: {_size(model.trainable_weights, trained)}"]
    lines += [f"Non-trainable params: {_size(model.non_trainable_weights, fixed)}", "_" * width]
    return "\n".join(lines)


def _count(variables: list[Any]) -> int:
    return sum(int(np.prod(v.shape)) for v in variables)


def _size(variables: list[Any], count: int) -> str:
    size = sum(int(np.prod(v.shape)) * v.dtype.size for v in variables)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{count:,} ({size:.2f} {unit})" if unit != "bytes" else f"{count:,} ({size} bytes)"
        size /= 1024
    raise AssertionError


def _shape(layer: Any) -> str:
    try:
        shape = layer.output_shape
    except AttributeError:
        return "?" if not layer.built else "multiple"
    return str(nest.map_structure(tuple, shape))
