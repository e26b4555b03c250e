"""Pooling over all steps: dense, masked and ragged, against formulas and real Keras."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

RNG = np.random.default_rng(5)
X = RNG.normal(size=(4, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]], bool)
LENGTHS = [2, 5, 0, 1]
POOLS = {"GlobalAveragePooling1D": np.mean, "GlobalMaxPooling1D": np.max}
every_pool = pytest.mark.parametrize("name", POOLS)
every_way = pytest.mark.parametrize("call", [lambda f: f, tf.function], ids=["eager", "compiled"])


def ragged():
    flat = np.concatenate([X[row, :length] for row, length in enumerate(LENGTHS)])
    return tf.RaggedTensor.from_row_lengths(flat, LENGTHS)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@every_pool
def test_masked_steps(name, data_format, keepdims):
    """The mean leaves them out, the greatest value does not: as Keras has it."""
    found = []
    values = X if data_format == "channels_last" else X.transpose(0, 2, 1)
    for library in (keras, reference.keras()):
        layer = getattr(library.layers, name)(data_format=data_format, keepdims=keepdims)
        settings = {"mask": MASK} if name == "GlobalAveragePooling1D" else {}
        found.append(np.asarray(layer(values, **settings)))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)


@every_way
def test_a_mean_of_what_the_mask_of_the_inputs_has(call):
    layer, values = keras.layers.GlobalAveragePooling1D(), np.where(MASK[..., None], X, np.nan).astype("float32")
    inputs = tf.constant(values)

    def pooled(inputs):
        inputs = tf.identity(inputs)
        inputs._keras_mask = tf.constant(MASK)
        return layer(inputs)

    expected = np.nanmean(values, 1)
    np.testing.assert_allclose(call(pooled)(inputs).numpy(), expected, rtol=1e-5)
    result = pooled(inputs)
    assert result._keras_mask is None


def test_a_greatest_value_says_that_it_leaves_nothing_out():
    inputs = tf.constant(X)
    inputs._keras_mask = tf.constant(MASK)
    with pytest.warns(UserWarning, match="GlobalMaxPooling1D.* does not support masks"):
        result = keras.layers.GlobalMaxPooling1D()(inputs)
    np.testing.assert_array_equal(result.numpy(), X.max(1))


@every_way
@pytest.mark.parametrize("keepdims", [False, True])
@every_pool
def test_ragged_rows_one_by_one(name, keepdims, call):
    layer = getattr(keras.layers, name)(keepdims=keepdims)
    given = call(layer)(ragged())
    assert not isinstance(given, tf.RaggedTensor) and given.shape == ((4, 1, 3) if keepdims else (4, 3))
    empty = np.full(3, np.nan if name == "GlobalAveragePooling1D" else np.finfo("float32").min, "float32")
    for row, length in enumerate(LENGTHS):
        expected = POOLS[name](X[row, :length], axis=0) if length else empty
        np.testing.assert_allclose(given.numpy()[row].reshape(3), expected, rtol=1e-6)


@every_pool
def test_gradients_of_ragged_rows(name):
    layer, values = getattr(keras.layers, name)(), ragged()
    with tf.GradientTape() as tape:
        tape.watch(values.flat_values)
        total = tf.reduce_sum(tf.gather(layer(values), [0, 1, 3]) * [1.0, 2.0, 3.0])
    gradient = tape.gradient(total, values.flat_values).numpy()
    at = 0
    for row, length in enumerate(LENGTHS):
        own = X[row, :length]
        share = (
            np.full(own.shape, 1 / max(length, 1))
            if name == "GlobalAveragePooling1D"
            else own == own.max(0, initial=-9)
        )
        np.testing.assert_allclose(gradient[at : at + length], share * [1.0, 2.0, 3.0], rtol=1e-6)
        at += length


@every_pool
def test_a_ragged_model(name):
    layer = keras.layers.Embedding(7, 3)
    inputs = keras.Input((None,), ragged=True, dtype="int32")
    model = keras.Model(inputs, getattr(keras.layers, name)()(layer(inputs)))
    lists = [[1, 2, 3], [6], [0, 5]]
    table = layer.get_weights()[0]
    assert model.output_shape == (None, 3)
    for given in (model(tf.ragged.constant(lists)), model.predict(tf.ragged.constant(lists), verbose=0)):
        for row, ids in zip(np.asarray(given), lists, strict=True):
            np.testing.assert_allclose(row, POOLS[name](table[ids], axis=0), rtol=1e-6)


@every_pool
def test_features_first_are_not_ragged(name):
    with pytest.raises(ValueError) as caught:
        getattr(keras.layers, name)(data_format="channels_first", name="pool")(ragged())
    assert str(caught.value) == (
        f"{name} 'pool': the features of a ragged tensor stand last (data_format=channels_first); "
        "its rows are of several lengths. Leave data_format out."
    )


@every_pool
def test_arguments(name):
    with pytest.raises(ValueError) as caught:
        getattr(keras.layers, name)(data_format="last")
    assert str(caught.value) == (
        f"{name}: there is no such data format (data_format=last); it is channels_last or channels_first."
    )
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        getattr(keras.layers, name)()(X[0])
    assert getattr(keras.layers, name.replace("Average", "Avg").replace("Pooling", "Pool")) is getattr(
        keras.layers, name
    )


def test_the_data_format_is_that_of_the_configuration():
    kept = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format("channels_first")
        assert keras.layers.GlobalMaxPooling1D().data_format == "channels_first"
    finally:
        keras.config.set_image_data_format(kept)
