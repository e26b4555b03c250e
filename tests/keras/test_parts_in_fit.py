"""Losses, metrics and optimizers at work in `fit`: as in real Keras, compiled and step by step."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(70, 5)).astype("float32")
NUMBERS = (X[:, :1] * 2 + X[:, 1:2] ** 2).astype("float32")
BINARY = (X[:, 0] + 0.3 * RANDOM.normal(size=70) > 0).astype("float32")
CLASSES = RANDOM.integers(0, 3, 70)
WEIGHTS = RANDOM.uniform(0.5, 2.0, 70).astype("float32")
FIRST, SECOND = RANDOM.normal(size=(5, 7)).astype("float32") * 0.4, RANDOM.normal(size=(7, 3)).astype("float32") * 0.4


def parts(name, api):
    """(loss, metrics, weighted metrics, optimizer, targets, activation, weights of samples) made of a Keras."""
    m, o = api.metrics, api.optimizers
    return {
        "numbers": (
            api.losses.Huber(2.0),
            ["mae", m.RootMeanSquaredError(name="rmse"), m.R2Score(name="r2")],
            None,
            o.Nadam(0.01),
            NUMBERS,
            None,
            None,
        ),
        "flat targets, weights": (
            "mse",
            ["mse"],
            [m.MeanAbsoluteError(name="error")],
            o.RMSprop(0.01, momentum=0.5, centered=True),
            NUMBERS[:, 0],
            None,
            WEIGHTS,
        ),
        "binary": (
            "binary_crossentropy",
            ["accuracy", m.AUC(name="auc"), m.Precision(name="precision"), m.Recall(thresholds=0.3, name="recall")],
            None,
            o.Adam(o.schedules.CosineDecay(0.05, 6), clipnorm=0.5),
            BINARY,
            "sigmoid",
            None,
        ),
        "classes": (
            api.losses.SparseCategoricalCrossentropy(from_logits=True),
            ["accuracy", m.SparseTopKCategoricalAccuracy(k=2, name="top")],
            None,
            o.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
            CLASSES,
            None,
            None,
        ),
        "one-hot": (
            api.losses.CategoricalCrossentropy(label_smoothing=0.1),
            [m.F1Score(average="macro", name="f1"), "categorical_accuracy"],
            None,
            o.AdamW(0.01, use_ema=True, ema_momentum=0.9),
            np.eye(3, dtype="float32")[CLASSES],
            "softmax",
            WEIGHTS,
        ),
        "added up": ("mae", ["mse"], None, o.Adam(0.01, gradient_accumulation_steps=2), NUMBERS, None, None),
    }[name]


CASES = ("numbers", "flat targets, weights", "binary", "classes", "one-hot", "added up")


def trained(name, api, **settings):
    """History and weights after two epochs with a last batch that is short, from the same first weights."""
    loss, metrics, weighted, optimizer, targets, activation, weights = parts(name, api)
    units = 3 if name in ("classes", "one-hot") else 1
    layers = [api.layers.Dense(7, activation="elu"), api.layers.Dense(units, activation=activation)]
    model = api.Sequential([api.Input(shape=(5,)), *layers])
    for layer, kernel in zip(layers, (FIRST, SECOND[:, :units]), strict=True):
        layer.set_weights([kernel, np.zeros(kernel.shape[1], "float32")])
    model.compile(loss=loss, metrics=metrics, weighted_metrics=weighted, optimizer=optimizer, **settings)
    history = model.fit(
        X, targets, batch_size=16, epochs=2, shuffle=False, validation_split=0.2, sample_weight=weights, verbose=0
    ).history
    return history, [np.asarray(w) for w in model.get_weights()]


def check(one, other):
    assert list(one[0]) and set(one[0]) == set(other[0])
    for key, values in other[0].items():
        np.testing.assert_allclose(one[0][key], values, rtol=2e-4, atol=1e-5, err_msg=key)
    for weights, expected in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(weights, expected, rtol=2e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("name", CASES)
def test_fit_as_in_keras(name):
    real = reference.keras()
    check(trained(name, keras), trained(name, real))


@pytest.mark.parametrize("name", CASES)
def test_fit_step_by_step(name):
    tf.keras.backend.clear_session()
    check(trained(name, keras), trained(name, keras, run_eagerly=True))
