"""First values as TensorFlow's own initializers give them: `tf.ones_initializer()(shape, dtype)`.

Those of `keras.initializers` follow Keras's floatx and are saved with models; these follow TensorFlow's dtypes.
"""

from __future__ import annotations

from typing import Any

from tensorsmith.core.dtypes import DType, as_dtype, float32
from tensorsmith.core.errors import explain
from tensorsmith.ops.creation import constant, ones, zeros
from tensorsmith.state import random_generator as random
from tensorsmith.state import random_stateless as stateless
from tensorsmith.tensor.tensor import Tensor


class _Initializer:
    """A function (shape, dtype) -> tensor with settings, which `get_config` tells and `from_config` takes."""

    def get_config(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The initializer of these settings; a dtype among them, which older ones had, says nothing."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})

    def _shape(self, shape: Any, settings: dict[str, Any]) -> Any:
        """The shape to fill: that of the part where a variable is made in parts."""
        unknown = set(settings) - {"partition_shape", "partition_offset"}
        if unknown:
            raise TypeError(explain(type(self).__name__, "there are no such arguments", {"given": sorted(unknown)}))
        part = settings.get("partition_shape")
        return shape if part is None else part


def _plain(dtype: Any, who: str) -> DType:
    wanted = as_dtype(dtype)
    if not (wanted.is_floating or wanted.is_integer or wanted.is_complex or wanted.is_bool):
        raise ValueError(explain(who, "the dtype must be numeric or bool", {"dtype": wanted.name}))
    return wanted


class zeros_initializer(_Initializer):
    """Zeros of any dtype but string.

    >>> import tensorsmith as tf
    >>> tf.zeros_initializer()([2], tf.int32).numpy()
    array([0, 0], dtype=int32)
    """

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        return zeros(self._shape(shape, kwargs), _plain(dtype, "zeros_initializer"))


class ones_initializer(_Initializer):
    """Ones of any dtype but string.

    >>> import tensorsmith as tf
    >>> tf.ones_initializer()([2]).numpy()
    array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        return ones(self._shape(shape, kwargs), _plain(dtype, "ones_initializer"))


class constant_initializer(_Initializer):
    """One value everywhere, or the values of a list or array, in order, that has as many elements.

    dtype  of the values where it is not given.
    Raises TypeError where there are not so many values.

    >>> import tensorsmith as tf
    >>> tf.constant_initializer([1, 2, 3, 4])([2, 2]).numpy()
    array([[1, 2],
           [3, 4]], dtype=int32)
    """

    def __init__(self, value: Any = 0, support_partition: bool = False) -> None:
        self.value = value
        self._whole = not support_partition

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        sizes = self._shape(shape, kwargs)
        if self._whole and sizes is not shape:
            raise ValueError(explain("constant_initializer", "a part was asked for", way_out="Set support_partition."))
        return constant(self.value, dtype, sizes)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class random_normal_initializer(_Initializer):
    """Numbers of a normal distribution; with a seed the same ones at each call.

    >>> import tensorsmith as tf
    >>> init = tf.random_normal_initializer(seed=1)
    >>> bool(tf.reduce_all(init([3]) == init([3])))
    True
    """

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        wanted, sizes = as_dtype(dtype), self._shape(shape, kwargs)
        if not wanted.is_floating:
            raise ValueError(explain("random_normal_initializer", "the dtype must be a float", {"dtype": wanted.name}))
        if self.seed is None:
            return random.normal(sizes, self.mean, self.stddev, wanted)
        return stateless.stateless_normal(sizes, [self.seed, 0], self.mean, self.stddev, wanted)


class random_uniform_initializer(_Initializer):
    """Numbers evenly spread over [minval, maxval), floats or integers; with a seed the same ones at each call.

    >>> import tensorsmith as tf
    >>> tf.random_uniform_initializer(0, 10)([3], tf.int32).shape
    TensorShape([3])
    """

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        wanted, sizes = as_dtype(dtype), self._shape(shape, kwargs)
        if not (wanted.is_floating or wanted.is_integer):
            raise ValueError(explain("random_uniform_initializer", "the dtype must be numeric", {"dtype": wanted.name}))
        low, high = (constant(bound, wanted) if wanted.is_integer else bound for bound in (self.minval, self.maxval))
        if self.seed is None:
            return random.uniform(sizes, low, high, wanted)
        return stateless.stateless_uniform(sizes, [self.seed, 0], low, high, wanted)
