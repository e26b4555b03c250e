"""RNN: the loop over time and the contract of a cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.core.specs import describe
from tensorsmith.keras import registry
from tensorsmith.keras.layers import ragged_loop, time_loop
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.cells import (
    each_size,
    first_states,
    is_size,
    output_size,
    require_cell,
    shape_of_batch,
    sizes_of,
)
from tensorsmith.keras.layers.recorded_loop import RecordedLoops
from tensorsmith.keras.layers.stacked_cells import StackedRNNCells
from tensorsmith.keras.variable import Variable
from tensorsmith.ops.casting import cast
from tensorsmith.ops.shaping import shape
from tensorsmith.tensor.tensor import Tensor


class RNN(Layer):
    """A cell applied to each time step in turn: `output, states = cell(inputs[:, t], states)`.

    cell              an object, a Layer as a rule, with `state_size` (a size, a shape, or a list of them, which may be
                      nested) and `call(inputs, states)` -> (output, new states). It may have `output_size` (else the first
                      state size), `get_initial_state(batch_size=...)` (else zeros), `call` may take `training` and
                      `constants`. A list of cells is stacked.
    return_sequences  True: the outputs of all steps [B, T, ...]; else the last one [B, ...].
    return_state      True: the last states behind the output.
    go_backwards      True: from the last step to the first; outputs stand in the order in which they are computed.
    stateful          True: a batch begins with the states in which the one before ended, until `reset_state()`; the size
                      of the batch must be known.
    unroll            True: a compiled program holds every step by itself.
    time_major        True: inputs and outputs are [T, B, ...].
    zero_output_for_mask  True: the output of a masked step is zeros; else that of the step before (zeros at the start).

    Called with `layer(inputs, initial_state=None, constants=None, mask=None)`.
    inputs  [B, T, ...], or tensors of such shapes in a tuple or dict, if the cell takes them.
    mask    [B, T]: where it is False, states stay as they are.
    A list `[inputs, *initial_state, *constants]` means the same, as in Keras 2.

    A cell that can do part of its work for all time steps at once, or that draws something once for all of them, may have
    `for_sequence(sequences, training)`. It takes the inputs with time first, [T, B, ...], and gives
    (rows [T, ...], a function `step(row, states)` -> (output, new states)).

    >>> import tensorsmith as tf
    >>> from tensorsmith import keras
    >>> class Sum(keras.layers.Layer):
    ...     state_size = output_size = 2
    ...     def call(self, inputs, states):
    ...         total = states[0] + inputs
    ...         return total, [total]
    >>> RNN(Sum(), return_sequences=True)(tf.ones((1, 3, 2))).numpy()[0, :, 0]
    array([1., 2., 3.], dtype=float32)
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        time_major: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(list(cell))
        require_cell("RNN", "its", cell)
        self._num_constants = int(kwargs.pop("num_constants", 0) or 0)
        if "input_length" in kwargs and "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_length"), kwargs.pop("input_dim"))
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.time_major, self.zero_output_for_mask = time_major, zero_output_for_mask
        self.supports_masking = True
        self._rnn_states: Any = None
        self._recorded = RecordedLoops()

    # ---- sizes

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    @property
    def _state_sizes(self) -> list[Any]:
        """One entry for each state, which may be nested itself."""
        size = self.cell.state_size
        return [size] if is_size(size) else list(size)

    def compute_output_shape(self, input_shape: Any) -> Any:
        first = tuple(input_shape if is_size(input_shape) else _first_shape(input_shape))
        steps, batch = first[:2] if self.time_major else (first[1], first[0])
        output = (batch, *output_size(self.cell))
        if self.return_sequences:
            output = (steps, *output) if self.time_major else (batch, steps, *output[1:])
        if not self.return_state:
            return output
        return [output, *(each_size(size, lambda s: (batch, *sizes_of(s))) for size in self._state_sizes)]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = nest.flatten(mask)[0] if mask is not None else None
        kept = mask if self.return_sequences else None
        return [kept, *[None] * len(self._state_sizes)] if self.return_state else kept

    # ---- building

    def build(self, input_shape: Any) -> None:
        def step_shape(given: Any) -> TensorShape:
            sizes = tuple(given)
            return TensorShape(sizes[1:] if self.time_major else (sizes[0], *sizes[2:]))

        shapes = input_shape[0] if isinstance(input_shape, list) else input_shape
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._build(nest.map_structure(step_shape, shapes))
            for weight in self.cell.weights:
                # the cells of several layers may be of one name
                weight.path = f"{self.name}/{weight.path}"
        if self.stateful and self._rnn_states is None:
            batch = step_shape(nest.flatten(shapes)[0])[0]
            if batch is None:
                raise ValueError(
                    explain(
                        self.name,
                        "it is stateful, and the size of the batch is not known",
                        {"inputs": tuple(nest.flatten(shapes)[0])},
                        "the states of each row go on in the next batch",
                        "Give it: keras.Input(batch_shape=(32, None, 8)), or batch_input_shape=[32, None, 8] in Keras 2.",
                    )
                )
            self._rnn_states = nest.map_structure(
                lambda value: Variable(value, trainable=False, name="rnn_state"), self.get_initial_state(batch)
            )

    # ---- states

    @property
    def states(self) -> Any:
        """The states that a stateful layer goes on with; None before it is built, and of any other layer."""
        return self._rnn_states

    def get_initial_state(self, batch_size: Any = None, inputs: Any = None, dtype: Any = None) -> list[Any]:
        """The states at the start of a batch: what the cell says, else zeros.

        batch_size  the number of rows; in its place Keras 2 gives the inputs, [B, T, ...].
        """
        if getattr(batch_size, "shape", None):
            batch_size, inputs = None, batch_size
        if batch_size is None and inputs is not None:
            first = nest.flatten(inputs)[0]
            batch_size = shape(first)[1] if self.time_major else shape_of_batch(first)
            dtype = dtype or first.dtype
        dtype = dtype or getattr(self.cell, "compute_dtype", None) or self.compute_dtype
        found = first_states(self.cell, batch_size, dtype)
        return list(found) if nest.is_nested(found) else [found]

    def reset_state(self, states: Any = None) -> None:
        """The states of a stateful layer are zeros again, or the values given.

        Raises AttributeError where it is not stateful, ValueError where number or shapes of the states differ.
        """
        if not self.stateful:
            raise AttributeError(
                explain(self.name, "it has no states to reset", {"stateful": False}, "", "Make it with stateful=True.")
            )
        variables = nest.flatten(self._rnn_states) if self._rnn_states is not None else []
        if states is None:
            fresh = self.get_initial_state(variables[0].shape[0]) if variables else []
            values = [np.asarray(value) for value in nest.flatten(fresh)]
        else:
            values = [np.asarray(value) for value in nest.flatten(states)]
            given, kept = [v.shape for v in values], [tuple(v.shape) for v in variables]
            if given != kept:
                raise ValueError(explain(self.name, "these are not its states", {"given": given, "states": kept}))
        for variable, value in zip(variables, values):
            variable.assign(value.astype(variable.dtype.numpy_dtype))

    reset_states = reset_state

    def _find_variables(self) -> list[Any]:
        return [*super()._find_variables(), *(nest.flatten(self._rnn_states) if self._rnn_states is not None else [])]

    # ---- calling

    def __call__(self, sequences: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        if isinstance(sequences, list) and sequences and not _is_number(nest.flatten(sequences)[0]):
            behind = len(sequences) - self._num_constants
            sequences, *rest = sequences
            given, last = rest[: behind - 1], rest[behind - 1 :]
            initial_state, constants = given or initial_state, last or constants
        if initial_state is not None:
            kwargs["initial_state"] = list(initial_state) if nest.is_nested(initial_state) else [initial_state]
        if constants is not None:
            kwargs["constants"] = list(constants) if nest.is_nested(constants) else [constants]
            self._num_constants = len(kwargs["constants"])
        return super().__call__(sequences, **kwargs)

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        constants: Any = None,
        mask: Any = None,
        training: Any = None,
    ) -> Any:
        first = nest.flatten(sequences)[0]
        ragged = ragged_loop.is_ragged(sequences)
        if ragged:
            ragged_loop.check(self, sequences, mask)
        if self.unroll and tuple(first.shape)[0 if self.time_major else 1] is None:
            raise ValueError(
                explain(
                    self.name,
                    "it cannot be unrolled, as the number of time steps is not known",
                    {"inputs": describe(first)},
                    "",
                    "Say it, as in keras.Input(shape=(50, 8)), or leave unroll=False.",
                )
            )
        output, states = (ragged_loop if ragged else time_loop).run(
            self,
            sequences,
            self._first_states(first, initial_state),
            constants,
            None if mask is None else nest.flatten(mask)[0],
            bool(training),
        )
        if self.stateful:
            for variable, value in zip(nest.flatten(self._rnn_states), nest.flatten(states)):
                variable.assign(cast(value, variable.dtype))
        return [output, *states] if self.return_state else output

    def _first_states(self, inputs: Any, given: Any) -> list[Any]:
        if given is None and self.stateful:
            batch = inputs.shape[1 if self.time_major else 0]
            kept = nest.flatten(self._rnn_states)[0].shape[0]
            if batch not in (None, kept):
                raise ValueError(
                    explain(
                        self.name,
                        "it is stateful, and this batch is of another size than the states",
                        {"inputs": describe(inputs), "rows of the states": kept},
                        "",
                        "Give batches of one size, and to predict the same batch_size as to fit.",
                    )
                )
            given = self._rnn_states
        states = self.get_initial_state(inputs=inputs, dtype=self.compute_dtype) if given is None else list(given)
        wanted, found = len(nest.flatten(self._each_state())), len(nest.flatten(states))
        if wanted != found:
            raise ValueError(
                explain(
                    self.name,
                    "initial_state has another number of states than the cell",
                    {"initial_state": describe(states), "state_size": self.cell.state_size},
                )
            )
        states = [_read(state) for state in nest.flatten(states)]
        return nest.pack_sequence_as(self._each_state(), [cast(state, self._dtype) for state in states])

    def _each_state(self) -> list[Any]:
        """The structure of the states, a leaf for each."""
        return [each_size(size, lambda s: 0) for size in self._state_sizes]

    # ---- the layer as data

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
            "cell": registry.serialize_keras_object(self.cell),
        }
        if self.time_major:
            config["time_major"] = True
        if self._num_constants:
            config["num_constants"] = self._num_constants
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        if isinstance(config.get("cell"), dict):
            config["cell"] = registry.deserialize_keras_object(config["cell"], custom_objects)
        return cls(**config)


def _first_shape(shapes: Any) -> Any:
    """The first shape in a nested structure of shapes."""
    while isinstance(shapes, (list, tuple, dict)) and not all(n is None or isinstance(n, int) for n in shapes):
        shapes = next(iter(shapes.values() if isinstance(shapes, dict) else shapes))
    return shapes


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.generic))


def _read(state: Any) -> Tensor:
    return state._read() if hasattr(state, "_read") else state
