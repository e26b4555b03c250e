"""Ragged and sparse tensors as data of fit, evaluate and predict, against steps written by hand and dense data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import tensorsmith as tf
from tensorsmith import keras

RNG = np.random.default_rng(0)
SENTENCES = [RNG.integers(0, 9, size).tolist() for size in RNG.integers(1, 7, 22)]
WORDS = tf.ragged.constant(SENTENCES)
Y = RNG.normal(size=(22, 1)).astype("float32")
EXTRA = RNG.normal(size=(22, 3)).astype("float32")


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(3)


class Pooled(keras.layers.Layer):
    """The mean of the embeddings of each row's words."""

    def build(self, input_shape):
        self.table = self.add_weight("table", shape=(9, 4), initializer="random_normal")

    def call(self, words):
        return tf.reduce_mean(tf.nn.embedding_lookup(self.table, words), axis=1)


class Scored(keras.Model):
    """Words pooled, then a number."""

    def __init__(self):
        super().__init__()
        self.pooled, self.head = Pooled(), keras.layers.Dense(1)

    def call(self, words):
        return self.head(self.pooled(words))


class Embedded(Scored):
    """A row of numbers for each word: ragged in, ragged out."""

    def call(self, words):
        if not self.pooled.built:
            self.pooled(words)
        return self.head(tf.nn.embedding_lookup(self.pooled.table, words))


def compiled(model, **settings):
    model.compile("sgd", "mse", **settings)
    return model


def test_fit_is_the_steps_written_by_hand():
    model, by_hand = compiled(Scored()), Scored()
    for each in (model, by_hand):
        each(WORDS[:2])
    by_hand.set_weights(model.get_weights())
    history = model.fit(WORDS, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_split=0.25).history
    optimizer, loss_of = keras.optimizers.SGD(), keras.losses.MeanSquaredError()
    losses, validated = [], []
    for _ in range(2):
        total = 0.0
        for first in (0, 8):
            last = min(first + 8, 16)
            with tf.GradientTape() as tape:
                loss = loss_of(Y[first:last], by_hand(WORDS[first:last]))
            gradients = tape.gradient(loss, by_hand.trainable_variables)
            optimizer.apply_gradients(zip(gradients, by_hand.trainable_variables))
            total += float(loss) * (last - first)
        losses.append(total / 16)
        validated.append(float(loss_of(Y[16:], by_hand(WORDS[16:]))))
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-5)
    np.testing.assert_allclose(history["val_loss"], validated, rtol=1e-5)
    for ours, theirs in zip(model.get_weights(), by_hand.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_rows_are_shuffled_as_those_of_arrays():
    seen = []

    class Seeing(keras.Model):
        def train_step(self, data):
            seen.append(data[0])
            return {"loss": tf.constant(0.0)}

    tf.random.set_seed(5)
    numbers = np.arange(10)
    compiled(Seeing(), run_eagerly=True).fit(numbers, numbers, batch_size=4, verbose=0)
    order = np.concatenate([batch.numpy() for batch in seen])
    seen.clear()
    tf.random.set_seed(5)
    compiled(Seeing()).fit(WORDS[:10], numbers, batch_size=4, verbose=0)
    assert [type(batch) for batch in seen] == [tf.RaggedTensor] * 3
    assert [row for batch in seen for row in batch.to_list()] == [SENTENCES[at] for at in order]
    assert order.tolist() != numbers.tolist()


def test_evaluate_predict_and_steps_on_one_batch():
    model = compiled(Scored())
    found = model.predict(WORDS, batch_size=5, verbose=0)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, model(WORDS), rtol=1e-5)
    loss = np.mean((found - Y) ** 2)
    np.testing.assert_allclose(model.evaluate(WORDS, Y, batch_size=4, verbose=0), loss, rtol=1e-5)
    np.testing.assert_allclose(model.test_on_batch(WORDS, Y), loss, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(WORDS), found, rtol=1e-5)
    assert model.predict(WORDS[:0], verbose=0).shape == (0, 1)
    losses = [model.train_on_batch(WORDS, Y) for _ in range(5)]
    np.testing.assert_allclose(losses[0], loss, rtol=1e-5)
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]


