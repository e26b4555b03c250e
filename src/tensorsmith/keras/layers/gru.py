"""GRU and its cell."""

from __future__ import annotations

from typing import Any

from tensorsmith.function.autograph import in_trace
from tensorsmith.keras import activations
from tensorsmith.keras.layers.recurrent_cells import CellLayer, GatedCell, gated_product, of_cell
from tensorsmith.ops.elementwise import add, multiply, subtract
from tensorsmith.ops.linalg import matmul
from tensorsmith.ops.shaping import split


class GRUCell(GatedCell):
    """One step of GRU.

    `cell(inputs [B, F], states [[B, units]])` -> (output [B, units], [the same]). Its settings are those of GRU.
    """

    GATES = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = bool(reset_after)

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _input_bias(self) -> Any:
        return self.bias[0] if self.reset_after and self.bias is not None else self.bias

    def advance(self, projected: Any, states: Any, mask: Any) -> list[Any]:
        h, units = states[0], self.units
        activation, gate = in_trace(self.activation), in_trace(self.recurrent_activation)
        if self.reset_after:
            inner = gated_product(h, self.recurrent_kernel, mask)
            if self.bias is not None:
                inner = add(inner, self.bias[1])
            gates, new = split(projected, [2 * units, units], axis=1)
            inner_gates, inner_new = split(inner, [2 * units, units], axis=1)
            z, r = split(add(gates, inner_gates), 2, axis=1)
            z, r = gate(z), gate(r)
            new = activation(add(new, multiply(r, inner_new)))
        else:
            kernel_gates, kernel_new = split(self.recurrent_kernel, [2 * units, units], axis=1)
            of_gates, of_new = (mask, mask) if mask is None or len(mask.shape) == 2 else (mask[:2], mask[2])
            gates, new = split(projected, [2 * units, units], axis=1)
            z, r = split(add(gates, gated_product(h, kernel_gates, of_gates)), 2, axis=1)
            z, r = gate(z), gate(r)
            new = activation(add(new, matmul(multiply(r, h if of_new is None else multiply(h, of_new)), kernel_new)))
        return [add(multiply(z, h), multiply(subtract(1.0, z), new))]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }


class GRU(CellLayer):
    """A gated recurrent unit: the state h is a mean, by a gate z, of what it was and of a new value.

        z = sigmoid(x[t] @ kernel_z + h[t - 1] @ recurrent_kernel_z + bias_z), r likewise
        new = tanh(x[t] @ kernel_new + r * (h[t - 1] @ recurrent_kernel_new + bias_2) + bias_1)      reset_after=True
        new = tanh(x[t] @ kernel_new + (r * h[t - 1]) @ recurrent_kernel_new + bias_new)            reset_after=False
        h[t] = z * h[t - 1] + (1 - z) * new

    units         the size of the state.
    activation    in the place of tanh.
    recurrent_activation  in the place of sigmoid.
    dropout, recurrent_dropout  the share of the inputs, and of the state, that is zero while training: the same ones at all
                  steps of a batch.
    seed          draws of its own for dropout, repeatable; else from the global generator.
    implementation, use_cudnn  taken for the sake of code that gives them; implementation=1 draws dropout for each gate.
    Shapes: inputs [B, T, F] -> [B, units]; kernel [F, 3 units], recurrent_kernel [units, 3 units], each z, r, new;
            bias [2, 3 units] (of inputs and of the state), [3 units] without reset_after.
    The other settings, and what it is called with, are those of RNN.
    Source: Cho et al. (2014), Learning phrase representations using RNN encoder-decoder.

    >>> import tensorsmith as tf
    >>> GRU(3, return_sequences=True)(tf.ones((2, 5, 4))).shape
    TensorShape([2, 5, 3])
    """

    recurrent_activation, reset_after = of_cell("recurrent_activation"), of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        settings = {
            "units": units,
            "activation": activation,
            "recurrent_activation": recurrent_activation,
            "reset_after": reset_after,
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
            GRUCell,
            settings,
            "gru_cell",
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
