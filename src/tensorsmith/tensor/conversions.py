"""Users' own values as tensors: register_tensor_conversion_function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import dtypes, ports
from tensorsmith.core.errors import explain
from tensorsmith.tensor.tensor import Tensor

# (priority, number of the registration, class, function), in the order in which they are asked
_registered: list[tuple[int, int, type, Callable[..., Any]]] = []
_NUMBERS = (int, float, complex, bool, str, bytes, np.ndarray, np.generic)


def register_tensor_conversion_function(
    base_type: Any, conversion_func: Callable[..., Any], priority: int = 100
) -> None:
    """Tells how values of a class become tensors, wherever a tensor is taken.

    base_type        a class, or a tuple of classes; their subclasses count too.
    conversion_func  function(value, dtype=None, name=None, as_ref=False) -> Tensor, or NotImplemented to let the next
                     one try. dtype, where it is given, is the one that the tensor must have.
    priority         those with a lower one are asked first; of equal ones the first that was registered.

    Raises TypeError for what is no class, no function, or a class of numbers, which have a conversion already.

    >>> import tensorsmith as tf
    >>> class Metres:
    ...     def __init__(self, n):
    ...         self.n = n
    >>> tf.register_tensor_conversion_function(Metres, lambda v, dtype=None, name=None, as_ref=False: tf.constant(v.n, dtype))
    >>> (tf.constant([1.0]) + Metres(2.0)).numpy()
    array([3.], dtype=float32)
    """
    who = "register_tensor_conversion_function"
    kinds = base_type if isinstance(base_type, tuple) else (base_type,)
    if not kinds or not all(isinstance(kind, type) for kind in kinds):
        raise TypeError(explain(who, "base_type must be a class or a tuple of classes", {"base_type": repr(base_type)}))
    if any(issubclass(kind, _NUMBERS) for kind in kinds):
        raise TypeError(
            explain(
                who, "Python's and NumPy's numbers, texts and arrays have a conversion", {"base_type": repr(base_type)}
            )
        )
    if not callable(conversion_func):
        raise TypeError(explain(who, "conversion_func must be a function", {"conversion_func": repr(conversion_func)}))
    for kind in kinds:
        _registered.append((priority, len(_registered), kind, conversion_func))
        ports.converters[kind] = _converted
    _registered.sort(key=lambda row: row[:2])


def _converted(value: Any, dtype: Any) -> Tensor:
    for _, _, kind, function in _registered:
        if not isinstance(value, kind):
            continue
        found = function(value, dtype=dtype)
        if found is NotImplemented:
            continue
        who = getattr(function, "__name__", "a conversion function")
        if not isinstance(found, Tensor):
            raise RuntimeError(explain(who, "it must give a tensor", {"given": type(found).__name__}))
        if dtype is not None and found.dtype != dtypes.as_dtype(dtype):
            raise RuntimeError(
                explain(
                    who,
                    "it gave a tensor of another dtype",
                    {"given": found.dtype.name, "dtype": dtypes.as_dtype(dtype).name},
                )
            )
        return found
    raise TypeError(
        f"Cannot convert a {type(value).__name__} to a Tensor: every registered conversion function gave NotImplemented."
    )
