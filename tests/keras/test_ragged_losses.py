"""Losses and metrics of ragged targets and predictions, against the same ones row by row."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

RNG = np.random.default_rng(0)
SIZES = [2, 1, 4, 3]
TRUE = [RNG.uniform(0.1, 0.9, (size, 3)).astype("float32") for size in SIZES]
PRED = [RNG.uniform(0.1, 0.9, (size, 3)).astype("float32") for size in SIZES]


def ragged_of(rows):
    return tf.RaggedTensor.from_row_lengths(np.concatenate(rows), [len(row) for row in rows])


Y, P = ragged_of(TRUE), ragged_of(PRED)
Y1, P1 = (ragged_of([row[:, 0] for row in rows]) for rows in (TRUE, PRED))
LOSSES = [
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh", "poisson", "binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge",
]  # fmt: skip


@pytest.mark.parametrize("name", [*LOSSES, "categorical_crossentropy"])
def test_a_value_for_each_element_of_each_row(name):
    function = getattr(keras.losses, name)
    found = function(Y, P)
    assert isinstance(found, tf.RaggedTensor) and found.shape.as_list() == [4, None]
    for row, true, pred in zip(found, TRUE, PRED, strict=True):
        np.testing.assert_allclose(row, function(true, pred), rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_value_for_each_row_where_the_last_axis_is_ragged(name):
    function = getattr(keras.losses, name)
    found = function(Y1, P1)
    assert isinstance(found, tf.Tensor)
    wanted = [function(true[:, 0][None], pred[:, 0][None])[0] for true, pred in zip(TRUE, PRED)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    # targets [B, (T)] beside predictions [B, (T), 1]
    np.testing.assert_allclose(keras.losses.get(name)(Y1, tf.expand_dims(P1, -1)), wanted, rtol=1e-5)


def test_class_numbers():
    classes = [RNG.integers(0, 3, size) for size in SIZES]
    found = keras.losses.sparse_categorical_crossentropy(ragged_of(classes), P)
    for row, true, pred in zip(found, classes, PRED, strict=True):
        np.testing.assert_allclose(row, keras.losses.sparse_categorical_crossentropy(true, pred), rtol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none"])
@pytest.mark.parametrize("weights", [None, "row", "column", "element"])
def test_reductions_and_weights(reduction, weights):
    loss = keras.losses.MeanSquaredError(reduction=reduction)
    of_rows = np.array([1.0, 0.5, 2.0, 0.0], "float32")
    given = {None: None, "row": of_rows, "column": of_rows[:, None], "element": Y1}[weights]
    factors = [row[:, 0] for row in TRUE] if weights == "element" else of_rows if weights else np.ones(4)
    wanted = [w * ((true - pred) ** 2).mean(1) for w, true, pred in zip(factors, TRUE, PRED)]
    found = loss(Y, P, sample_weight=given)
    flat = np.concatenate(wanted)
    if reduction == "none":
        assert found.row_lengths().numpy().tolist() == SIZES
        np.testing.assert_allclose(found.flat_values, flat, rtol=1e-5)
    else:
        np.testing.assert_allclose(found, flat.sum() if reduction == "sum" else flat.mean(), rtol=1e-5)


def test_weights_of_rows_of_rows():
    deep = [tf.RaggedTensor.from_row_lengths(each, [1, 3]) for each in (Y, P)]
    values = [((true - pred) ** 2).mean(1) for true, pred in zip(TRUE, PRED)]
    wanted = 2.0 * values[0].sum() + 0.5 * sum(row.sum() for row in values[1:])
    for weights in ([2.0, 0.5], [[2.0], [0.5]], [[2.0, 9.0, 9.0], [0.5, 0.5, 0.5]]):
        if len(np.shape(weights)) == 2 and np.shape(weights)[1] == 3:
            weights = tf.ragged.constant([row[:size] for row, size in zip(weights, (1, 3))])
            weights = tf.expand_dims(weights, -1)
        found = keras.losses.MeanSquaredError(reduction="sum")(*deep, sample_weight=weights)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_accuracy_is_chosen_by_the_values():
    model = keras.Sequential([keras.layers.Lambda(lambda rows: rows)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    model.evaluate(P1, tf.cast(Y1 > 0.5, "float32"), verbose=0)
    assert type(model.metrics[1]) is keras.metrics.BinaryAccuracy


def test_a_loss_and_a_metric_of_a_users_own():
    seen = []

    class Own(keras.losses.Loss):
        def call(self, y_true, y_pred):
            seen.append((type(y_true), type(y_pred), y_true.dtype))
            return tf.reduce_sum(tf.abs(y_true - y_pred), axis=[1, 2])

    wanted = np.mean([np.abs(true - pred).sum() for true, pred in zip(TRUE, PRED)])
    np.testing.assert_allclose(Own()(tf.cast(Y, "float64"), P), wanted, rtol=1e-5)
    assert seen == [(tf.RaggedTensor, tf.RaggedTensor, tf.float32)]

    def off_by(y_true, y_pred):
        return tf.reduce_max(tf.abs(y_true - y_pred), axis=-1)

    metric = keras.metrics.MeanMetricWrapper(off_by)
    metric.update_state(Y, P, sample_weight=[1.0, 0.5, 2.0, 0.0])
    values = np.concatenate([np.abs(true - pred).max(1) for true, pred in zip(TRUE, PRED)])
    weights = np.repeat([1.0, 0.5, 2.0, 0.0], SIZES)
    np.testing.assert_allclose(metric.result(), (values * weights).sum() / weights.sum(), rtol=1e-5)


def test_gradients_and_a_compiled_step():
    w = tf.Variable([0.5, 1.0, 2.0])
    flat, true = np.concatenate(PRED), np.concatenate(TRUE)
    wanted = (2 * (flat * w.numpy() - true) * flat).sum(0) / flat.size

    def step(y, p):
        with tf.GradientTape() as tape:
            loss = keras.losses.MeanSquaredError()(y, p * w)
        return tape.gradient(loss, w)

    np.testing.assert_allclose(step(Y, P), wanted, rtol=1e-4)
    np.testing.assert_allclose(tf.function(step)(Y, P), wanted, rtol=1e-4)


def test_a_model_with_ragged_targets():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    words = ragged_of([rng.integers(0, 9, size) for size in SIZES])
    # the words tell the labels
    labels = words.with_flat_values(tf.cast(words.flat_values % 2, "float32"))

    class Tagged(keras.Model):
        def __init__(self):
            super().__init__()
            self.table, self.head = keras.layers.Embedding(9, 4), keras.layers.Dense(1, activation="sigmoid")

        def call(self, words):
            return self.head(self.table(words))

    model = Tagged()
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(words, labels, batch_size=3, epochs=30, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    found = model.predict(words, verbose=0)
    right = (found.flat_values.numpy()[:, 0] > 0.5) == (labels.flat_values.numpy() > 0.5)
    loss, accuracy = model.evaluate(words, labels, batch_size=3, verbose=0)
    np.testing.assert_allclose(accuracy, right.mean(), rtol=1e-6)
    # each row has one loss, and batches of 3 and 1 rows count by their rows
    wanted = keras.losses.binary_crossentropy(labels, tf.squeeze(found, -1)).numpy().mean()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


def test_rows_that_do_not_fit_are_told():
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        keras.losses.mean_squared_error(Y, ragged_of(PRED[::-1]))
    assert str(caught.value) == (
        "mean_squared_error: the rows of targets and predictions differ in length "
        "(y_true=float32(4, None, 3), y_pred=float32(4, None, 3)); each prediction needs one target."
    )
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        keras.losses.MeanAbsoluteError()(np.zeros((4, 2, 3), "float32"), P)
    assert str(caught.value) == (
        "mean_absolute_error: one is ragged, the other is not (y_true=float32(4, 2, 3), y_pred=float32(4, None, 3)); "
        "each prediction needs one target. "
        "tf.RaggedTensor.from_tensor makes the dense one ragged, r.to_tensor() the ragged one dense."
    )
