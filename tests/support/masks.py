"""Sequences with masks, in this library and in real Keras."""

import contextlib
import warnings

import numpy as np

import tensorsmith as tf
from tensorsmith import keras

RNG = np.random.default_rng(7)
STEPS = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]], bool)
OTHER = np.array([[1, 0, 0, 1], [1, 1, 0, 0], [0, 0, 0, 1]], bool)
X = RNG.normal(size=(3, 4, 4)).astype("float32")
Y = RNG.normal(size=(3, 4, 4)).astype("float32")
IDS = np.array([[3, 0, 1, 2], [0, 0, 0, 0], [4, 4, 0, 0]])


def tensor_of(library, values):
    return library.ops.convert_to_tensor(values)


def with_mask(library, values, mask):
    """A tensor with a mask, as the library hangs it on."""
    tensor = tensor_of(library, values)
    if mask is not None:
        mask = tensor_of(library, mask)
        if library is keras:
            tensor._keras_mask = mask
        else:
            library.src.backend.set_keras_mask(tensor, mask)
    return tensor


def mask_of(library, tensor):
    found = tensor._keras_mask if library is keras else library.src.backend.get_keras_mask(tensor)
    return None if found is None else np.asarray(found)


def weights_of(library, layer):
    return [np.asarray(library.ops.convert_to_tensor(weight)) for weight in layer.weights]


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def same(ours, theirs):
    """Two (value, mask) are equal."""
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-6)
    assert (ours[1] is None) == (theirs[1] is None)
    if ours[1] is not None:
        np.testing.assert_array_equal(ours[1], theirs[1])


class Sum(keras.layers.Layer):
    """The sum over the steps that count."""

    def call(self, inputs, mask=None):
        self.seen = mask
        return tf.reduce_sum(inputs if mask is None else tf.where(mask[..., None], inputs, 0.0), 1)


class Needs(keras.layers.Layer):
    """Cannot do without a mask."""

    def call(self, inputs, mask):
        return inputs * tf.cast(mask, inputs.dtype)[..., None]
