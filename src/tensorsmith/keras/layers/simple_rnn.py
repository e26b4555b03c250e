"""SimpleRNN and its cell."""

from __future__ import annotations

from typing import Any

from tensorsmith.function.autograph import in_trace
from tensorsmith.keras.layers.recurrent_cells import CellLayer, GatedCell, gated_product
from tensorsmith.ops.elementwise import add


class SimpleRNNCell(GatedCell):
    """One step of SimpleRNN: h' = activation(x @ kernel + bias + h @ recurrent_kernel).

    `cell(inputs [B, F], states [[B, units]])` -> (output [B, units], [the same]). Its settings are those of SimpleRNN.
    """

    def advance(self, projected: Any, states: Any, mask: Any) -> list[Any]:
        total = add(projected, gated_product(states[0], self.recurrent_kernel, mask))
        return [in_trace(self.activation)(total)]


class SimpleRNN(CellLayer):
    """h[t] = activation(x[t] @ kernel + bias + h[t - 1] @ recurrent_kernel), the output and the state.

    units     the size of the state.
    dropout, recurrent_dropout  the share of the inputs, and of the state, that is zero while training: the same ones at all
              steps of a batch.
    seed      draws of its own for dropout, repeatable; else from the global generator.
    Shapes: inputs [B, T, F] -> [B, units]; kernel [F, units], recurrent_kernel [units, units], bias [units].
    The other settings, and what it is called with, are those of RNN.

    >>> import tensorsmith as tf
    >>> SimpleRNN(3)(tf.ones((2, 5, 4))).shape
    TensorShape([2, 3])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        settings = {
            "units": units,
            "activation": activation,
            "use_bias": use_bias,
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint,
            "bias_constraint": bias_constraint,
            "dropout": dropout,
            "recurrent_dropout": recurrent_dropout,
            "seed": seed,
        }
        super().__init__(
            SimpleRNNCell,
            settings,
            "simple_rnn_cell",
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
