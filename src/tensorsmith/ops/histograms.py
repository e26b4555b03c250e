"""How many values fall into each of a row of bins of one width."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.sorting import bincount
from tensorsmith.program.op import Array
from tensorsmith.tensor.apply import apply, plain, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_INT32, _FLOAT64 = np.dtype("int32"), np.dtype("float64")


@primitive(
    differentiable=False,
    kinds="fiu",
    quiet=True,
    shapes=lambda specs, settings: [(specs[0][0], settings["dtype"])],
)
def histogram_bins(xp, values: Array, value_range: Array, nbins: int, dtype: Any = _INT32):
    """The number of the bin of each value; those outside of the range belong to the first or the last one."""
    low, high = value_range.astype(_FLOAT64)[0], value_range.astype(_FLOAT64)[1]
    if xp is np:
        if not low < high:
            raise InvalidArgumentError(
                explain(
                    "histogram_fixed_width",
                    "the range is empty",
                    {"value_range": value_range.tolist()},
                    "value_range[0] must be below value_range[1]",
                )
            )
        if values.dtype.kind == "f" and np.isnan(values).any():
            raise InvalidArgumentError(explain("histogram_fixed_width", "a value is NaN"))
    place = xp.floor((values.astype(_FLOAT64) - low) / ((high - low) / nbins))
    # NaN, which a compiled program cannot refuse, would be any number
    place = xp.where(xp.isnan(place), 0.0, place)
    return xp.clip(place, 0, nbins - 1).astype(dtype)


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """The number of each value's bin, of `nbins` of equal width between value_range[0] and value_range[1].

        bin = floor((value - low) / (high - low) * nbins), within 0 and nbins - 1

    Raises InvalidArgumentError for NaN (compiled: it is counted in the first bin), an empty range, or nbins below 1.

    >>> import tensorsmith as tf
    >>> tf.histogram_fixed_width_bins([-1.0, 0.0, 1.5, 2.0, 5.0], [0.0, 5.0], nbins=5).numpy()
    array([0, 0, 1, 2, 4], dtype=int32)
    """
    count, wanted = int(plain(nbins)), dtypes.as_dtype(dtype)
    if count < 1:
        raise InvalidArgumentError(explain("histogram_fixed_width", "there must be a bin", {"nbins": count}))
    if wanted not in (dtypes.int32, dtypes.int64):
        raise InvalidArgumentError(
            explain("histogram_fixed_width", "counts are int32 or int64", {"dtype": wanted.name})
        )
    values = convert(values)
    value_range = convert(value_range, None, values.dtype.numpy_dtype)
    if not value_range.shape.is_compatible_with([2]):
        raise ValueError(
            explain("histogram_fixed_width", "value_range must be two numbers", {"value_range": value_range.shape})
        )
    return apply(histogram_bins, (values, value_range), {"nbins": count, "dtype": wanted.numpy_dtype})


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """How many values fall into each of `nbins` bins [nbins]; as `histogram_fixed_width_bins` numbers them.

    >>> import tensorsmith as tf
    >>> tf.histogram_fixed_width([-1.0, 0.0, 1.5, 2.0, 5.0], [0.0, 5.0], nbins=5).numpy()
    array([2, 1, 1, 0, 1], dtype=int32)
    """
    bins = histogram_fixed_width_bins(values, value_range, nbins, dtype)
    count = int(plain(nbins))
    return bincount(bins, minlength=count, maxlength=count, dtype=dtype)
