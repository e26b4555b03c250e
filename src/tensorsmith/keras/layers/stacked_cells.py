"""StackedRNNCells: cells above each other as one."""

from __future__ import annotations

import inspect
from typing import Any

from tensorsmith.core import nest
from tensorsmith.core.errors import explain
from tensorsmith.core.shapes import TensorShape
from tensorsmith.keras import registry
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.cells import Step, batch_of, first_states, output_size, require_cell, step_of, steps_of
from tensorsmith.ops.shaping import shape


class StackedRNNCells(Layer):
    """Cells of which each takes the output of the one before as its input.

    `state_size` is a list with that of each cell; a state is a list with the states of each.

    >>> import tensorsmith as tf
    >>> from tensorsmith import keras
    >>> cells = StackedRNNCells([keras.layers.LSTMCell(4), keras.layers.LSTMCell(3)])
    >>> keras.layers.RNN(cells)(tf.ones((2, 5, 6))).shape
    TensorShape([2, 3])
    """

    def __init__(self, cells: Any, **kwargs: Any) -> None:
        for cell in cells:
            require_cell("StackedRNNCells", "a", cell)
        if kwargs.pop("reverse_state_order", False):
            raise ValueError(
                explain(
                    "StackedRNNCells",
                    "reverse_state_order=True is an order of states that is gone",
                    "",
                    "",
                    "Leave it out.",
                )
            )
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        size = output_size(self.cells[-1])
        return size[0] if len(size) == 1 else TensorShape(size)

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell._build(input_shape)
            batch = nest.flatten(input_shape)[0][0]
            input_shape = TensorShape((batch, *output_size(cell)))

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> list[Any]:
        batch_size, dtype = batch_of(inputs, batch_size, dtype)
        return [first_states(cell, batch_size, dtype or self.compute_dtype) for cell in self.cells]

    def call(self, inputs: Any, states: Any, constants: Any = None, training: Any = None) -> Any:
        def step(cell: Any) -> Step:
            takes = constants is not None and "constants" in inspect.signature(cell.call).parameters
            return step_of(cell, bool(training), constants if takes else None)

        return _in_turn([step(cell) for cell in self.cells], inputs, states)

    def for_sequence(self, sequences: Any, training: bool) -> tuple[Any, Step]:
        """Rows that the lowest cell makes for all time steps, and a step through all cells."""
        rows, lowest = steps_of(self.cells[0], sequences, training)
        batch = nest.flatten(sequences)[0]
        steps = [lowest]
        for below, cell in zip(self.cells, self.cells[1:]):
            for_steps = getattr(cell, "for_steps", None)
            if for_steps is None:
                steps.append(step_of(cell, training))
            else:
                steps.append(for_steps(shape(batch)[1], output_size(below)[-1], training))
        return rows, lambda row, states: _in_turn(steps, row, states)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": [registry.serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        config["cells"] = [
            registry.deserialize_keras_object(cell, custom_objects) if isinstance(cell, dict) else cell
            for cell in config["cells"]
        ]
        return cls(**config)


def _in_turn(steps: list[Step], inputs: Any, states: Any) -> tuple[Any, list[Any]]:
    after = []
    for step, before in zip(steps, states):
        nested = nest.is_nested(before)
        inputs, new = step(inputs, list(before) if nested else [before])
        parts = list(new) if nest.is_nested(new) else [new]
        after.append(parts if nested else parts[0])
    return inputs, after