def test_predict_gives_ragged_rows():
    model = Embedded()
    whole = model(WORDS)
    found = model.predict(WORDS, batch_size=5, verbose=0)
    assert isinstance(found, tf.RaggedTensor) and found.shape.as_list() == [22, None, 1]
    assert found.row_lengths().numpy().tolist() == list(map(len, SENTENCES))
    np.testing.assert_allclose(found.flat_values, whole.flat_values, rtol=1e-5)
    assert isinstance(model.predict_on_batch(WORDS), tf.RaggedTensor)


@pytest.mark.parametrize("rows", [5, 70])
def test_predict_gives_what_a_compiled_model_makes_ragged(rows):
    class Cut(keras.Model):
        def call(self, inputs):
            return {"rows": tf.RaggedTensor.from_tensor(inputs, ragged_rank=1), "sum": tf.reduce_sum(inputs, axis=1)}

    x = RNG.normal(size=(rows, 3)).astype("float32")
    found = Cut().predict(x, batch_size=1, verbose=0)
    assert isinstance(found["rows"], tf.RaggedTensor) and type(found["sum"]) is np.ndarray
    np.testing.assert_array_equal(found["rows"].flat_values, x.reshape(-1))
    assert found["rows"].row_lengths().numpy().tolist() == [3] * rows
    np.testing.assert_allclose(found["sum"], x.sum(1), rtol=1e-5, atol=1e-6)


