"""The custom parts, and the two models made of them: each kind of part that Keras lets its users write.

Nothing here knows anything of Tensorsmith: with `import tensorflow as tf` it is a Keras script like any other.
"""

from __future__ import annotations

from typing import Any

import tensorsmith as tf
from tensorsmith import keras


def huber(error: tf.Tensor, threshold: float) -> tf.Tensor:
    """Squared where the error is small, straight where it is large: a wild row pulls no harder than a bad one."""
    size = tf.abs(error)
    return tf.where(size < threshold, tf.square(error) / 2, threshold * size - threshold**2 / 2)


class HuberLoss(keras.losses.Loss):
    """A loss with a setting that is saved with the model."""

    def __init__(self, threshold: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.threshold = threshold

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return huber(y_pred - y_true, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


class HuberMetric(keras.metrics.Metric):
    """The mean Huber error over all rows seen since the last reset, however they were cut into batches."""

    def __init__(self, threshold: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.threshold = threshold
        self.total = self.add_weight(name="total", initializer="zeros")
        self.rows = self.add_weight(name="rows", initializer="zeros")

    def update_state(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None) -> None:
        values = huber(y_pred - y_true, self.threshold)
        self.total.assign_add(tf.reduce_sum(values))
        self.rows.assign_add(tf.cast(tf.size(values), tf.float32))

    def result(self) -> tf.Tensor:
        return self.total / self.rows

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


class MyL1Regularizer(keras.regularizers.Regularizer):
    """A price on every weight, so that those of no use go to zero."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        return self.factor * tf.reduce_sum(tf.abs(weights))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}


def my_positive_weights(weights: tf.Tensor) -> tf.Tensor:
    """After each step, weights below zero are put back to zero."""
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


def my_softplus(z: tf.Tensor) -> tf.Tensor:
    """log(1 + exp(z)): a price is never below zero."""
    # Taken from the larger side: exp(z) itself is beyond float32 above z = 88, and one odd row gets there.
    return tf.maximum(z, 0.0) + tf.math.log(1.0 + tf.exp(-tf.abs(z)))


def my_glorot_initializer(shape: Any, dtype: Any = tf.float32) -> tf.Tensor:
    """Normal numbers, as wide as keeps the signal's size through a layer of this shape."""
    return tf.random.normal(shape, stddev=(2.0 / (shape[0] + shape[1])) ** 0.5, dtype=dtype)


class MyDense(keras.layers.Layer):
    """activation(x @ kernel + bias)."""

    def __init__(self, units: int, activation: Any = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=[input_shape[-1], self.units], initializer="he_normal")
        self.bias = self.add_weight(name="bias", shape=[self.units], initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self.activation(inputs @ self.kernel + self.bias)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation}


class ResidualBlock(keras.layers.Layer):
    """A few layers whose result is added to what went in."""

    def __init__(self, n_layers: int, n_neurons: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.n_layers, self.n_neurons = n_layers, n_neurons
        self.hidden = [MyDense(n_neurons, activation="elu") for _ in range(n_layers)]

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        signal = inputs
        for layer in self.hidden:
            signal = layer(signal)
        return inputs + signal

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n_layers": self.n_layers, "n_neurons": self.n_neurons}


class ResidualRegressor(keras.Model):
    """A model with a `call` of its own: the first block is gone through four times, with one set of weights."""

    def __init__(self, output_dim: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.output_dim = output_dim
        self.first = MyDense(30, activation="elu")
        self.again = ResidualBlock(2, 30)
        self.once = ResidualBlock(2, 30)
        self.out = price_layer(output_dim)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        signal = self.first(inputs)
        for _ in range(4):
            signal = self.again(signal)
        return self.out(self.once(signal))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_dim": self.output_dim}


def price_layer(units: int = 1) -> keras.layers.Layer:
    """The last layer of both models: a Dense made of four custom parts."""
    return keras.layers.Dense(
        units,
        activation=my_softplus,
        kernel_initializer=my_glorot_initializer,
        kernel_regularizer=MyL1Regularizer(0.001),
        kernel_constraint=my_positive_weights,
    )


def small_model(n_features: int) -> keras.Model:
    """One hidden layer, then the price."""
    return keras.Sequential([keras.Input(shape=(n_features,)), MyDense(30, activation="selu"), price_layer()])


CUSTOM_OBJECTS: dict[str, Any] = {
    part.__name__: part
    for part in (
        HuberLoss,
        HuberMetric,
        MyL1Regularizer,
        my_positive_weights,
        my_softplus,
        my_glorot_initializer,
        MyDense,
        ResidualBlock,
        ResidualRegressor,
    )
}
