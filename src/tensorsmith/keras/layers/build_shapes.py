"""Shapes as `build` gets them, and as they are saved."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.shapes import TensorShape


def as_tensor_shapes(shape: Any) -> Any:
    """Shapes as TensorShapes, whatever they came as: tuples, lists, nested lists of them."""
    if shape is None or isinstance(shape, TensorShape):
        return shape
    if isinstance(shape, dict):
        return {key: as_tensor_shapes(part) for key, part in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(d is None or isinstance(d, (int, np.integer)) for d in shape):
            return TensorShape(shape)
        return type(shape)(as_tensor_shapes(part) for part in shape)
    return shape


def as_lists(shape: Any) -> Any:
    if isinstance(shape, TensorShape):
        return list(shape)
    if isinstance(shape, dict):
        return {key: as_lists(part) for key, part in shape.items()}
    if isinstance(shape, (list, tuple)):
        return [as_lists(part) for part in shape]
    return shape
