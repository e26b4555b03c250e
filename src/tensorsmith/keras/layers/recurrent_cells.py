"""What the built-in cells share: settings, weights for all gates side by side, dropout that is the same at all steps."""

from __future__ import annotations

from typing import Any

from tensorsmith.core import context
from tensorsmith.keras import activations, constraints, initializers, regularizers
from tensorsmith.keras.layers.base import Layer
from tensorsmith.keras.layers.cells import Step, batch_of, shape_of_batch, zero_states
from tensorsmith.keras.layers.input import InputSpec
from tensorsmith.keras.layers.recurrent import RNN
from tensorsmith.ops.comparison import greater_equal, where
from tensorsmith.ops.elementwise import add, multiply
from tensorsmith.ops.linalg import matmul
from tensorsmith.ops.shaping import concat, shape, split
from tensorsmith.state import random_generator
from tensorsmith.tensor.tensor import Symbol

# what is multiplied with the inputs and with the states, for each gate by itself or once for all; None: nothing
Masks = tuple[Any, Any]
NO_MASKS: Masks = (None, None)


class GatedCell(Layer):
    """A cell with one kernel [F, gates * units] for its inputs and one [units, gates * units] for its state.

    A subclass says `GATES` and `advance`. Dropout zeroes inputs and states by masks that are drawn once for all time
    steps; with `recurrent_dropout` (or implementation=1) each gate has masks of its own, as in Keras.
    """

    GATES = 1

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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        each_gate = kwargs.pop("implementation", 2) == 1
        super().__init__(**kwargs)
        if isinstance(units, bool) or int(units) != units or units <= 0:
            raise ValueError(f"{type(self).__name__}: units must be a positive integer; given units={units!r}.")
        self.units = self.output_size = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout, self.recurrent_dropout = min(1.0, max(0.0, dropout)), min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.state_size: Any = self.units
        self._generator = None if seed is None else random_generator.Generator.from_seed(seed)
        self._masks_each = self.GATES if each_gate or self.recurrent_dropout else 1

    # ---- weights

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.GATES * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, self.GATES * self.units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(),
                initializer=self._first_bias(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.GATES * self.units,)

    def _first_bias(self) -> Any:
        return self.bias_initializer

    def _input_bias(self) -> Any:
        return self.bias

    # ---- steps

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> list[Any]:
        """Zeros [B, units] for each state."""
        batch_size, dtype = batch_of(inputs, batch_size, dtype)
        states = zero_states(self.state_size, batch_size, dtype or self.compute_dtype)
        return states if isinstance(states, list) else [states]

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """One step: (output, new states)."""
        return self.for_steps(shape_of_batch(inputs), inputs.shape[-1], bool(training))(inputs, states)

    def for_sequence(self, sequences: Any, training: bool) -> tuple[Any, Step]:
        """The inputs of all steps times the kernel, and a step that takes them; in a program the inputs as they are.

        At once a product is one call for all steps. In a program of 200 steps of an LSTM the products, which are wider than
        the inputs, and what flows back into them go through memory and take three times as long (30 ms, not 10).
        """
        batch, features = shape(sequences)[1], sequences.shape[-1]
        if isinstance(sequences, Symbol) or context.local.graph is not None:
            return sequences, self.for_steps(batch, features, training)
        masks = self._masks(batch, features, training)
        return self._projected(sequences, masks), lambda row, states: self._step(row, states, masks)

    def for_steps(self, batch_size: Any, features: int, training: bool) -> Step:
        """A step that takes inputs [B, features] as they are."""
        masks = self._masks(batch_size, features, training)
        return lambda inputs, states: self._step(self._projected(inputs, masks), states, masks)

    def _step(self, projected: Any, states: Any, masks: Masks) -> tuple[Any, Any]:
        given = states if isinstance(states, (list, tuple)) else [states]
        after = self.advance(projected, given, masks[1])
        return after[0], after if isinstance(states, (list, tuple)) else after[0]

    def advance(self, projected: Any, states: Any, mask: Any) -> list[Any]:
        """The new states, the output first.

        projected  the inputs of the step times the kernel, [B, gates * units].
        mask       what the state is multiplied with before it meets its kernel.
        """
        raise NotImplementedError

    def _projected(self, inputs: Any, masks: Masks) -> Any:
        product = gated_product(inputs, self.kernel, masks[0])
        bias = self._input_bias()
        return product if bias is None else add(product, bias)

    def _masks(self, batch_size: Any, features: Any, training: bool) -> Masks:
        if not training:
            return NO_MASKS
        return self._mask(self.dropout, batch_size, features), self._mask(
            self.recurrent_dropout, batch_size, self.units
        )

    def _mask(self, rate: float, batch_size: Any, size: Any) -> Any:
        """[B, size] of 0 and 1 / (1 - rate), for each gate if they differ."""
        if not 0 < rate < 1:
            return None
        generator = self._generator or random_generator.get_global_generator()
        count = self._masks_each
        draws = generator.uniform((count, batch_size, size) if count > 1 else (batch_size, size), dtype=self._dtype)
        return where(greater_equal(draws, rate), 1.0 / (1.0 - rate), 0.0)

    # ---- the cell as data

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


def gated_product(values: Any, kernel: Any, mask: Any) -> Any:
    """values @ kernel, the values first times the mask; masks of several gates meet the parts of the kernel one by one."""
    if mask is None:
        return matmul(values, kernel)
    if len(mask.shape) == 2:
        return matmul(multiply(values, mask), kernel)
    gates = mask.shape[0]
    parts = split(kernel, gates, axis=1)
    return concat([matmul(multiply(values, mask[at]), part) for at, part in enumerate(parts)], axis=-1)


def of_cell(name: str) -> Any:
    """A setting of a layer that is its cell's."""
    return property(lambda layer: getattr(layer.cell, name), doc=f"`{name}` of the cell.")


class CellLayer(RNN):
    """An RNN of one built-in cell, whose settings are the layer's own."""

    units, activation, use_bias = of_cell("units"), of_cell("activation"), of_cell("use_bias")
    kernel_initializer, kernel_regularizer = of_cell("kernel_initializer"), of_cell("kernel_regularizer")
    recurrent_initializer, recurrent_regularizer = of_cell("recurrent_initializer"), of_cell("recurrent_regularizer")
    bias_initializer, bias_regularizer = of_cell("bias_initializer"), of_cell("bias_regularizer")
    kernel_constraint, recurrent_constraint = of_cell("kernel_constraint"), of_cell("recurrent_constraint")
    bias_constraint, seed = of_cell("bias_constraint"), of_cell("seed")
    dropout, recurrent_dropout = of_cell("dropout"), of_cell("recurrent_dropout")

    def __init__(self, cell_class: Any, settings: dict[str, Any], cell_name: str, **kwargs: Any) -> None:
        for key in ("implementation", "dtype", "trainable"):
            if key in kwargs:
                settings[key] = kwargs[key]
        for ignored in ("implementation", "use_cudnn"):
            kwargs.pop(ignored, None)
        super().__init__(cell_class(**settings, name=cell_name), **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: self.cell.kernel.shape[0]})

    def get_config(self) -> dict[str, Any]:
        base, cell = super().get_config(), self.cell.get_config()
        del base["cell"]
        return {**{key: value for key, value in cell.items() if key not in ("name", "trainable", "dtype")}, **base}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return cls(**config)
