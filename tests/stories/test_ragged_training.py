"""Sentences of different lengths learned from: embeddings pooled over ragged rows, a loop over time, sparse features."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

RNG = np.random.default_rng(0)
# words 0 to 4 speak for class 1, words 5 to 9 against it
SENTENCES = [[int(w) for w in RNG.integers(0, 5, n) + 5 * (at % 2)] for at, n in enumerate(RNG.integers(1, 7, 40))]
LABELS = np.array([[1.0 - at % 2] for at in range(40)], "float32")


@pytest.fixture(autouse=True)
def seeded():
    tf.random.set_seed(3)


class Pooled(keras.layers.Layer):
    """The mean of the embeddings of each row's words."""

    def build(self, input_shape):
        self.table = self.add_weight("table", shape=(10, 4), initializer="random_normal")

    def call(self, words):
        return tf.reduce_mean(tf.nn.embedding_lookup(self.table, words), axis=1)


class Recurrent(keras.layers.Layer):
    """h = tanh(x @ kernel + h @ recurrent), held where a sentence has ended."""

    def build(self, input_shape):
        self.table = self.add_weight("table", shape=(10, 4), initializer="random_normal")
        self.recurrent = self.add_weight("recurrent", shape=(4, 4), initializer="orthogonal")

    def call(self, words):
        inputs = tf.nn.embedding_lookup(self.table, words).to_tensor(shape=[None, 6, 4])
        mask = tf.sequence_mask(words.row_lengths(), 6)
        state = tf.zeros_like(inputs[:, 0])
        for time in tf.range(6):
            after = tf.tanh(inputs[:, time] + state @ self.recurrent)
            state = tf.where(mask[:, time, None], after, state)
        return state


def by_hand(layer, sentence):
    table = layer.table.numpy()
    if isinstance(layer, Pooled):
        return table[sentence].mean(0)
    state = np.zeros(4)
    for word in sentence:
        state = np.tanh(table[word] + state @ layer.recurrent.numpy())
    return state


@pytest.mark.parametrize("kind", [Pooled, Recurrent])
def test_sentences_are_learned(kind):
    layer, head = kind(), keras.layers.Dense(1, activation="sigmoid")
    optimizer, loss_of = keras.optimizers.Adam(0.05), keras.losses.BinaryCrossentropy()
    traces = []

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32), tf.TensorSpec([None, 1])])
    def step(words, labels):
        traces.append(1)
        with tf.GradientTape() as tape:
            loss = loss_of(labels, head(layer(words)))
        weights = layer.trainable_weights + head.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    words = tf.ragged.constant(SENTENCES)
    layer.build(words.shape)
    head.build([None, 4])
    optimizer.build(layer.trainable_weights + head.trainable_weights)
    np.testing.assert_allclose(layer(words), [by_hand(layer, s) for s in SENTENCES], rtol=1e-4, atol=1e-6)
    losses = []
    for _ in range(12):
        for first in (0, 13, 26):
            losses.append(float(step(words[first : first + 13], LABELS[first : first + 13])))
    assert len(traces) == 1
    assert losses[-1] < 0.1 < 0.5 < losses[0]
    assert ((head(layer(words)).numpy() > 0.5) == LABELS).all()


def test_dense_layers_take_sparse_and_ragged_inputs():
    table = np.where(RNG.random((5, 6)) < 0.4, RNG.normal(size=(5, 6)), 0).astype("float32")
    layer = keras.layers.Dense(3, activation="relu")
    expected = layer(table)
    sparse = tf.sparse.from_dense(table)
    for function in (layer, tf.function(lambda s: layer(s))):
        np.testing.assert_allclose(function(sparse), expected, rtol=1e-5, atol=1e-6)
    rows = tf.RaggedTensor.from_row_splits(table, [0, 2, 2, 5])
    for function in (layer, tf.function(lambda r: layer(r))):
        found = function(rows)
        assert found.shape.as_list() == [3, None, 3] and found.row_lengths().numpy().tolist() == [2, 0, 3]
        np.testing.assert_allclose(found.flat_values, expected, rtol=1e-5, atol=1e-6)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(sparse))
    active = (expected.numpy() > 0).astype("float32")
    np.testing.assert_allclose(tape.gradient(total, layer.kernel), table.T @ active, rtol=1e-4, atol=1e-5)


def test_inputs_that_differ_in_length_are_split_and_joined_in_a_step():
    r = tf.ragged.constant(SENTENCES)

    @tf.function
    def shuffled(r, order):
        first, second = tf.split(tf.gather(r, order), [20, 20])
        joined = tf.concat([second, first], axis=0)
        return joined, tf.reduce_max(joined, axis=1), joined.bounding_shape()

    order = RNG.permutation(40)
    joined, top, bound = shuffled(r, tf.constant(order))
    wanted = [SENTENCES[at] for at in [*order[20:], *order[:20]]]
    assert joined.to_list() == wanted and top.numpy().tolist() == [max(s) for s in wanted]
    assert bound.numpy().tolist() == [40, max(map(len, wanted))]
