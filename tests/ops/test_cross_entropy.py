"""Cross entropies at their edges: extreme logits, hard labels, labels that are no class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gradient(function: Any, logits: np.ndarray) -> np.ndarray:
    v = tf.Variable(logits)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(function(v))
    return tape.gradient(y, v).numpy()


@pytest.mark.parametrize("labels", [np.eye(3)[[0, 2]], np.array([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]])])
def test_the_gradient_of_softmax_cross_entropy_is_softmax_minus_labels(labels: np.ndarray) -> None:
    found = gradient(lambda x: tf.nn.softmax_cross_entropy_with_logits(labels, x), LOGITS)
    np.testing.assert_allclose(found, softmax(LOGITS) - labels, rtol=1e-10, atol=1e-12)


def test_the_sparse_form_agrees_with_the_dense_one() -> None:
    labels = [2, 1]
    dense = tf.nn.softmax_cross_entropy_with_logits(np.eye(3)[labels], LOGITS).numpy()
    np.testing.assert_allclose(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels, LOGITS).numpy(), dense, rtol=1e-12
    )
    found = gradient(lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels, x), LOGITS)
    np.testing.assert_allclose(found, softmax(LOGITS) - np.eye(3)[labels], rtol=1e-10, atol=1e-12)


def test_extreme_logits_stay_finite() -> None:
    extreme = np.array([[1e4, -1e4, 0.0]], "float32")
    assert tf.nn.softmax_cross_entropy_with_logits([[1.0, 0.0, 0.0]], extreme).numpy().tolist() == [0]
    assert tf.nn.softmax_cross_entropy_with_logits([[0.0, 1.0, 0.0]], extreme).numpy().tolist() == [2e4]
    assert np.isfinite(gradient(lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits([1], x), extreme)).all()
    one = tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0, 0.0], logits=[-1e4, 1e4]).numpy()
    assert one.tolist() == [1e4, 1e4]


def test_a_class_that_cannot_be_costs_nothing_where_it_is_not_meant() -> None:
    logits = np.array([[0.0, -np.inf, 0.0]])
    loss = tf.nn.softmax_cross_entropy_with_logits([[0.5, 0.0, 0.5]], logits).numpy()
    np.testing.assert_allclose(loss, [np.log(2)], rtol=1e-12)


def test_the_gradient_of_the_sigmoid_form_is_sigmoid_minus_label() -> None:
    labels = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 1.0]])
    found = gradient(lambda x: tf.nn.sigmoid_cross_entropy_with_logits(labels, x), LOGITS)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-LOGITS)) - labels, rtol=1e-10, atol=1e-12)


def test_a_label_that_is_no_class() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.nn.sparse_softmax_cross_entropy_with_logits([0, 3], LOGITS)
    assert str(caught.value) == (
        "sparse_softmax_cross_entropy_with_logits: a label is no class (label=3, classes=3); labels go from 0 to 2."
    )


def test_labels_and_logits_that_do_not_fit() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="labels are integers, with one axis less than logits"):
        tf.nn.sparse_softmax_cross_entropy_with_logits([0.0, 1.0], LOGITS)
    with pytest.raises(tf.errors.InvalidArgumentError, match="labels are integers, with one axis less than logits"):
        tf.nn.sparse_softmax_cross_entropy_with_logits([[0], [1]], LOGITS)
