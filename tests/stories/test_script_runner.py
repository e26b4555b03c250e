"""Scripts written for TensorFlow and Keras, run unchanged in a fresh process that has neither."""

from pathlib import Path

import pytest

from tests.support.process import run_script

# Written for TensorFlow 2: a loss made by a function, a loss and a metric as classes, training, both kinds of file.
SCRIPT = '''
"""Learns y = 2 a - b + 1 with custom parts."""
import argparse
import os

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.layers import Dense

assert tf.__version__ >= "2.0"


def create_huber(threshold=1.0):
    def huber_fn(y_true, y_pred):
        error = y_true - y_pred
        is_small_error = tf.abs(error) < threshold
        return tf.where(is_small_error, tf.square(error) / 2, threshold * tf.abs(error) - threshold**2 / 2)

    return huber_fn


class HuberLoss(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        return create_huber(self.threshold)(y_true, y_pred)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


class WorstError(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.worst = self.add_weight("worst", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.worst.assign(tf.maximum(self.worst, tf.reduce_max(tf.abs(y_true - y_pred))))

    def result(self):
        return self.worst


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    args = parser.parse_args()

    tf.random.set_seed(42)
    np.random.seed(42)
    X = np.random.normal(size=(320, 2)).astype(np.float32)
    y = 2 * X[:, :1] - X[:, 1:] + 1

    model = keras.models.Sequential([Dense(16, activation="selu", input_shape=X.shape[1:]), Dense(1)])
    optimizer = keras.optimizers.Nadam(0.01)
    model.compile(loss=HuberLoss(2.0), optimizer=optimizer, metrics=["mae", WorstError()])
    history = model.fit(X, y, epochs=args.epochs, validation_split=0.2, verbose=2)
    assert history.history["val_loss"][-1] < history.history["val_loss"][0] / 10

    custom_objects = {"HuberLoss": HuberLoss, "WorstError": WorstError}
    for path in ("model.h5", "model.keras"):
        model.save(path)
        again = keras.models.load_model(path, custom_objects=custom_objects)
        np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
        assert again.loss.threshold == 2.0
    print("off by", round(float(np.abs(model.predict(X, verbose=0) - y).mean()), 3))
    print("kept", sorted(name for name in os.listdir() if name.startswith("model")))


if __name__ == "__main__":
    main()
'''

# Written for Keras 3: shape first in add_weight, keras.ops, a layer of one's own.
KERAS_3_SCRIPT = """
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(1)


class Scale(layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, x):
        return ops.multiply(x, self.factor)


inputs = keras.Input(shape=(3,))
model = keras.Model(inputs, layers.Dense(1)(Scale()(inputs)))
model.compile(optimizer=keras.optimizers.Adam(0.05), loss=lambda y, p: ops.mean(ops.square(y - p), axis=-1))
x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
losses = model.fit(x, x.sum(axis=1, keepdims=True), epochs=40, verbose=0).history["loss"]
print(losses[-1] < losses[0] / 10)
"""


def test_a_tensorflow_script_trains_saves_and_loads(tmp_path: Path) -> None:
    ran = run_script(tmp_path, SCRIPT, "--epochs", 30)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    *_, off_by, kept = ran.stdout.splitlines()
    assert "Epoch 30/30" in ran.stdout
    assert float(off_by.removeprefix("off by ")) < 0.2
    assert kept == "kept ['model.h5', 'model.keras']"
    assert ran.stderr == ""


def test_a_keras_3_script_runs(tmp_path: Path) -> None:
    ran = run_script(tmp_path, KERAS_3_SCRIPT)
    assert ran.stdout.strip() == "True", ran.stderr


@pytest.mark.parametrize("name", ["tensorflow", "keras", "tf_keras"])
def test_nothing_of_tensorflow_or_keras_is_loaded(tmp_path: Path, name: str) -> None:
    """What the script gets comes from our folder, also where the test environment has the real ones installed."""
    source = f"import {name}, tensorsmith, os\nprint(os.path.dirname(tensorsmith.__file__) in {name}.__file__)\n"
    ran = run_script(tmp_path, source)
    assert ran.stdout.strip() == "True", ran.stderr
