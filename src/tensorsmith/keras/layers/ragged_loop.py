"""The loop over time for rows of different lengths."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import context, nest
from tensorsmith.core.errors import explain
from tensorsmith.core.specs import describe
from tensorsmith.function.control_flow import while_loop
from tensorsmith.keras.layers import time_loop
from tensorsmith.keras.layers.cells import output_size, step_of
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import less, where
from tensorsmith.ops.creation import zeros, zeros_like
from tensorsmith.ops.elementwise import add, maximum, minimum
from tensorsmith.ops.gathering import gather, tensor_scatter_nd_update
from tensorsmith.ops.reductions import reduce_max
from tensorsmith.ops.repeating import reverse
from tensorsmith.ops.sequences import sequence_mask
from tensorsmith.ops.shaping import concat, expand_dims, shape
from tensorsmith.structures.between import from_tensor
from tensorsmith.structures.ragged import RaggedTensor
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol


def is_ragged(sequences: Any) -> bool:
    return any(isinstance(leaf, RaggedTensor) for leaf in nest.flatten(sequences))


def check(layer: Any, sequences: Any, mask: Any) -> None:
    """ValueError for what ragged rows do not go with."""
    for wrong, given in (("a mask", mask), ("unroll=True", layer.unroll), ("time_major=True", layer.time_major)):
        if given is not None and given is not False:
            raise ValueError(
                explain(
                    layer.name,
                    f"it was given rows of different lengths and {wrong}",
                    {"inputs": describe(nest.flatten(sequences)[0])},
                    "ragged rows end where they end, and batch comes first",
                    f"Leave out {wrong}, or pad: inputs.to_tensor().",
                )
            )
    nest.map_structure(_require_ragged, sequences)


def run(
    layer: Any, sequences: Any, states: list[Any], constants: Any, mask: Any, training: bool
) -> tuple[Any, list[Any]]:
    """(the output, the last states) for ragged inputs [B, (T), ...]: of each row as if it stood alone.

    The output of all steps is ragged as the inputs are.
    """
    first = nest.flatten(sequences)[0]
    if isinstance(first.row_splits, Symbol) or context.local.graph is not None:
        output, states = _by_rows(layer, sequences, states, constants, training)
        if layer.return_sequences:
            output = first.with_flat_values(output)
            output = reverse(output, [1]) if layer.go_backwards else output
        return output, states
    lengths = first.row_lengths()
    width = rounded(int(reduce_max(lengths))) if lengths.shape[0] else 0
    dense = nest.map_structure(lambda leaf: leaf.to_tensor(shape=[None, width]), sequences)
    mask = sequence_mask(lengths, width)
    output, states = time_loop.run(layer, dense, states, constants, mask, training, ragged=True)
    if not layer.return_sequences:
        return output, states
    if not layer.go_backwards:
        return from_tensor(output, lengths), states
    # the steps of the padding came first: back in the order of time, cut, and each row turned by itself
    return reverse(from_tensor(reverse(output, [1]), lengths), [1]), states


def _by_rows(layer: Any, sequences: Any, states: list[Any], constants: Any, training: bool) -> tuple[Any, list[Any]]:
    """The same in a program, where the longest row is known only when it runs: a loop that picks step t of every row."""
    first = nest.flatten(sequences)[0]
    starts, lengths = cast(first.row_splits[:-1], "int32"), cast(first.row_lengths(), "int32")
    rows, size = shape(lengths)[0], shape(first.values)[0]
    last = maximum(size - 1, 0)
    for_steps = getattr(layer.cell, "for_steps", None)
    if for_steps is None or constants is not None:
        step = step_of(layer.cell, training, constants)
    else:
        step = for_steps(rows, first.shape[-1], training)
    longest = reduce_max(concat([lengths, [0]], axis=0))
    every = layer.return_sequences

    def one(t: Any, states: Any, output: Any, outputs: Any) -> Any:
        at = longest - 1 - t if layer.go_backwards else t
        on = less(at, lengths)
        places = minimum(add(starts, at), last)
        given = nest.map_structure(lambda leaf: gather(leaf.values, places), sequences)
        new, after = step(given, states)
        after = nest.pack_sequence_as(states, nest.flatten(after))
        after = nest.map_structure(lambda a, b: time_loop.chosen(on, a, b), after, states)
        new = time_loop.chosen(on, new, zeros_like(new) if layer.zero_output_for_mask else output)
        if every:
            # what is over goes to a row behind the last one
            outputs = tensor_scatter_nd_update(outputs, expand_dims(where(on, places, size), 1), new)
        return [t + 1, after, new, outputs]

    sizes, dtype = output_size(layer.cell), layer.compute_dtype
    begin = [convert(0), states, zeros((rows, *sizes), dtype), zeros((size + 1 if every else 0, *sizes), dtype)]
    _, states, output, outputs = while_loop(lambda t, *_: less(t, longest), one, begin)
    return (outputs[:-1] if every else output), states


def rounded(length: int) -> int:
    """A length, up to the next power of two or three quarters of one, so that few are compiled for."""
    whole = 1 << max(length - 1, 0).bit_length()
    return length if length < 4 else whole * 3 // 4 if length <= whole * 3 // 4 else whole


def _require_ragged(leaf: Any) -> None:
    if not isinstance(leaf, RaggedTensor) or isinstance(leaf.values, RaggedTensor):
        raise ValueError(
            explain(
                "RNN",
                "ragged inputs must be ragged along time alone, all of them",
                {"input": describe(leaf)},
                "",
                "Pad the others: inputs.to_tensor().",
            )
        )
