"""The chapter's custom parts as one writes them for Keras 2 (TensorFlow up to 2.15)."""

# the words of their day are the point of this file
# ruff: noqa: RUF005, UP008

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Input, Lambda, Layer
from tensorflow.keras.models import Model, Sequential, load_model

rng = np.random.RandomState(42)
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
    error = K.abs(y_true - y_pred)
    small = K.cast(K.less(error, 1.0), K.floatx())
    return K.mean(small * K.square(error) / 2 + (1 - small) * (error - 0.5), axis=-1)


def make_robust(threshold=1.0):
    def robust_at(y_true, y_pred):
        error = y_true - y_pred
        is_small = tf.abs(error) < threshold
        return tf.where(is_small, tf.square(error) / 2, threshold * tf.abs(error) - threshold**2 / 2)

    return robust_at


class Robust(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super(Robust, self).__init__(**kwargs)

    def call(self, y_true, y_pred):
        return make_robust(self.threshold)(y_true, y_pred)

    def get_config(self):
        base_config = super().get_config()
        return dict(list(base_config.items()) + [("threshold", self.threshold)])


def small_model(loss, metrics=None, optimizer="nadam", **last):
    K.clear_session()
    tf.random.set_seed(7)
    model = Sequential()
    model.add(Dense(12, activation="selu", kernel_initializer="lecun_normal", input_shape=X.shape[1:]))
    model.add(Dense(1, **last))
    model.compile(loss=loss, optimizer=optimizer, metrics=metrics)
    return model


for loss, threshold in ((robust, 1.0), (make_robust(0.5), 0.5), (Robust(2.0), 2.0)):
    model = small_model(loss, ["mae"])
    before = model.predict(X_valid, verbose=0)
    value, error = model.evaluate(X_valid, Y_valid, verbose=0)
    close(value, huber(Y_valid, before, threshold).mean())
    close(error, np.abs(Y_valid - before).mean())
    history = model.fit(X, Y, epochs=4, validation_data=(X_valid, Y_valid), verbose=0)
    assert set(history.history) == {"loss", "mae", "val_loss", "val_mae"} and history.epoch == [0, 1, 2, 3]
    assert history.history["val_loss"][-1] < value
    model.save("loss.h5")
    known = {"robust": robust, "robust_at": make_robust(threshold), "Robust": Robust}
    again = load_model("loss.h5", custom_objects=known)
    close(again.predict(X, verbose=0), model.predict(X, verbose=0))
    close(again.evaluate(X, Y, verbose=0), model.evaluate(X, Y, verbose=0))
    if isinstance(loss, Robust):
        assert again.loss.threshold == 2.0
    # training goes on where it stopped: the optimizer was saved, too
    one = model.fit(X, Y, shuffle=False, verbose=0).history["loss"]
    two = again.fit(X, Y, shuffle=False, verbose=0).history["loss"]
    close(one, two)
done("losses")


# ---- optimizers

model = small_model("mse", optimizer=keras.optimizers.SGD(lr=0.05, momentum=0.9, decay=0.0))
assert abs(K.get_value(model.optimizer.lr) - 0.05) < 1e-8
K.set_value(model.optimizer.lr, 0.0)
before = model.get_weights()
model.fit(X, Y, verbose=0)
for one, two in zip(before, model.get_weights()):
    close(one, two, rtol=0, atol=0)
adam = keras.optimizers.Adam(lr=0.01, beta_1=0.9, beta_2=0.999)
assert abs(float(adam.learning_rate) - 0.01) < 1e-8
done("optimizers")


# ---- activation, initializer, regularizer, constraint


def bent(z):
    return K.log(K.exp(z) + 1.0)


def spread(shape, dtype=tf.float32):
    stddev = tf.sqrt(2.0 / (shape[0] + shape[1]))
    return tf.random.normal(shape, stddev=stddev, dtype=dtype)


def lean(weights):
    return tf.reduce_sum(tf.abs(0.01 * weights))


def upright(weights):
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


class Lean(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return tf.reduce_sum(tf.abs(self.factor * weights))

    def get_config(self):
        return {"factor": self.factor}


class AtLeast(keras.constraints.Constraint):
    def __init__(self, least):
        self.least = least

    def __call__(self, weights):
        return K.maximum(weights, self.least)

    def get_config(self):
        return {"least": self.least}


class Spread(keras.initializers.Initializer):
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, shape, dtype=None):
        return tf.ones(shape, dtype=dtype or tf.float32) * self.scale

    def get_config(self):
        return {"scale": self.scale}


known = {
    "bent": bent, "spread": spread, "lean": lean, "upright": upright, "Lean": Lean, "AtLeast": AtLeast, "Spread": Spread,
}  # fmt: skip
for number, (initializer, regularizer, constraint) in enumerate(
    [(spread, lean, upright), (Spread(0.2), Lean(0.01), AtLeast(0.1))]
):
    model = small_model(
        "mse",
        activation=bent,
        kernel_initializer=initializer,
        kernel_regularizer=regularizer,
        kernel_constraint=constraint,
    )
    kernel = K.get_value(model.layers[1].kernel)
    assert number == 0 or (kernel == np.float32(0.2)).all()
    close(model.losses[0], 0.01 * np.abs(kernel).sum())
    expected = ((model.predict(X_valid, verbose=0) - Y_valid) ** 2).mean() + 0.01 * np.abs(kernel).sum()
    close(model.evaluate(X_valid, Y_valid, verbose=0), expected)
    model.fit(X, Y, epochs=3, verbose=0)
    assert K.get_value(model.layers[1].kernel).min() >= (0.0, 0.1)[number] - 1e-7
    for name in ("parts.h5", "parts.keras"):
        model.save(name)
        again = load_model(name, custom_objects=known)
        close(again.evaluate(X, Y, verbose=0), model.evaluate(X, Y, verbose=0))
        with keras.utils.custom_object_scope(known):
            close(load_model(name).predict(X, verbose=0), model.predict(X, verbose=0))
    if number:
        last = again.layers[1]
        assert (last.kernel_regularizer.factor, last.kernel_constraint.least) == (0.01, 0.1)
done("parts")


# ---- metrics


class RobustMean(keras.metrics.Metric):
    def __init__(self, threshold=1.0, **kwargs):
        super(RobustMean, self).__init__(**kwargs)
        self.threshold = threshold
        self.total = self.add_weight("total", initializer="zeros")
        self.count = self.add_weight("count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        metric = make_robust(self.threshold)(y_true, y_pred)
        self.total.assign_add(tf.reduce_sum(metric))
        self.count.assign_add(tf.cast(tf.size(y_true), tf.float32))

    def result(self):
        return self.total / self.count

    def reset_states(self):
        for variable in self.variables:
            variable.assign(0.0)

    def get_config(self):
        base_config = super().get_config()
        return {**base_config, "threshold": self.threshold}


metric = RobustMean(2.0)
close(metric(tf.constant([[2.0]]), tf.constant([[10.0]])), 14.0)
close(metric(tf.constant([[0.0], [5.0]]), tf.constant([[1.0], [9.25]])), (14.0 + 0.5 + 6.5) / 3)
metric.reset_states()
assert [float(v) for v in metric.variables] == [0.0, 0.0]

model = small_model("mse", [robust, RobustMean(0.5, name="mine")])
history = model.fit(X, Y, epochs=3, validation_data=(X_valid, Y_valid), verbose=0).history
prediction = model.predict(X_valid, verbose=0)
close(history["val_robust"][-1], huber(Y_valid, prediction).mean())
close(history["val_mine"][-1], huber(Y_valid, prediction, 0.5).mean())
model.save("metric.h5")
again = load_model("metric.h5", custom_objects={"robust": robust, "RobustMean": RobustMean})
close(again.evaluate(X_valid, Y_valid, verbose=0), model.evaluate(X_valid, Y_valid, verbose=0))
assert [m.threshold for m in again.metrics if isinstance(m, RobustMean)] == [0.5]
done("metrics")


# ---- layers

growing = Lambda(lambda x: K.exp(x))
close(growing([-1.0, 0.0, 1.0]), np.exp([-1.0, 0.0, 1.0]))


class Affine(Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=[batch_input_shape.as_list()[-1], self.units], initializer="glorot_normal"
        )
        self.bias = self.add_weight("bias", (self.units,), initializer="zeros")
        super().build(batch_input_shape)

    def call(self, X):
        return self.activation(K.dot(X, self.kernel) + self.bias)

    def compute_output_shape(self, batch_input_shape):
        return tf.TensorShape(batch_input_shape.as_list()[:-1] + [self.units])

    def get_config(self):
        base_config = super().get_config()
        return {**base_config, "units": self.units, "activation": keras.activations.serialize(self.activation)}


layer = Affine(3, activation="relu", input_shape=[8])
close(layer(X), np.maximum(X @ layer.kernel.numpy(), 0))
assert layer.compute_output_shape(tf.TensorShape([None, 8])).as_list() == [None, 3]
assert K.int_shape(layer.kernel) == (8, 3)


class SumAndProduct(Layer):
    def call(self, inputs):
        left, right = inputs
        return [left + right, left * right]

    def compute_output_shape(self, batch_input_shape):
        first, second = batch_input_shape
        return [first, second]


class Noisy(Layer):
    def __init__(self, stddev, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, X, training=None):
        if training:
            return X + tf.random.normal(tf.shape(X), stddev=self.stddev)
        return X

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


close(Noisy(1.0)(X), X)
noise = Noisy(0.5)(X, training=True).numpy() - X
assert abs(noise.std() - 0.5) < 0.05 and abs(noise.mean()) < 0.05

one, two = Input(shape=[8]), Input(shape=[8])
total, product = SumAndProduct()((one, two))
assert total.shape.as_list() == product.shape.as_list() == [None, 8]
hidden = Affine(6, activation="tanh")(keras.layers.concatenate([total, product]))
model = Model(inputs=[one, two], outputs=[Affine(1)(Noisy(0.01)(hidden))])
model.compile(loss=Robust(), optimizer=keras.optimizers.Adam(lr=0.01))
first = model.evaluate((X, X), Y, verbose=0)
model.fit((X, X), Y, epochs=5, verbose=0)
assert model.evaluate((X, X), Y, verbose=0) < first
known = {"Robust": Robust, "Affine": Affine, "SumAndProduct": SumAndProduct, "Noisy": Noisy}
for name in ("layers.h5", "layers.keras", "layers_folder"):
    model.save(name)
    again = load_model(name, custom_objects=known)
    close(again.predict([X, X], verbose=0), model.predict([X, X], verbose=0))
done("layers")


# ---- models


class Residual(Layer):
    def __init__(self, n_layers, n_neurons, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [Dense(n_neurons, activation="elu", kernel_initializer="he_normal") for _ in range(n_layers)]

    def call(self, inputs):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        return inputs + Z


class Regressor(keras.models.Model):
    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden1 = Dense(10, activation="elu", kernel_initializer="he_normal")
        self.block1 = Residual(2, 10)
        self.block2 = Residual(1, 10)
        self.out = Dense(output_dim)

    def call(self, inputs):
        Z = self.hidden1(inputs)
        for _ in range(1 + 2):
            Z = self.block1(Z)
        return self.out(self.block2(Z))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        self.compiled_metrics.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


K.clear_session()
tf.random.set_seed(3)
model = Regressor(1)
model.compile(loss="mse", optimizer=keras.optimizers.Nadam(lr=0.005), metrics=["mae"])
history = model.fit(X, Y, epochs=10, verbose=0).history
assert set(history) == {"loss", "mae"} and history["loss"][-1] < history["loss"][0] / 2
close(model.evaluate(X, Y, verbose=0)[0], ((model.predict(X, verbose=0) - Y) ** 2).mean())
model.save_weights("regressor.h5")
other = Regressor(1)
other.build(tf.TensorShape([None, 8]))
other.load_weights("regressor.h5")
close(other.predict(X, verbose=0), model.predict(X, verbose=0))
model.save("regressor.keras")
again = load_model("regressor.keras", custom_objects={"Regressor": Regressor, "Residual": Residual})
close(again.predict(X, verbose=0), model.predict(X, verbose=0))

# a loop of one's own
optimizer, loss_fn = keras.optimizers.SGD(lr=0.01), keras.losses.mean_squared_error
mean_loss, model = keras.metrics.Mean(), small_model("mse")
seen = []
for _epoch in range(3):
    for start in range(0, 192, 32):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(loss_fn(Y[start : start + 32], model(X[start : start + 32], training=True)))
            loss = tf.add_n([loss] + model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        mean_loss(loss)
    seen.append(mean_loss.result().numpy())
    mean_loss.reset_states()
assert seen[2] < seen[1] < seen[0]
done("models")
