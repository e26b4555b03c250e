"""Recurrent layers beside those of real Keras: pairs with the same weights, and inputs with a mask."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

LAYERS = ["SimpleRNN", "LSTM", "GRU"]
# what real Keras does while it saves is not ours
KERAS_WARNS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
every_layer = pytest.mark.parametrize("name", LAYERS)
X = np.random.default_rng(0).normal(size=(4, 7, 5)).astype("float32")
# the first row has no masked step, the last one nothing else; the second begins with masked ones
MASK = np.array([[1] * 7, [0, 0, 1, 1, 0, 1, 1], [1, 1, 1, 0, 0, 0, 0], [0] * 7], bool)


def parts(result):
    return [np.asarray(part) for part in (result if isinstance(result, (list, tuple)) else [result])]


def pair(name, **settings):
    """Ours and that of real Keras, with the same weights, none of which is zero."""
    ours = getattr(keras.layers, name)(4, **settings)
    theirs = getattr(reference.keras().layers, name)(4, **settings)
    ours.build((4, 7, 5))
    theirs.build((4, 7, 5))
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=w.shape).astype("float32") / 2 for w in ours.get_weights()]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


def assert_alike(given, expected, tolerance=1e-5):
    given, expected = parts(given), parts(expected)
    assert [g.shape for g in given] == [e.shape for e in expected]
    for one, other in zip(given, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance / 10)


class Decay(keras.layers.Layer):
    """The book's way to write a cell: a layer with sizes, whose states are a list."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = units
        self.simple = keras.layers.SimpleRNNCell(units, activation=None)
        self.norm = keras.layers.LayerNormalization()

    def call(self, inputs, states):
        outputs, _ = self.simple(inputs, states)
        outputs = tf.tanh(self.norm(outputs))
        return outputs, [outputs]