def test_sparse_rows_are_fitted_as_dense_ones():
    dense = np.where(RNG.random((22, 6)) < 0.3, RNG.normal(size=(22, 6)), 0).astype("float32")
    models = [compiled(keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones")])) for _ in range(3)]
    tables = [dense, tf.sparse.from_dense(dense), scipy.sparse.csc_matrix(dense)]
    for model, table in zip(models, tables):
        tf.random.set_seed(2)
        model.history_of = model.fit(table, Y, batch_size=8, epochs=3, verbose=0, validation_split=0.3).history
    for model, table in zip(models[1:], tables[1:]):
        for name, values in models[0].history_of.items():
            np.testing.assert_allclose(model.history_of[name], values, rtol=1e-4)
        np.testing.assert_allclose(model.predict(table, verbose=0), models[0].predict(dense, verbose=0), rtol=1e-4)


class Two(keras.Model):
    def __init__(self):
        super().__init__()
        self.pooled, self.head = Pooled(), keras.layers.Dense(1)

    def call(self, inputs):
        words, extra = (inputs["words"], inputs["extra"]) if isinstance(inputs, dict) else inputs
        return self.head(tf.concat([self.pooled(words), extra], axis=1))


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_several_inputs_of_which_one_is_ragged(kind):
    x = {"words": WORDS, "extra": EXTRA} if kind is dict else kind([WORDS, EXTRA])
    model = compiled(Two())
    losses = model.fit(x, Y, epochs=4, batch_size=6, verbose=0, sample_weight=np.ones(22)).history["loss"]
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(model.predict(x, batch_size=4, verbose=0), model(x), rtol=1e-4, atol=1e-6)


def test_weights_of_rows_and_classes():
    classes = (Y > 0).astype("float32")
    weights = np.where(classes[:, 0] > 0, 3.0, 0.5).astype("float32")
    models = [compiled(Scored()) for _ in range(2)]
    for model in models:
        model(WORDS)
    models[1].set_weights(models[0].get_weights())
    before = models[0].predict(WORDS, verbose=0)
    first = models[0].train_on_batch(WORDS, classes, sample_weight=weights)
    np.testing.assert_allclose(first, np.mean(weights * (before - classes)[:, 0] ** 2), rtol=1e-5)
    np.testing.assert_allclose(
        models[1].train_on_batch(WORDS, classes, class_weight={0: 0.5, 1: 3.0}), first, rtol=1e-6
    )


def test_batches_that_an_iterable_gives():
    def batches():
        for first in range(0, 22, 6):
            yield WORDS[first : first + 6], Y[first : first + 6]

    class Sequence:
        def __len__(self):
            return 4

        def __getitem__(self, at):
            return list(batches())[at]

    model = compiled(Scored())
    model(WORDS)
    start = model.get_weights()
    found = []
    dataset = tf.data.Dataset.from_tensor_slices((WORDS, Y)).batch(6)
    for source in (WORDS, Sequence(), batches(), dataset):
        model.set_weights(start)
        model.compile("sgd", "mse")
        more = {"y": Y, "shuffle": False, "batch_size": 6} if source is WORDS else {}
        found.append(model.fit(source, **more, verbose=0).history["loss"])
    np.testing.assert_allclose(found[1:], [found[0]] * 3, rtol=1e-6)
    np.testing.assert_allclose(model.predict((x for x, _ in batches()), verbose=0), model(WORDS), rtol=1e-5, atol=1e-6)


def test_callbacks_see_each_batch_and_an_error_leaves_the_last_finished_step():
    model = compiled(Scored())
    model(WORDS)
    kept = []

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append((batch, logs["loss"], model.get_weights()))

    class Failing(Scored):
        def train_step(self, data):
            result = super().train_step(data)
            if len(kept) == 2:
                raise KeyboardInterrupt
            return result

    model.__class__ = Failing
    with pytest.raises(KeyboardInterrupt):
        model.fit(WORDS, Y, batch_size=6, verbose=0, callbacks=[Stop()])
    assert [batch for batch, _, _ in kept] == [0, 1]
    for ours, wanted in zip(model.get_weights(), kept[-1][2]):
        np.testing.assert_array_equal(ours, wanted)
    assert int(model.optimizer.iterations.numpy()) == 2


def test_a_first_step_that_fails_leaves_the_weights_as_they_were_made():
    class Failing(Scored):
        def call(self, words):
            lengths = tf.cast(words.row_lengths()[:, None], "float32")
            return super().call(words) * lengths

        def train_step(self, data):
            super().train_step(data)
            raise RuntimeError("at the end of the step")

    model = compiled(Failing())
    with pytest.raises(RuntimeError, match="at the end of the step"):
        model.fit(WORDS, Y, verbose=0)
    assert model.built and int(model.optimizer.iterations.numpy()) == 0
    np.testing.assert_array_equal(model.head.bias, [0.0])


def test_integers_reach_a_subclassed_model_as_integers():
    dense = RNG.integers(0, 9, (22, 3))
    model = compiled(Scored())
    model.fit(dense, Y, verbose=0)
    np.testing.assert_allclose(model.predict(dense, verbose=0), model(dense), rtol=1e-5, atol=1e-6)


def test_wrong_data_is_told():
    model = compiled(Scored())
    with pytest.raises(ValueError) as caught:
        model.fit(WORDS, Y[:3], verbose=0)
    assert str(caught.value) == (
        "fit: all arrays must have the same number of rows; their shapes are: x [(22, None)], y [(3, 1)]."
    )
    with pytest.raises(ValueError) as caught:
        model.fit([[1], [2, 3]], Y[:2], verbose=0)
    assert str(caught.value) == (
        "fit: x: its rows differ in length (rows=[[1], [2, 3]]); an array has rows of one length. "
        "tf.ragged.constant(rows) makes a ragged tensor of them."
    )
    with pytest.raises(ValueError, match=r"array of Python objects \(the first is \[\[1\]\]\).*tf.ragged.constant"):
        model.fit(np.array([[1], [2, 3]], object), Y[:2], verbose=0)
    with pytest.raises(ValueError) as caught:
        model.fit(EXTRA, tf.ragged.constant([[1.0]] * 22), class_weight={0: 1.0}, verbose=0)
    assert str(caught.value) == (
        "class_weight: y is ragged or sparse (y=float32(22, None)); a row needs one class. "
        "Pass sample_weight, one weight a row."
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="string") as caught:
        model.fit(tf.ragged.constant([["a"], ["b", "c"]]), Y[:2], verbose=0)
    assert caught.value.__notes__[0] == "in 'pooled' (Pooled), given string(2, None)".replace(
        "'pooled'", repr(model.pooled.name)
    )


def test_values_that_are_not_finite_are_told_by_their_places():
    bad = tf.ragged.constant([[1.0, 2.0], [], [3.0, np.nan], [np.inf]])
    model = keras.Sequential([keras.layers.Lambda(lambda rows: tf.reduce_sum(rows, axis=1, keepdims=True))])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning) as told:
        model.fit(bad, Y[:4], verbose=0)
    assert str(told[0].message) == (
        "fit: x holds 2 values that are NaN or infinite, in 2 of 4 rows (the first at (2, 1)); the loss will be NaN. "
        "Take these rows out, or fill them in (np.nan_to_num)."
    )
