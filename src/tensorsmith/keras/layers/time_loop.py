"""The loop over time of a recurrent layer: how rows are taken, masked steps held, and what runs the steps."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import nest
from tensorsmith.function.scanning import scan
from tensorsmith.keras.layers.cells import output_size, steps_of
from tensorsmith.keras.layers.recorded_loop import is_recorded
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import where
from tensorsmith.ops.creation import zeros, zeros_like
from tensorsmith.ops.reductions import reduce_any
from tensorsmith.ops.repeating import reverse
from tensorsmith.ops.shaping import reshape, shape, transpose


def run(
    layer: Any,
    sequences: Any,
    states: list[Any],
    constants: Any,
    mask: Any,
    training: bool,
    ragged: bool = False,
) -> tuple[Any, list[Any]]:
    """(the output, the last states) of a layer for inputs [B, T, ...] (time first where the layer says so).

    mask    [B, T, ...], False where a step is to be left out; None.
    ragged  whether the inputs were ragged, so that few lengths are met.
    """
    if not layer.time_major:
        sequences = nest.map_structure(swapped, sequences)
        mask = None if mask is None else swapped(mask)
    given = {"sequences": sequences, "mask": mask, "states": states, "constants": constants}
    if is_recorded(layer, given, ragged):
        key = training, layer.return_sequences, layer.go_backwards, layer.zero_output_for_mask
        output, states = layer._recorded(layer, lambda given: loop(layer, **given, training=training), given, key)
    else:
        output, states = loop(layer, **given, training=training)
    if layer.return_sequences and not layer.time_major:
        output = swapped(output)
    return output, states


def loop(
    layer: Any, sequences: Any, states: list[Any], constants: Any, mask: Any, training: bool
) -> tuple[Any, list[Any]]:
    """The same with time first, [T, B, ...], in inputs, mask and output."""
    rows, step = steps_of(layer.cell, sequences, training, constants)
    first = nest.flatten(sequences)[0]
    if mask is not None:
        mask = cast(mask, "bool")
        # a step counts if some feature of it does
        mask = reduce_any(mask, list(range(2, len(mask.shape)))) if len(mask.shape) > 2 else mask
    every, zeroed = layer.return_sequences, layer.zero_output_for_mask

    def one(carried: Any, row: Any) -> Any:
        states, output = carried
        given, on = row if mask is not None else (row, None)
        new, after = step(given, states)
        after = nest.pack_sequence_as(states, nest.flatten(after))
        if on is not None:
            after = nest.map_structure(lambda a, b: chosen(on, a, b), after, states)
            new = chosen(on, new, zeros_like(new) if zeroed else output)
        return [after, new], new if every else None

    output = zeros((shape(first)[1], *output_size(layer.cell)), layer.compute_dtype)
    (states, last), outputs = scan(
        one,
        [states, output],
        rows if mask is None else (rows, mask),
        reverse=layer.go_backwards,
        unroll=layer.unroll or 1,
    )
    if every and layer.go_backwards:
        outputs = reverse(outputs, [0])
    return (outputs if every else last), states


def swapped(tensor: Any) -> Any:
    """Batch and time in each other's place."""
    return transpose(tensor, [1, 0, *range(2, len(tensor.shape))])


def chosen(on: Any, new: Any, old: Any) -> Any:
    """Rows of `new` where `on` [B] is true, else of `old`."""
    ones = [1] * (len(new.shape) - 1)
    return where(reshape(on, [-1, *ones]), new, old)
