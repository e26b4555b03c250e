"""Sentences of different lengths learned by fit: Input(ragged=True), Embedding, a pooling or recurrent layer, Dense."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

RNG = np.random.default_rng(0)
SIZES = RNG.integers(1, 9, 48)
# a recurrent layer's loop is compiled for the longest sentence of a batch: here it is the same in all
SIZES[::4] = 8
SENTENCES = [RNG.integers(0, 20, size).tolist() for size in SIZES]
# the first ten words speak for a sentence, the others against it
LABELS = np.array([[float(2 * sum(w < 10 for w in s) > len(s))] for s in SENTENCES], "float32")
WORDS = tf.ragged.constant(SENTENCES)
MIDDLES = {
    "mean": keras.layers.GlobalAveragePooling1D,
    "max": keras.layers.GlobalMaxPooling1D,
    "simple_rnn": lambda: keras.layers.SimpleRNN(5),
    "lstm": lambda: keras.layers.LSTM(5),
    "gru": lambda: keras.layers.GRU(5),
}


@pytest.fixture(autouse=True)
def seeded():
    tf.random.set_seed(3)


def functional(middle):
    inputs = keras.Input([None], ragged=True, dtype="int32")
    hidden = MIDDLES[middle]()(keras.layers.Embedding(20, 6)(inputs))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))


def sequential(middle, *first):
    layers = [keras.layers.Embedding(20, 6), MIDDLES[middle](), keras.layers.Dense(1, activation="sigmoid")]
    return keras.Sequential([*first, *layers])


def row_by_row(model, sentences):
    """The predictions of the model's layers for each sentence alone, as a dense batch of one."""
    found = []
    for sentence in sentences:
        x = tf.constant([sentence])
        for layer in model.layers[-3:]:
            x = layer(x)
        found.append(x.numpy()[0])
    return np.array(found)


@pytest.mark.parametrize("middle", MIDDLES)
def test_a_functional_model_is_fitted_as_by_hand_evaluated_saved_and_loaded(middle, tmp_path):
    model, by_hand = functional(middle), functional(middle)
    by_hand.set_weights(model.get_weights())
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(WORDS, LABELS, batch_size=5, epochs=6, shuffle=False, verbose=0, validation_split=1 / 6).history

    optimizer, loss_of = keras.optimizers.Adam(0.02), keras.losses.BinaryCrossentropy()
    losses = []
    for _ in range(6):
        total = 0.0
        for first in range(0, 40, 5):
            last = first + 5
            with tf.GradientTape() as tape:
                loss = loss_of(LABELS[first:last], by_hand(WORDS[first:last], training=True))
            weights = by_hand.trainable_weights
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
            total += float(loss) / 8
        losses.append(total)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-4)
    assert history["loss"][-1] < history["loss"][0]
    for ours, theirs in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)

    found = model.predict(WORDS, batch_size=7, verbose=0)
    np.testing.assert_allclose(found[:5], row_by_row(model, SENTENCES[:5]), rtol=1e-4, atol=1e-6)
    loss, accuracy = model.evaluate(WORDS, LABELS, verbose=0)
    np.testing.assert_allclose(loss, loss_of(LABELS, found), rtol=1e-5)
    np.testing.assert_allclose(accuracy, np.mean((found > 0.5) == LABELS), rtol=1e-6)
    np.testing.assert_allclose(history["val_loss"][-1], loss_of(LABELS[40:], found[40:]), rtol=1e-4)

    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(WORDS, verbose=0), found, rtol=1e-5)
    # the optimizer goes on where it was
    steps = [each.train_on_batch(WORDS, LABELS)[0] for each in (model, again)]
    after = [each.predict(WORDS, verbose=0) for each in (model, again)]
    np.testing.assert_allclose(*steps, rtol=1e-5)
    np.testing.assert_allclose(*after, rtol=1e-5)


@pytest.mark.parametrize("told", [True, False])
def test_a_sequential_model_learns(told):
    first = [keras.layers.InputLayer(input_shape=[None], ragged=True, dtype="int32")] if told else []
    model = sequential("mean", *first)
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(WORDS, LABELS, epochs=25, batch_size=8, verbose=0).history
    assert history["loss"][-1] < 0.15 < 0.5 < history["loss"][0] and history["accuracy"][-1] == 1.0
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), row_by_row(model, SENTENCES), rtol=1e-4, atol=1e-6)


def test_a_model_of_sentences_from_a_dataset_gives_a_score_for_each_word():
    inputs = keras.Input([None], ragged=True, dtype="int32")
    states = keras.layers.LSTM(5, return_sequences=True)(keras.layers.Embedding(20, 6)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(states))
    tags = tf.ragged.constant([[float(word < 10) for word in sentence] for sentence in SENTENCES])
    dataset = tf.data.Dataset.from_tensor_slices((WORDS, tags)).batch(4)
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
    losses = model.fit(dataset, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    found = model.predict(dataset, verbose=0)
    assert found.row_lengths().numpy().tolist() == list(map(len, SENTENCES))
    np.testing.assert_allclose(found.flat_values, model(WORDS).flat_values, rtol=1e-4, atol=1e-6)
    right = (found.flat_values.numpy()[:, 0] > 0.5) == (tags.flat_values.numpy() > 0.5)
    assert right.mean() > 0.8
