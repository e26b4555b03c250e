"""What a value is: a tensor, a symbol, a known constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import ports
from tensorsmith.tensor.tensor import Symbol, Tensor


def is_tensor(x: Any) -> bool:
    """True for a tensor, a variable, a ragged or a sparse tensor.

    >>> import tensorsmith as tf
    >>> tf.is_tensor(tf.constant(1.0)), tf.is_tensor(1.0)
    (True, False)
    """
    return isinstance(x, Tensor) or hasattr(x, "_read") or type(x) in ports.lifters


def is_symbolic_tensor(x: Any) -> bool:
    """True for a tensor whose value is not known while a program is traced.

    >>> import tensorsmith as tf
    >>> tf.is_symbolic_tensor(tf.constant(1.0))
    False
    """
    return isinstance(x, Symbol)


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor as a NumPy array where it is known, else None.

    >>> import tensorsmith as tf
    >>> tf.get_static_value(tf.constant([1, 2]))
    array([1, 2], dtype=int32)
    """
    if isinstance(tensor, Symbol):
        return None
    return tensor.numpy() if isinstance(tensor, Tensor) else np.asarray(tensor)
