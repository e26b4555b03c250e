"""Points that fill a cube evenly: Sobol's sequence."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.tensor import Tensor


def sobol_sample(
    dim: Any, num_results: Any, skip: Any = 0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Points of Sobol's sequence in the unit cube: [num_results, dim], the first `skip` of them left out.

    dtype: float32 or float64. The sequence begins with the cube's middle, as in TensorFlow. Raises
    InvalidArgumentError for a dimension or a count below 1, or a skip below 0. Source: Joe and Kuo (2008).

    >>> import tensorsmith as tf
    >>> tf.math.sobol_sample(2, 3).numpy()
    array([[0.5 , 0.5 ],
           [0.75, 0.25],
           [0.25, 0.75]], dtype=float32)
    """
    sizes = {"dim": plain(dim, "dim"), "num_results": plain(num_results, "num_results"), "skip": plain(skip, "skip")}
    if sizes["dim"] < 1 or sizes["num_results"] < 1 or sizes["skip"] < 0:
        raise InvalidArgumentError(
            explain("sobol_sample", "sizes are too small", sizes, "dim and num_results at least 1, skip at least 0")
        )
    wanted = dtypes.as_dtype(dtype)
    if not wanted.is_floating:
        raise ValueError(f"sobol_sample: dtype must be a float, not {wanted.name}.")
    from scipy.stats import qmc

    with warnings.catch_warnings():
        # SciPy warns of counts that are no power of 2
        warnings.simplefilter("ignore", UserWarning)
        # (its first point is the corner 0)
        points = qmc.Sobol(sizes["dim"], scramble=False).fast_forward(sizes["skip"] + 1).random(sizes["num_results"])
    return Tensor(np.ascontiguousarray(points.astype(wanted.numpy_dtype)))
