"""What a model was given, in the form in which its inputs were drawn; and that form."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.keras.layers.calling import cast_with_mask
from tensorsmith.ops.casting import cast
from tensorsmith.structures.between import from_tensor
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.structures.sparse import SparseTensor
from tensorsmith.structures.sparse_ops import from_dense
from tensorsmith.structures.specs import type_spec_from_value
from tensorsmith.tensor.convert import convert


def conform(model: Any, drawn: Any, value: Any) -> Any:
    """A value in place of a drawn input: of its dtype and, where that is ragged or sparse, of its kind.

    A dense tensor becomes a ragged one whose rows are of one length, or a sparse one of what is not zero. Raises
    ValueError for any other kind, and for sizes that are not those of the input.
    """
    if not nest.is_composite(drawn):
        _check_shape(model, drawn, value)
        return as_number(drawn, value)
    if not nest.is_composite(value):
        value = convert(value)
        _check_shape(model, drawn, value, same_rank=True)
        value = (
            from_dense(value) if isinstance(drawn, SparseTensor) else from_tensor(value, ragged_rank=drawn.ragged_rank)
        )
    if isinstance(drawn, SparseTensor) != isinstance(value, SparseTensor):
        raise _refused(model, drawn, value, f"it was given a {_kind(value)}")
    if isinstance(drawn, RaggedTensor):
        if value.ragged_rank != drawn.ragged_rank:
            raise _refused(model, drawn, value, "its ragged rank is another")
        if value.row_splits.dtype is not drawn.row_splits.dtype:
            value = value.with_row_splits_dtype(drawn.row_splits.dtype)
    _check_shape(model, drawn, value, same_rank=True)
    if value.dtype is not drawn.dtype:
        if not _both_numbers(value.dtype, drawn.dtype):
            raise _refused(model, drawn, value, "its dtype is another")
        value = cast(value, drawn.dtype)
    return value


def as_number(drawn: Any, value: Any) -> Any:
    """Numbers in the dtype of a drawn input, with the mask that they had; anything else as it is."""
    dtype = getattr(value, "dtype", drawn.dtype)
    if dtype is drawn.dtype or not _both_numbers(dtype, drawn.dtype):
        return value
    return cast_with_mask(value, drawn.dtype)


def any_batch(inputs: Any, named: bool = False) -> Any:
    """Specs like these nested tensors, of any batch size; `named`: with the names of symbols."""

    def one(leaf: Any) -> Any:
        if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
            return leaf
        shape = [None, *tuple(leaf.shape)[1:]]
        if nest.is_composite(leaf):
            spec: Any = type_spec_from_value(leaf)
            return type(spec)(shape, *spec._told()[1:])
        name = getattr(leaf, "name", None) if named else None
        return TensorSpec(shape, leaf.dtype, name if isinstance(name, str) else None)

    return nest.map_structure(one, inputs)


def _both_numbers(*kinds: Any) -> bool:
    return all(dtype.is_floating or dtype.is_integer or dtype.is_bool for dtype in kinds)


def _check_shape(model: Any, drawn: Any, value: Any, same_rank: bool = False) -> None:
    shape = getattr(value, "shape", None)
    if shape is None or getattr(shape, "rank", 0) is None:
        return
    if len(shape) != len(drawn.shape):
        if same_rank:
            raise _refused(model, drawn, value, "its rank is another")
        return
    for wanted, found in zip(tuple(drawn.shape)[1:], tuple(shape)[1:]):
        if wanted is not None and found is not None and wanted != found:
            raise ValueError(
                f"Input {drawn._keras_history[0].layer.name!r} of model {model.name!r} takes shape {tuple(drawn.shape)}; "
                f"a value of shape {tuple(shape)} was given."
            )


def _refused(model: Any, drawn: Any, value: Any, wrong: str) -> ValueError:
    name = drawn._keras_history[0].layer.name
    return ValueError(
        explain(
            f"Input {name!r} of model {model.name!r}",
            wrong,
            {"takes": _told(drawn), "given": _told(value)},
            "",
            "tf.RaggedTensor.from_tensor, r.to_tensor(), tf.sparse.from_dense and tf.sparse.to_dense make one of another.",
        )
    )


def _kind(value: Any) -> str:
    return (
        "RaggedTensor"
        if isinstance(value, RaggedTensor)
        else "SparseTensor"
        if isinstance(value, SparseTensor)
        else type(value).__name__
    )


def _told(value: Any) -> str:
    if not nest.is_composite(value):
        return describe(value)
    rank = f", ragged rank {value.ragged_rank}" if isinstance(value, RaggedTensor) else ""
    return f"{_kind(value)} {describe(value)}{rank}"
