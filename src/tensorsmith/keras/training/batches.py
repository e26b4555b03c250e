"""Arrays, ragged and sparse tensors, datasets and generators become batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.keras import config
from tensorsmith.structures.columns import Column, column_of, has_column
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


class ArrayData:
    """Arrays, and columns of ragged and sparse tensors, that all have the same number of rows.

    arrays     the flat list of them.
    parts      x, y and sample_weight as far as they were given, nested.
    structure  what a step gets: (x, y, sample_weight), (x, y), (x,) for several inputs, or x itself for one array.
    rows       their number of rows.
    """

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None, who: str = "fit") -> None:
        parts: tuple[Any, ...] = (x,)
        if sample_weight is not None:
            parts = (x, y, sample_weight)
        elif y is not None:
            parts = (x, y)
        names = ("x", "y", "sample_weight")
        self.parts = tuple(as_arrays(part, f"{who}: {name}") for part, name in zip(parts, names))
        self.structure = packed(self.parts)
        self.arrays: list[Any] = nest.flatten(self.parts)
        if not self.arrays:
            raise ValueError(f"{who}: x holds no data.")
        sizes = {a.shape[0] if len(a.shape) else None for a in self.arrays}
        if len(sizes) > 1 or None in sizes:
            told = ", ".join(
                f"{name} {[tuple(a.shape) for a in nest.flatten(part)]}" for name, part in zip(names, self.parts)
            )
            raise ValueError(f"{who}: all arrays must have the same number of rows; their shapes are: {told}.")
        self.rows: int = len(self.arrays[0])

    def take(self, rows: Any) -> ArrayData:
        """The same for some of the rows: a slice, or indices."""
        taken = object.__new__(ArrayData)
        taken.parts = nest.map_structure(lambda a: a[rows], self.parts)
        taken.structure = packed(taken.parts)
        taken.arrays = nest.flatten(taken.parts)
        taken.rows = len(taken.arrays[0])
        return taken

    @property
    def irregular(self) -> bool:
        """True where no two batches need be of one shape."""
        return is_irregular(self.parts)

    def warn_not_finite(self, who: str) -> str | None:
        """The text of a warning that names the first array with NaN or infinite values; None when there is none."""
        for part, name in zip(self.parts, ("x", "y", "sample_weight")):
            for array in nest.flatten(part):
                column = isinstance(array, Column)
                values = array.values if column else array
                if values.dtype.kind != "f" or not values.size:
                    continue
                # a sum is NaN or infinite when an element is (or, rarely, when it overflows): one pass, no copy
                if np.isfinite(values.sum(dtype=np.float64)):
                    continue
                strange = ~np.isfinite(values)
                bad = array.places(strange) if column else np.argwhere(strange)
                if len(bad):
                    rows = len(np.unique(bad[:, 0]))
                    return (
                        f"{who}: {name} holds {len(bad)} values that are NaN or infinite, in {rows} of {len(array)} rows "
                        f"(the first at {tuple(int(i) for i in bad[0])}); the loss will be NaN. "
                        "Take these rows out, or fill them in (np.nan_to_num)."
                    )
        return None


def packed(parts: tuple[Any, ...]) -> Any:
    """What a step is given for these parts: one array alone stands for itself, as in Keras."""
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], (tuple, list)) else parts


def is_irregular(batch: Any) -> bool:
    """True for a nested batch with ragged or sparse parts, the sizes of whose arrays change from batch to batch."""
    return any(isinstance(leaf, Column) for leaf in nest.flatten(batch))


def as_tensors(batch: Any) -> Any:
    """The tensors, ragged and sparse tensors of a nested batch."""
    return nest.map_structure(
        lambda leaf: None if leaf is None else leaf.tensor if isinstance(leaf, Column) else convert(leaf), batch
    )


def as_arrays(value: Any, who: str) -> Any:
    """The arrays of a nested value, columns of its ragged and sparse tensors, floats as `floatx`.

    Raises TypeError or ValueError, naming what is wrong.
    """
    if isinstance(value, dict):
        return {key: as_arrays(part, f"{who}[{key!r}]") for key, part in value.items()}
    if isinstance(value, tuple) or (isinstance(value, list) and value and not _is_row_data(value)):
        return type(value)(as_arrays(part, f"{who}[{at}]") for at, part in enumerate(value))
    if value is None:
        return None
    read = getattr(value, "_read", None)
    if read is not None:
        value = read()
    if isinstance(value, Column) or has_column(value):
        array: Any = value if isinstance(value, Column) else column_of(value)
    elif isinstance(value, Tensor):
        array = np.asarray(value._array)
    elif hasattr(value, "to_numpy"):
        array = _from_frame(value, who)
    else:
        array = _from_python(value, who)
    if array.dtype.kind == "f" and array.dtype != config.floatx():
        array = array.astype(config.floatx())
    elif array.dtype == object and not isinstance(array, Column):
        raise ValueError(
            f"{who} is an array of Python objects (the first is {array.ravel()[:1].tolist()!r}): rows of different length, "
            "or text? Give numbers, or a tf.RaggedTensor (tf.ragged.constant makes one of nested lists)."
        )
    return array


def _from_python(value: Any, who: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError:
        # NumPy says at which depth nested lists stop being of one length, and not what to do
        raise ValueError(
            explain(who, "its rows differ in length", {"rows": describe(value)}, "an array has rows of one length",
                    "tf.ragged.constant(rows) makes a ragged tensor of them.")
        ) from None  # fmt: skip


def _is_row_data(value: list) -> bool:
    """True for a list that is one array of numbers, and not a list of arrays for several inputs."""
    return not any(hasattr(part, "shape") or hasattr(part, "_read") for part in value)


def _from_frame(frame: Any, who: str) -> np.ndarray:
    dtypes = getattr(frame, "dtypes", None)
    if dtypes is not None and hasattr(dtypes, "items"):
        bad = {
            name: str(dtype) for name, dtype in dtypes.items() if str(dtype) in ("object", "category", "str", "string")
        }
        if bad:
            told = ", ".join(f"{name!r} ({dtype})" for name, dtype in bad.items())
            raise ValueError(f"{who}: these columns are not numbers: {told}. Drop them, or encode them as numbers.")
    return np.asarray(frame.to_numpy())


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of what a step is given: x alone, (x,), (x, y) or (x, y, sample_weight).

    >>> unpack((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if len(data) > 3:
        raise ValueError(f"A batch is x, (x, y) or (x, y, sample_weight); given {len(data)} parts.")
    x, y, weight = (*data, None, None, None)[:3]
    return x, y, weight


def is_iterable_data(x: Any) -> bool:
    """True for a generator, a dataset or a `keras.utils.Sequence`: what gives batches by itself."""
    if isinstance(x, (np.ndarray, Tensor, list, tuple, dict, Column)) or hasattr(x, "_read"):
        return False
    if hasattr(x, "to_numpy") or hasattr(x, "__array_namespace__") or has_column(x):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def batches_of(source: Any) -> Iterator[Any]:
    """The batches of one pass over iterable data, as nested arrays and columns."""
    if hasattr(source, "__getitem__") and hasattr(source, "__len__") and not hasattr(source, "__iter__"):
        items: Any = (source[i] for i in range(len(source)))
    else:
        items = iter(source)
    for item in items:
        parts = item if isinstance(item, tuple) else (item,)
        yield packed(tuple(as_arrays(part, name) for part, name in zip(parts, ("x", "y", "sample_weight"))))
