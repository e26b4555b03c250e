"""Ragged and sparse tensors through Sequential and subclassed models, which are told of them by an Input or by the first call."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

WORDS = tf.ragged.constant([[1, 2], [], [3, 0, 4]])
SPARSE = tf.sparse.from_dense([[1.0, 0, 0, 2], [0, 0, 3, 0]])


class SumOfRows(keras.layers.Layer):
    """Words of each row looked up in a table, and added."""

    def build(self, input_shape):
        self.told = input_shape
        self.table = self.add_weight(name="table", shape=(5, 3), initializer="random_normal")

    def call(self, words):
        assert isinstance(words, tf.RaggedTensor)
        return tf.reduce_sum(tf.nn.embedding_lookup(self.table, words), axis=1)


def by_hand(model, words=WORDS):
    table, kernel, bias = model.get_weights()
    return np.array([table[row].sum(0) for row in words.to_list()]) @ kernel + bias


ENTRIES = {
    "InputLayer of Keras 2": lambda: keras.layers.InputLayer(input_shape=[None], ragged=True, dtype="int32"),
    "Input": lambda: keras.Input([None], ragged=True, dtype="int32"),
    "type_spec": lambda: keras.layers.InputLayer(type_spec=tf.RaggedTensorSpec([None, None], tf.int32)),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_sequence_of_layers_behind_a_ragged_input(entry):
    model = keras.Sequential([ENTRIES[entry](), SumOfRows(), keras.layers.Dense(2)])
    assert model.built and model.layers[0].told == (None, None)
    assert model.input_shape == (None, None) and model.output_shape == (None, 2)
    assert isinstance(model.input, tf.RaggedTensor) and model.inputs == [model.input]
    np.testing.assert_allclose(model(WORDS), by_hand(model), rtol=1e-5)
    np.testing.assert_allclose(
        model(WORDS.to_tensor()), by_hand(model, tf.ragged.constant(WORDS.to_tensor().numpy().tolist())), rtol=1e-5
    )
    with pytest.raises(ValueError, match=r"it was given a SparseTensor"):
        model(SPARSE)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert clone.inputs[0].type_spec == model.inputs[0].type_spec == tf.RaggedTensorSpec([None, None], tf.int32)
    np.testing.assert_array_equal(clone(WORDS), model(WORDS))


def test_a_sequence_learns_of_ragged_input_from_its_first_call():
    model = keras.Sequential([SumOfRows(), keras.layers.Dense(2)])
    assert model.inputs is None
    np.testing.assert_allclose(model(WORDS), by_hand(model), rtol=1e-5)
    assert model.inputs[0].type_spec == tf.RaggedTensorSpec([None, None], tf.int32)
    assert keras.models.clone_model(model).inputs[0].type_spec == model.inputs[0].type_spec


def test_a_sequence_behind_a_sparse_input():
    model = keras.Sequential([keras.Input([4], sparse=True), keras.layers.Dense(2)])
    kernel, bias = model.get_weights()
    dense = tf.sparse.to_dense(SPARSE)
    for given in (SPARSE, dense):
        np.testing.assert_allclose(model(given), dense.numpy() @ kernel + bias, rtol=1e-6)
    assert model.get_config()["layers"][0]["config"]["sparse"] is True


def test_a_sequence_that_ends_in_rows():
    model = keras.Sequential(
        [keras.Input([None], ragged=True), keras.layers.Lambda(lambda r: r.with_values(r.values * 2))]
    )
    assert model.output_shape == (None, None) and isinstance(model.output, tf.RaggedTensor)
    assert model(tf.ragged.constant([[1.0], [2.0, 3.0]])).to_list() == [[2], [4, 6]]


def test_a_sequence_that_begins_with_a_model():
    drawn = keras.Input([None], ragged=True, dtype="int64")
    model = keras.Sequential(
        [keras.Model(drawn, tf.cast(tf.reduce_sum(drawn, 1)[:, None], tf.float32)), keras.layers.Dense(2)]
    )
    assert model.inputs[0].type_spec == drawn.type_spec
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model(WORDS), [[3], [0], [7]] @ kernel + bias, rtol=1e-5)


class Scores(keras.Model):
    """A model of the user's own on rows of words."""

    def __init__(self):
        super().__init__()
        self.words, self.out = SumOfRows(), keras.layers.Dense(2)

    def call(self, words):
        return self.out(self.words(words))


def test_a_model_of_the_users_takes_ragged_tensors():
    model = Scores()
    np.testing.assert_allclose(model(WORDS), by_hand(model), rtol=1e-5)
    assert model.words.told == (3, None)
    traced = tf.function(lambda words: model(words), input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])
    for words in (WORDS, WORDS[1:], WORDS[:1]):
        np.testing.assert_allclose(traced(words), by_hand(model, words), rtol=1e-5)


def test_a_model_of_the_users_made_of_ragged_symbols():
    class Rows(keras.Model):
        def __init__(self):
            drawn = keras.Input([None], ragged=True, dtype="int32")
            super().__init__(drawn, [tf.reduce_max(drawn, 1), drawn.row_lengths()])

    greatest, lengths = Rows()(tf.ragged.constant([[1, 2], [3]]))
    assert greatest.numpy().tolist() == [2, 3] and lengths.numpy().tolist() == [2, 1]


def test_a_model_inside_a_model_of_the_users_keeps_its_inputs():
    drawn = keras.Input([None], ragged=True, dtype="int32")
    rows = keras.Model(drawn, SumOfRows()(drawn))

    class Around(keras.Model):
        def __init__(self):
            super().__init__()
            self.rows, self.out = rows, keras.layers.Dense(2)

        def call(self, words):
            return self.out(self.rows(words))

    model = Around()
    np.testing.assert_allclose(model(WORDS), by_hand(model), rtol=1e-5)
