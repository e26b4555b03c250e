"""Masks and turns of sequences by their lengths; pairs of labels counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import dtypes
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.ops.casting import cast
from tensorsmith.ops.gathering import scattered
from tensorsmith.ops.guards import exist, guard, span
from tensorsmith.ops.shaping import reshape
from tensorsmith.ops.sizes import fill_sizes, split_sizes
from tensorsmith.program.op import Array, Arrays, Specs
from tensorsmith.tensor.apply import apply, functions, plain, primitive, public
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_BOOL = np.dtype(bool)


def _masked(specs: Specs, settings: dict) -> Specs:
    return [((*specs[0][0], *settings["maxlen"]), settings["dtype"])]


@primitive(name="sequence_mask", kinds="iu", same=frozenset({"lengths"}), differentiable=False, shapes=_masked)
def _sequence_mask(xp, lengths: Array, parts: Arrays, maxlen: Any = (), dtype: Any = _BOOL):
    (count,) = fill_sizes(maxlen, parts, "sequence_mask")
    return (np.arange(count) < lengths[..., None]).astype(dtype)


@public
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool_, name: str | None = None) -> Tensor:
    """True at the first `lengths[...]` of `maxlen` places (by default the greatest length), False behind.

    lengths [...], result [..., maxlen].

    >>> import tensorsmith as tf
    >>> tf.sequence_mask([1, 3]).numpy()
    array([[ True, False, False],
           [ True,  True,  True]])
    """
    lengths = convert(lengths)
    if maxlen is None:
        if isinstance(lengths, Symbol):
            # nothing is shorter than a row without elements
            maxlen = functions["reduce_max"](functions["pad"](reshape(lengths, [-1]), [[0, 1]]))
        else:
            maxlen = int(np.max(np.asarray(lengths._array), initial=0))
    sizes, parts = split_sizes(maxlen, "sequence_mask")
    if len(sizes) != 1:
        raise ValueError(explain("sequence_mask", "maxlen must be a whole number", {"maxlen": sizes}))
    settings = {"maxlen": sizes, "dtype": dtypes.as_dtype(dtype).numpy_dtype}
    return apply(_sequence_mask, (lengths, parts), settings)


@primitive(name="reverse_sequence", same=False, shapes=lambda specs, settings: [specs[0]])
def _reverse_sequence(xp, input: Array, seq_lengths: Array, seq_axis: int = 1, batch_axis: int = 0):
    size = input.shape[seq_axis]
    if xp is np and seq_lengths.size and (seq_lengths.min() < 0 or seq_lengths.max() > size):
        given = {"seq_lengths": seq_lengths.tolist(), "size": size}
        raise InvalidArgumentError(
            explain("reverse_sequence", "a length is out of range", given, f"lengths go from 0 to {size}")
        )
    rows = xp.moveaxis(input, (batch_axis, seq_axis), (0, 1))
    place = np.arange(rows.shape[1])
    lengths = seq_lengths.astype("int64")[:, None]
    turned = xp.where(place < lengths, lengths - 1 - place, place)
    turned = turned.reshape(*turned.shape, *(1,) * (rows.ndim - 2))
    return xp.moveaxis(xp.take_along_axis(rows, turned, axis=1), (0, 1), (batch_axis, seq_axis))


def _ask_lengths(arguments: list[Any], settings: dict, result: Any) -> Any:
    size, known = result.shape[settings["seq_axis"]], span(arguments[1])
    if size is not None and known is not None and known[0] >= 0 and known[1] <= size:
        return None
    # a length may be the size itself, one more than the last place
    return exist(result, arguments[1] - 1, settings["seq_axis"], least=-1)


guard(
    _reverse_sequence,
    "a length is out of range",
    "lengths go from 0 to the size of the axis",
    _ask_lengths,
    ("seq_lengths",),
)


@public
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int = 1, batch_axis: int = 0, name: str | None = None
) -> Tensor:
    """The first `seq_lengths[i]` elements along `seq_axis` turned around, for each i along `batch_axis`.

    >>> import tensorsmith as tf
    >>> tf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3]).numpy()
    array([[2, 1, 3],
           [6, 5, 4]], dtype=int32)
    """
    settings = {"seq_axis": plain(seq_axis, "seq_axis"), "batch_axis": plain(batch_axis, "batch_axis")}
    return apply(_reverse_sequence, (input, seq_lengths), settings)


def _square(specs: Specs, settings: dict) -> Specs:
    return [((settings["num_classes"],) * 2, specs[2][1])]


@primitive(name="confusion_matrix", same=False, differentiable=False, shapes=_square)
def _confusion_matrix(xp, labels: Array, predictions: Array, weights: Array, num_classes: int):
    if xp is np and any(part.size and (part.min() < 0 or part.max() >= num_classes) for part in (labels, predictions)):
        raise InvalidArgumentError(
            explain(
                "confusion_matrix",
                "a class is out of range",
                {"num_classes": num_classes},
                f"0 to {num_classes - 1} exist",
            )
        )
    zeros = xp.zeros((num_classes, num_classes), weights.dtype)
    return scattered(xp, zeros, (labels, predictions), xp.broadcast_to(weights, labels.shape), "add")


def _ask_classes(arguments: list[Any], settings: dict, result: Any) -> Any:
    rows, columns = exist(result, arguments[0]), exist(result, arguments[1])
    if rows is None or columns is None:
        return columns if rows is None else rows
    return functions["logical_and"](rows, columns)


guard(
    _confusion_matrix,
    "a class is out of range",
    "classes go from 0 to num_classes - 1",
    _ask_classes,
    ("labels", "predictions"),
)


@public
def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """How often label i (row) was predicted as j (column), or the sum of the weights of those cases.

    Raises InvalidArgumentError for a class outside [0, num_classes), by default one more than the greatest.

    >>> import tensorsmith as tf
    >>> tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy()
    array([[1, 0],
           [1, 1]], dtype=int32)
    """
    labels, predictions = convert(labels), convert(predictions)
    if not labels.shape.is_compatible_with(predictions.shape):
        raise InvalidArgumentError(
            explain(
                "confusion_matrix",
                "there must be a prediction for each label",
                {"labels": labels.shape, "predictions": predictions.shape},
            )
        )
    known = not isinstance(labels, Symbol) and not isinstance(predictions, Symbol)
    if known:
        every = np.concatenate([np.ravel(labels._array), np.ravel(predictions._array)])
        count = int(every.max(initial=-1)) + 1 if num_classes is None else plain(num_classes, "num_classes")
    elif num_classes is None:
        raise InvalidArgumentError(explain("confusion_matrix", "num_classes must be given while a program is traced"))
    else:
        count = plain(num_classes, "num_classes")
    wanted = dtypes.as_dtype(dtype)
    worth = Tensor(np.ones((), wanted.numpy_dtype)) if weights is None else cast(weights, wanted)
    return apply(_confusion_matrix, (labels, predictions, worth), {"num_classes": count})
