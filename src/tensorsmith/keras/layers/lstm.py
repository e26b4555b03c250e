"""LSTM and its cell."""

from __future__ import annotations

from typing import Any

from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import activations
from tensorsmith.keras.layers.recurrent_cells import CellLayer, GatedCell, gated_product, of_cell
from tensorsmith.ops.creation import ones
from tensorsmith.ops.elementwise import add, multiply
from tensorsmith.ops.shaping import concat, split


class LSTMCell(GatedCell):
    """One step of LSTM.

    `cell(inputs [B, F], states [h, c])` -> (output [B, units], [h', c']). Its settings are those of LSTM.
    """

    GATES = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **kwargs
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _first_bias(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer

        def first(shape: Any, dtype: Any = None) -> Any:
            # a forget gate that begins open lets gradients through many steps (Jozefowicz et al., 2015)
            units, make = self.units, self.bias_initializer
            return concat([make((units,), dtype), ones((units,), dtype), make((2 * units,), dtype)], axis=0)

        return first

    def advance(self, projected: Any, states: Any, mask: Any) -> list[Any]:
        h, c = states
        total = add(projected, gated_product(h, self.recurrent_kernel, mask))
        i, f, new, o = split(total, 4, axis=1)
        activation, gate = in_trace(self.activation), in_trace(self.recurrent_activation)
        c = add(multiply(gate(f), c), multiply(gate(i), activation(new)))
        return [multiply(gate(o), activation(c)), c]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


class LSTM(CellLayer):
    """Long short-term memory: a state h, the output, and a carry c, which gates write, keep and read.

        i, f, g, o = split(x[t] @ kernel + h[t - 1] @ recurrent_kernel + bias, 4)
        c[t] = sigmoid(f) * c[t - 1] + sigmoid(i) * tanh(g)
        h[t] = sigmoid(o) * tanh(c[t])

    units             the size of both states.
    activation        in the place of tanh.
    recurrent_activation  in the place of sigmoid.
    unit_forget_bias  True: the bias of f begins at 1, so that little is forgotten at first.
    dropout, recurrent_dropout  the share of the inputs, and of the state, that is zero while training: the same ones at all
                      steps of a batch.
    seed              draws of its own for dropout, repeatable; else from the global generator.
    implementation, use_cudnn  taken for the sake of code that gives them; implementation=1 draws dropout for each gate.
    Shapes: inputs [B, T, F] -> [B, units]; kernel [F, 4 units], recurrent_kernel [units, 4 units], bias [4 units].
    The other settings, and what it is called with, are those of RNN.
    Source: Hochreiter and Schmidhuber (1997), Long short-term memory.

    >>> import tensorsmith as tf
    >>> output, h, c = LSTM(3, return_sequences=True, return_state=True)(tf.ones((2, 5, 4)))
    >>> output.shape, h.shape, c.shape
    (TensorShape([2, 5, 3]), TensorShape([2, 3]), TensorShape([2, 3]))
    """

    recurrent_activation, unit_forget_bias = of_cell("recurrent_activation"), of_cell("unit_forget_bias")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
            "recurrent_activation": recurrent_activation,
            "unit_forget_bias": unit_forget_bias,
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
            LSTMCell,
            settings,
            "lstm_cell",
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
