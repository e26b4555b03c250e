"""Masks: which steps of a sequence count, and how layers tell those behind them.

A mask hangs on the tensor that it is about (`tensor._keras_mask`): booleans [B, T] for [B, T, ...]. A layer whose `call`
takes `mask` is given that of its input, and a layer with `supports_masking` hands it on, or what its `compute_mask` makes
of it. Operations hand nothing on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import warn
from tensorsmith.core.specs import TensorSpec
from tensorsmith.function.autograph import in_trace
from tensorsmith.keras.layers import calling
from tensorsmith.ops.casting import identity
from tensorsmith.ops.shaping import expand_dims
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor, masked


class MaskedSpec(TensorSpec):
    """The spec of a tensor that has a mask, with that of the mask."""

    __slots__ = ("mask",)

    def __init__(self, tensor: Any, mask: Any) -> None:
        super().__init__(tensor.shape, tensor.dtype)
        self.mask = TensorSpec(mask.shape, mask.dtype)


def of(value: Any) -> Any:
    """The mask of a tensor; of a nested value those of its leaves, in its form, or None where none has one."""
    if not masked:
        return None
    if not nest.is_nested(value):
        return getattr(value, "_keras_mask", None)
    found = nest.map_structure(lambda leaf: getattr(leaf, "_keras_mask", None), value)
    return None if all(mask is None for mask in nest.flatten(found)) else found


def as_tensors(mask: Any) -> Any:
    """A mask that was given: arrays and nested lists of booleans become tensors."""
    if isinstance(mask, (list, tuple)) and mask and all(isinstance(leaf, bool) for leaf in nest.flatten(mask)):
        return convert(mask)
    return nest.map_structure(lambda leaf: convert(leaf) if isinstance(leaf, np.ndarray) else leaf, mask)


def given(value: Any, mask: Any) -> Any:
    """A nested value whose tensors have these masks: each another tensor of the same value, for the mask is of one call."""
    if mask is None:
        return value
    masks = nest.flatten(mask)
    made = [
        leaf if own is None or own is leaf._keras_mask else _with(identity(leaf), own)
        for leaf, own in zip(nest.flatten(value), masks, strict=True)
    ]
    return nest.pack_sequence_as(value, made)


def _with(tensor: Tensor, mask: Any) -> Tensor:
    tensor._keras_mask = mask
    return tensor


def like(mask: Any, tensor: Any) -> Any:
    """A mask [B, T] with axes of size 1 behind, as it meets a tensor [B, T, ...]."""
    for _ in range(len(tensor.shape) - len(mask.shape)):
        mask = expand_dims(mask, -1)
    return mask


def fill(args: tuple, kwargs: dict, accepted: calling.Accepted) -> None:
    """Gives each argument of `call` that has a mask of its own (`query` with `query_mask`) that of what is given for it."""
    for at, name, mask in accepted.masks:
        if kwargs.get(mask) is None and (found := of(args[at] if at < len(args) else kwargs.get(name))) is not None:
            kwargs[mask] = found


def hand_on(layer: Any, inputs: Any, outputs: Any, mask: Any) -> Any:
    """The results of a layer that supports masking, with their masks; `mask` is what its inputs had."""
    results = nest.flatten(outputs)
    if all(_mask_of(result) is not None for result in results):
        return outputs
    found = in_trace(layer.compute_mask)(inputs, mask)
    if found is None:
        return outputs
    given = {id(leaf) for leaf in nest.flatten(inputs)}
    made = []
    for result, own in zip(results, nest.flatten(found)):
        if own is not None and isinstance(result, Tensor) and result._keras_mask is None:
            # what went in is the caller's, who did not ask for a mask on it
            result = _with(identity(result) if id(result) in given else result, own)
        made.append(result)
    return nest.pack_sequence_as(outputs, [*made, *results[len(made) :]])


def _mask_of(value: Any) -> Any:
    return getattr(value, "_keras_mask", None)


def lost(layer: Any, outputs: Any) -> None:
    """Warns, once for a layer, that it hands no mask on though its inputs had one."""
    state = layer.__dict__
    if state.get("_told_of_masks") or layer._children() or of(outputs) is not None:
        return
    state["_told_of_masks"] = True
    warn(
        f"The layer {layer.name!r} ({type(layer).__name__}) was given an input with a mask, and does not support masks: "
        "it computes with all steps, and the layers behind it see no mask. A layer of your own takes the mask as "
        "call(self, inputs, mask=None), and hands it on where self.supports_masking = True."
    )
