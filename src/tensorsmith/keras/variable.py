"""The variable of layers, metrics and optimizers: an initializer, a shape, a path."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context
from tensorsmith.core.dtypes import as_dtype
from tensorsmith.core.errors import explain
from tensorsmith.state.variable import Variable as StateVariable
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class _Allowance(threading.local):
    """How many elements the variables made on this thread may still have together; None: any number.

    Set while a model is made from a file, whose config must not ask for more weights than the file holds.
    """

    elements: int | None = None


allowance = _Allowance()


class Variable(StateVariable):
    """A weight.

    initializer  a function (shape, dtype) -> value, or a value.
    shape        its full shape; not needed with a value.
    dtype        "float32" by default.
    trainable    whether optimizers change it.
    name, path   `kernel`, and `dense/kernel`: where it stands in its model.

    >>> Variable(lambda shape, dtype: np.zeros(shape, "float32"), shape=(2,), name="bias").numpy()
    array([0., 0.], dtype=float32)
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = None,
        name: str | None = None,
        regularizer: Callable[[Any], Any] | None = None,
        constraint: Callable[[Any], Any] | None = None,
        path: str | None = None,
    ) -> None:
        dtype = as_dtype(dtype or "float32")
        name = name or "variable"
        with context.eagerly():
            if callable(initializer) and not isinstance(initializer, (Tensor, StateVariable)):
                if shape is None:
                    raise ValueError(
                        f"The variable {name!r} needs a shape, as its first value comes from an initializer."
                    )
                shape = tuple(int(d) for d in shape)
                value = _initial(initializer, shape, dtype, name)
            else:
                value = initializer
        super().__init__(value, trainable=trainable, dtype=dtype, name=name, constraint=constraint)
        self._name = name
        self.path = path or name
        self.regularizer, self.aggregation = regularizer, aggregation

    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype.name}, value={self._tensor._array}>"


def _initial(initializer: Any, shape: tuple[int, ...], dtype: Any, name: str) -> Any:
    if allowance.elements is not None:
        allowance.elements -= math.prod(shape)
        if allowance.elements < 0:
            raise ValueError(f"The weight {name!r} of shape {shape} is larger than all that is stored for it.")
    value = initializer(shape, dtype=dtype)
    tensor = convert(value, None, dtype.numpy_dtype)
    if tuple(tensor.shape) != shape:
        raise ValueError(
            explain(
                f"initializer of {name!r}",
                f"{getattr(initializer, '__name__', type(initializer).__name__)} gave another shape than was asked",
                {"given": tuple(tensor.shape), "asked": shape},
            )
        )
    if tensor.dtype is not dtype:
        tensor = Tensor(np.asarray(tensor._array).astype(dtype.numpy_dtype))
    return tensor
