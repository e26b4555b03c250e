"""extract_volume_patches: the blocks of a volume as channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.core.errors import explain
from tensorsmith.ops.windows import as_padding, columns, padded, pads, per_axis, result_size
from tensorsmith.program.op import Array, Specs
from tensorsmith.tensor.apply import apply, primitive
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_ONE = (1, 1, 1)


def _cut(specs: Specs, settings: dict) -> Specs:
    ((batch, *sizes, channels), dtype) = specs[0]
    window, strides, padding = settings["ksizes"], settings["strides"], settings["padding"]
    counts = [result_size(n, k, s, 1, padding) for n, k, s in zip(sizes, window, strides)]
    return [((batch, *counts, None if channels is None else channels * math.prod(window)), dtype)]


@primitive(name="extract_volume_patches", kinds="fiu", shapes=_cut)
def _patches(xp, input: Array, ksizes: Any, strides: Any, padding: str):
    outer = pads(input.shape[1:-1], ksizes, strides, _ONE, padding)
    found = columns(xp, padded(xp, input, outer), ksizes, strides, _ONE)
    return found.reshape(*found.shape[:-2], math.prod(found.shape[-2:]))


def extract_volume_patches(input: Any, ksizes: Any, strides: Any, padding: str, name: str | None = None) -> Tensor:
    """Blocks of ksizes places of a volume as channels, block by block: [B, D, H, W, C] -> [B, D', H', W', prod(K) * C].

    ksizes, strides  five numbers each, of which the first and last are 1.
    padding          "VALID", or "SAME": zeros around it, so that there are ceil(size / stride) blocks along an axis.

    >>> import tensorsmith as tf
    >>> volume = tf.reshape(tf.range(8.0), [1, 2, 2, 2, 1])
    >>> tf.extract_volume_patches(volume, [1, 2, 1, 2, 1], [1, 1, 1, 1, 1], "VALID").numpy()[0, 0, :, 0]
    array([[0., 1., 4., 5.],
           [2., 3., 6., 7.]], dtype=float32)
    """
    who = "extract_volume_patches"
    x = convert(input)
    if len(x.shape) != 5:
        raise ValueError(explain(who, "a batch of volumes has five axes", {"input": x.shape}))
    settings = {
        "ksizes": per_axis(np.asarray(ksizes).tolist(), 3, False, who, "ksizes"),
        "strides": per_axis(np.asarray(strides).tolist(), 3, False, who, "strides"),
        "padding": as_padding(padding, 3, False, who),
    }
    return apply(_patches, (x,), settings)
