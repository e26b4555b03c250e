"""The chapter's custom parts as one writes them for Keras 3. Real Keras 3 runs this file as well."""

import keras
import numpy as np
from keras import layers, ops

rng = np.random.default_rng(42)
X = rng.normal(size=(192, 8)).astype("float32")
Y = (X[:, :3].sum(axis=1, keepdims=True) + 0.3 * np.sin(3 * X[:, 3:4])).astype("float32")
X_valid, Y_valid = X[:64], Y[:64]


def close(given, expected, rtol=1e-4, atol=1e-5):
    np.testing.assert_allclose(np.asarray(given), np.asarray(expected), rtol=rtol, atol=atol)


def huber(y, p, threshold=1.0):
    """The truth, in NumPy."""
    e = np.abs(np.asarray(y, "float64") - np.asarray(p, "float64"))
    return np.where(e <= threshold, e * e / 2, threshold * (e - threshold / 2))


def done(what):
    print("done:", what)


# ---- losses


def robust(y_true, y_pred):
    error = y_true - y_pred
    small = ops.abs(error) < 1.0
    return ops.where(small, ops.square(error) / 2, ops.abs(error) - 0.5)


def make_robust(threshold):
    def robust_at(y_true, y_pred):
        error = ops.abs(y_true - y_pred)
        quadratic = ops.minimum(error, threshold)
        return ops.square(quadratic) / 2 + threshold * (error - quadratic)

    return robust_at


@keras.saving.register_keras_serializable(package="story")
class Robust(keras.losses.Loss):
    def __init__(self, threshold=1.0, name="robust", reduction="sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        self.threshold = threshold

    def call(self, y_true, y_pred):
        return ops.mean(make_robust(self.threshold)(y_true, y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def small_model(loss, metrics=None, **last):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            layers.Dense(12, activation="selu", kernel_initializer="lecun_normal"),
            layers.Dense(1, **last),
        ]
    )
    model.compile(loss=loss, optimizer="nadam", metrics=metrics)
    return model


for loss, threshold in ((robust, 1.0), (make_robust(0.5), 0.5), (Robust(2.0), 2.0)):
    model = small_model(loss, ["mae"])
    before = model.predict(X_valid, verbose=0)
    value, error = model.evaluate(X_valid, Y_valid, verbose=0)
    close(value, huber(Y_valid, before, threshold).mean())
    close(error, np.abs(Y_valid - before).mean())
    history = model.fit(X, Y, epochs=4, validation_data=(X_valid, Y_valid), verbose=0).history
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert len(history["loss"]) == 4 and history["val_loss"][-1] < value
    close(history["val_loss"][-1], huber(Y_valid, model.predict(X_valid, verbose=0), threshold).mean())
    name = f"loss_{threshold}.keras"
    model.save(name)
    known = {"robust": robust, "robust_at": make_robust(threshold)}
    again = keras.models.load_model(name, custom_objects=known)
    close(again.predict(X, verbose=0), model.predict(X, verbose=0))
    if isinstance(loss, Robust):
        assert again.loss.threshold == 2.0
    again.fit(X, Y, verbose=0)
    model.fit(X, Y, verbose=0)
done("losses")


# ---- activation, initializer, regularizer, constraint: as functions, then as classes


def bent(z):
    return ops.log(1.0 + ops.exp(z))


def spread(shape, dtype=None):
    return keras.random.normal(shape, stddev=ops.sqrt(2.0 / (shape[0] + shape[1])), dtype=dtype)


def lean(weights):
    return ops.sum(ops.abs(0.01 * weights))


def upright(weights):
    weights = ops.convert_to_tensor(weights)
    return ops.where(weights < 0.0, ops.zeros_like(weights), weights)


@keras.saving.register_keras_serializable("story")
class Spread(keras.initializers.Initializer):
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, shape, dtype=None, **kwargs):
        return ops.ones(shape, dtype=dtype or "float32") * self.scale

    def get_config(self):
        return {"scale": self.scale}


