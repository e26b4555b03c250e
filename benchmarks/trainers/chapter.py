"""The chapter's models and custom parts, written once over a keras and a set of operations.

Keras 3 gives them its `keras.ops`, Tensorsmith its `tf`: both run the same definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.problems import L1_FACTOR, LEARNING_RATE, THRESHOLD, WIDTH, Problem


@dataclass(frozen=True)
class Ops:
    """The operations that custom parts are made of."""

    abs: Any
    square: Any
    where: Any
    sum: Any
    exp: Any
    log: Any
    matmul: Any
    zeros_like: Any
    convert: Any
    size: Any
    cast: Any


def huber_of(ops: Ops, threshold: float) -> Any:
    def huber(y_true: Any, y_pred: Any) -> Any:
        error = y_true - y_pred
        size = ops.abs(error)
        linear = threshold * size - threshold**2 / 2
        return ops.where(size < threshold, ops.square(error) / 2, linear)

    return huber


def custom_parts(keras: Any, ops: Ops) -> dict[str, Any]:
    class HuberLoss(keras.losses.Loss):
        def __init__(self, threshold: float = 1.0, **settings: Any) -> None:
            super().__init__(**settings)
            self.threshold = threshold
            self.huber = huber_of(ops, threshold)

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return self.huber(y_true, y_pred)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "threshold": self.threshold}

    class HuberMetric(keras.metrics.Metric):
        def __init__(self, threshold: float = 1.0, **settings: Any) -> None:
            super().__init__(**settings)
            self.threshold = threshold
            self.huber = huber_of(ops, threshold)
            self.total = self.add_weight(name="total", shape=(), initializer="zeros")
            self.count = self.add_weight(name="count", shape=(), initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.total.assign_add(ops.sum(self.huber(y_true, y_pred)))
            self.count.assign_add(ops.cast(ops.size(y_true), "float32"))

        def result(self) -> Any:
            return self.total / self.count

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "threshold": self.threshold}

    class L1(keras.regularizers.Regularizer):
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, weights: Any) -> Any:
            return ops.sum(ops.abs(self.factor * weights))

        def get_config(self) -> dict[str, Any]:
            return {"factor": self.factor}

    class Positive(keras.constraints.Constraint):
        def __call__(self, weights: Any) -> Any:
            weights = ops.convert(weights)
            return ops.where(weights < 0.0, ops.zeros_like(weights), weights)

    class MyDense(keras.layers.Layer):
        def __init__(self, units: int, activation: Any = None, **settings: Any) -> None:
            super().__init__(**settings)
            self.units = units
            self.activation = keras.activations.get(activation)

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                name="kernel", shape=(input_shape[-1], self.units), initializer="glorot_normal"
            )
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

        def call(self, inputs: Any) -> Any:
            return self.activation(ops.matmul(inputs, self.kernel) + self.bias)

    def softplus(z: Any) -> Any:
        return ops.log(ops.exp(z) + 1.0)

    return {
        "loss": HuberLoss(THRESHOLD["custom"]),
        "metrics": [HuberMetric(THRESHOLD["custom"], name="metric")],
        "layers": [
            MyDense(WIDTH, activation="selu"),
            keras.layers.Dense(
                1,
                activation=softplus,
                kernel_regularizer=L1(L1_FACTOR),
                kernel_constraint=Positive(),
            ),
        ],
    }


def residual_regressor(keras: Any) -> Any:
    def dense() -> Any:
        return keras.layers.Dense(WIDTH, activation="elu", kernel_initializer="he_normal")

    class ResidualBlock(keras.layers.Layer):
        def __init__(self, n_layers: int, **settings: Any) -> None:
            super().__init__(**settings)
            self.hidden = [dense() for _ in range(n_layers)]

        def call(self, inputs: Any) -> Any:
            z = inputs
            for layer in self.hidden:
                z = layer(z)
            return inputs + z

    class ResidualRegressor(keras.models.Model):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.hidden1 = dense()
            self.block1 = ResidualBlock(2)
            self.block2 = ResidualBlock(2)
            self.out = keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            z = self.hidden1(inputs)
            for _ in range(1 + 3):
                z = self.block1(z)
            return self.out(self.block2(z))

    return ResidualRegressor()


def compiled_model(keras: Any, ops: Ops, problem: Problem, learning_rate: float = LEARNING_RATE) -> Any:
    optimizer = keras.optimizers.Nadam(learning_rate=learning_rate)
    if problem == "residual":
        model = residual_regressor(keras)
        model.compile(loss="mse", optimizer=optimizer)
        return model
    if problem == "custom":
        parts = custom_parts(keras, ops)
        model = keras.models.Sequential([keras.layers.Input(shape=(8,)), *parts["layers"]])
        model.compile(loss=parts["loss"], optimizer=optimizer, metrics=parts["metrics"])
        return model
    model = keras.models.Sequential(
        [
            keras.layers.Input(shape=(8,)),
            keras.layers.Dense(WIDTH, activation="selu", kernel_initializer="lecun_normal"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(loss=huber_of(ops, THRESHOLD["plain"]), optimizer=optimizer, metrics=["mae"])
    return model
