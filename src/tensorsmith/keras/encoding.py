"""Labels to arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.errors import explain


def to_categorical(x: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Class numbers as one-hot rows: [...] or [..., 1] of integers -> [..., num_classes].

    num_classes  by default the largest number plus 1.

    Raises ValueError for numbers below 0, or not below num_classes.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = np.asarray(x)
    if labels.dtype.kind not in "iub":
        whole = labels.astype("int64")
        if not np.array_equal(whole, labels):
            raise ValueError(explain("to_categorical", "class numbers must be whole", {"dtype": labels.dtype.name}))
        labels = whole
    labels = labels.astype("int64")
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    flat = labels.ravel()
    count = num_classes or (int(flat.max()) + 1 if flat.size else 0)
    if flat.size and (flat.min() < 0 or flat.max() >= count):
        given = {"least": int(flat.min()), "greatest": int(flat.max()), "num_classes": count}
        raise ValueError(
            explain("to_categorical", "a class number has no place", given, "they go from 0 to num_classes - 1")
        )
    rows = np.zeros((flat.size, count), getattr(dtype, "as_numpy_dtype", dtype))
    rows[np.arange(flat.size), flat] = 1
    return rows.reshape((*shape, count))