@keras.saving.register_keras_serializable("story")
class Lean(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return ops.sum(ops.abs(self.factor * weights))

    def get_config(self):
        return {"factor": self.factor}


@keras.saving.register_keras_serializable("story")
class AtLeast(keras.constraints.Constraint):
    def __init__(self, least):
        self.least = least

    def __call__(self, weights):
        return ops.maximum(weights, self.least)

    def get_config(self):
        return {"least": self.least}


parts = {"bent": bent, "spread": spread, "lean": lean, "upright": upright}
as_functions = {
    "activation": bent,
    "kernel_initializer": spread,
    "kernel_regularizer": lean,
    "kernel_constraint": upright,
}
as_classes = {
    "activation": bent,
    "kernel_initializer": Spread(0.2),
    "kernel_regularizer": Lean(0.01),
    "kernel_constraint": AtLeast(0.1),
}
for number, settings in enumerate((as_functions, as_classes)):
    model = small_model("mse", **settings)
    kernel = np.asarray(model.layers[1].kernel)
    assert kernel.shape == (12, 1) and (number == 0 or (kernel == np.float32(0.2)).all())
    close(model.losses[0], 0.01 * np.abs(kernel).sum())
    hidden = np.asarray(model.layers[0](X_valid))
    close(model.predict(X_valid, verbose=0), np.log1p(np.exp(hidden @ kernel)))
    expected = ((model.predict(X_valid, verbose=0) - Y_valid) ** 2).mean() + 0.01 * np.abs(kernel).sum()
    close(model.evaluate(X_valid, Y_valid, verbose=0), expected)
    model.fit(X, Y, epochs=3, verbose=0)
    assert np.asarray(model.layers[1].kernel).min() >= (0.0, 0.1)[number] - 1e-7
    model.save(f"parts_{number}.keras")
    again = keras.models.load_model(f"parts_{number}.keras", custom_objects=parts)
    close(again.evaluate(X, Y, verbose=0), model.evaluate(X, Y, verbose=0))
    last = again.layers[1]
    assert last.activation is bent
    if number:
        assert (last.kernel_regularizer.factor, last.kernel_constraint.least) == (0.01, 0.1)
done("parts")


# ---- metrics


@keras.saving.register_keras_serializable("story")
class RobustMean(keras.metrics.Metric):
    def __init__(self, threshold=1.0, name="robust_mean", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")
        self.count = self.add_weight(shape=(), initializer="zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = make_robust(self.threshold)(y_true, y_pred)
        self.total.assign_add(ops.sum(values))
        self.count.assign(self.count + ops.cast(ops.size(y_true), "float32"))

    def result(self):
        return self.total / ops.maximum(self.count, 1e-7)

    def reset_state(self):
        self.total.assign(0.0)
        self.count.assign(ops.zeros(()))

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


metric = RobustMean(2.0)
metric.update_state(np.array([[2.0]], "float32"), np.array([[10.0]], "float32"))
close(metric.result(), 14.0)
metric.update_state(np.array([[0.0], [5.0]], "float32"), np.array([[1.0], [9.25]], "float32"))
close(metric.result(), (14.0 + 0.5 + 6.5) / 3)
assert [v.name for v in metric.variables] == ["total", "count"]
metric.reset_state()
assert float(metric.result()) == 0.0

model = small_model("mse", [robust, RobustMean(0.5)])
history = model.fit(X, Y, epochs=2, validation_data=(X_valid, Y_valid), verbose=0).history
prediction = model.predict(X_valid, verbose=0)
close(history["val_robust"][-1], huber(Y_valid, prediction).mean())
close(history["val_robust_mean"][-1], huber(Y_valid, prediction, 0.5).mean())
model.save("metric.keras")
again = keras.models.load_model("metric.keras", custom_objects={"robust": robust})
close(again.evaluate(X_valid, Y_valid, verbose=0), model.evaluate(X_valid, Y_valid, verbose=0))

precision = keras.metrics.Precision()
close(precision([0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1, 0, 1]), 0.8)
close(precision([0, 1, 0, 0, 1, 0, 1, 1], [1, 0, 1, 1, 0, 0, 0, 0]), 0.5)
done("metrics")


# ---- layers

growing = layers.Lambda(lambda x: ops.exp(x))
close(growing(ops.array([-1.0, 0.0, 1.0])), np.exp([-1.0, 0.0, 1.0]))


@keras.saving.register_keras_serializable("story")
class Affine(layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_normal", name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.calls = keras.Variable(0.0, trainable=False, name="calls")

    def call(self, x):
        return self.activation(ops.matmul(x, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
        }


layer = Affine(3, activation="relu", name="affine")
close(layer(X), np.maximum(X @ np.asarray(layer.kernel), 0))
assert [w.name for w in layer.trainable_weights] == ["kernel", "bias"]
assert len(layer.non_trainable_variables) == 1 and len(layer.weights) == 3
assert layer.compute_output_shape((None, 8)) == (None, 3)
assert layer.kernel.shape == (8, 3)


@keras.saving.register_keras_serializable("story")
class SumAndProduct(layers.Layer):
    def call(self, inputs):
        left, right = inputs
        return left + right, left * right

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0]), tuple(input_shape[1])


@keras.saving.register_keras_serializable("story")
class Noise(layers.Layer):
    def __init__(self, spread, **kwargs):
        super().__init__(**kwargs)
        self.spread = spread
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, x, training=False):
        if training:
            return x + self.spread * keras.random.normal(ops.shape(x), seed=self.seed_generator)
        return x

    def get_config(self):
        return {**super().get_config(), "spread": self.spread}


close(Noise(1.0)(X), X)
noise = np.asarray(Noise(0.5)(X, training=True)) - X
assert abs(noise.std() - 0.5) < 0.05 and abs(noise.mean()) < 0.05

one, two = keras.Input(shape=(8,)), keras.Input(shape=(8,))
total, product = SumAndProduct()((one, two))
assert tuple(total.shape) == tuple(product.shape) == (None, 8)
hidden = Affine(6, activation="tanh")(layers.Concatenate()([total, product]))
model = keras.Model([one, two], Affine(1)(Noise(0.01)(hidden)))
model.compile(loss=Robust(), optimizer=keras.optimizers.Adam(learning_rate=0.01))
first = model.evaluate([X, X], Y, verbose=0)
model.fit([X, X], Y, epochs=5, verbose=0)
assert model.evaluate([X, X], Y, verbose=0) < first
model.save("layers.keras")
again = keras.models.load_model("layers.keras")
close(again.predict([X, X], verbose=0), model.predict([X, X], verbose=0))
assert again.loss.threshold == 1.0
done("layers")


# ---- models


@keras.saving.register_keras_serializable("story")
class Residual(layers.Layer):
    def __init__(self, depth, width, **kwargs):
        super().__init__(**kwargs)
        self.depth, self.width = depth, width
        self.hidden = [layers.Dense(width, activation="elu", kernel_initializer="he_normal") for _ in range(depth)]

    def build(self, input_shape):
        for each in self.hidden:
            each.build(input_shape)

    def call(self, x):
        z = x
        for each in self.hidden:
            z = each(z)
        return x + z

    def get_config(self):
        return {**super().get_config(), "depth": self.depth, "width": self.width}


@keras.saving.register_keras_serializable("story")
class Regressor(keras.Model):
    def __init__(self, outputs, **kwargs):
        super().__init__(**kwargs)
        self.outputs_wanted = outputs
        self.first = layers.Dense(10, activation="elu", kernel_initializer="he_normal")
        self.blocks = [Residual(2, 10), Residual(1, 10)]
        self.out = layers.Dense(outputs)
        self.seen = keras.metrics.Mean(name="seen")

    def call(self, x):
        z = self.first(x)
        for _ in range(3):
            z = self.blocks[0](z)
        return self.out(self.blocks[1](z))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = ops.mean(ops.square(y - y_pred)) + 0.001 * ops.mean(ops.square(y_pred))
        self.seen.update_state(loss)
        return loss

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs_wanted}


keras.utils.set_random_seed(3)
model = Regressor(1)
model.compile(optimizer=keras.optimizers.Nadam(learning_rate=0.005))
given = model.evaluate(X, Y, batch_size=192, return_dict=True, verbose=0)
predictions = model.predict(X, verbose=0)
close(given["loss"], ((Y - predictions) ** 2).mean() + 0.001 * (predictions**2).mean())
close(given["seen"], given["loss"])
history = model.fit(X, Y, epochs=10, batch_size=32, verbose=0).history
assert history["loss"][-1] < history["loss"][0] / 2
assert len(model.trainable_variables) == 2 * (1 + 2 + 1 + 1)
model.save("regressor.keras")
again = keras.models.load_model("regressor.keras")
close(again.predict(X, verbose=0), model.predict(X, verbose=0))
model.save_weights("regressor.weights.h5")
other = Regressor(1)
other(X[:1])
other.load_weights("regressor.weights.h5")
close(other.predict(X, verbose=0), model.predict(X, verbose=0))
done("models")
