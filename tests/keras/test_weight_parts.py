"""Regularizers and constraints: values, configs, users' own ones."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras import registry
from tests.support import compiled, reference

R, C = keras.regularizers, keras.constraints
W = np.random.default_rng(0).normal(size=(4, 3)).astype("float32") * 2
PENALTIES = [
    ("L1", {"l1": 0.3}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {"l1": 0.3, "l2": 0.2}),
    ("L1L2", {"l2": 0.2}),
    ("L1L2", {"l1": 0.2}),
    ("OrthogonalRegularizer", {"factor": 0.3}),
    ("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
]
PRESSES = [
    ("MaxNorm", {"max_value": 1.5}),
    ("MaxNorm", {"max_value": 1.5, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}),
    ("MinMaxNorm", {"min_value": 2.0, "max_value": 3.0}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.5, "axis": [0, 1]}),
]
ROWS = [("regularizers", *row) for row in PENALTIES] + [("constraints", *row) for row in PRESSES]


def test_every_built_in_one_is_tried():
    assert set(registry.builtins("regularizer")) == {"Regularizer", *(name for name, _ in PENALTIES)}
    assert set(registry.builtins("constraint")) == {"Constraint", *(name for name, _ in PRESSES)}


@pytest.mark.parametrize(("role", "name", "settings"), ROWS)
class TestEvery:
    def test_against_keras(self, role, name, settings):
        real = reference.keras()
        ours, theirs = getattr(getattr(keras, role), name)(**settings), getattr(getattr(real, role), name)(**settings)
        given = ours(tf.constant(W))
        assert given.dtype == "float32"
        np.testing.assert_allclose(
            np.asarray(given), np.asarray(theirs(real.ops.convert_to_tensor(W))), rtol=2e-6, atol=1e-7
        )
        back = getattr(real, role).deserialize(registry.serialize_keras_object(ours))
        np.testing.assert_allclose(
            np.asarray(back(real.ops.convert_to_tensor(W))), np.asarray(given), rtol=2e-6, atol=1e-7
        )

    def test_round_trip(self, role, name, settings):
        made = getattr(getattr(keras, role), name)(**settings)
        again = registry.deserialize_keras_object(registry.serialize_keras_object(made))
        assert type(again) is type(made) and (np.asarray(again(W)) == np.asarray(made(W))).all()
        if settings:
            assert (np.asarray(type(made)()(W)) != np.asarray(made(W))).any()

    def test_compiled(self, role, name, settings):
        made, variable = getattr(getattr(keras, role), name)(**settings), tf.Variable(W)
        np.testing.assert_allclose(
            compiled.run(lambda: made(variable)), np.asarray(made(variable)), rtol=2e-6, atol=1e-7
        )
        assert made(tf.constant(W, tf.float64)).dtype == "float64"


def test_norms_of_zeros_stay_finite():
    for constraint in (C.MaxNorm(), C.UnitNorm(), C.MinMaxNorm(0.5, 1.0)):
        assert np.asarray(constraint(np.zeros((2, 2), "f"))).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert np.isnan(np.asarray(C.NonNeg()([np.nan]))).all()


def test_names():
    assert R.get("l1").l1 == R.get("L1").l1 == 0.01 == R.get(R.L2).l2
    both = R.get("l1_l2")
    assert (both.l1, both.l2) == (0.01, 0.01)
    assert (R.l1_l2(l1=0.5).l1, R.l1(0.5).l1, R.l2(0.5).l2) == (0.5, 0.5, 0.5)
    assert {type(C.get(word)).__name__ for word in ("non_neg", "NonNeg", "nonneg")} == {"NonNeg"}
    assert type(C.get("max_norm")) is C.max_norm is C.MaxNorm and type(C.get("unit_norm")) is C.unit_norm
    assert R.get(None) is None is C.get(None)
    for get, role, word in ((R.get, "regularizer", "l3"), (C.get, "constraint", "max_nrm")):
        with pytest.raises(ValueError, match=rf"^keras\.{role}: unknown {role} '{word}'"):
            get(word)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: R.L2(-1.0), "L2: l2 must be a finite number from 0 upwards (l2=-1.0)."),
        (lambda: R.L1("a"), "L1: l1 must be a finite number from 0 upwards (l1='a')."),
        (lambda: R.L1L2(l2=float("nan")), "L1L2: l2 must be a finite number from 0 upwards (l2=nan)."),
        (lambda: R.OrthogonalRegularizer(mode="x"), "OrthogonalRegularizer: mode must be rows or columns (mode='x')."),
        (
            lambda: R.OrthogonalRegularizer()(np.ones(3, "f")),
            "OrthogonalRegularizer: the weight must be a matrix (shape=(3,)).",
        ),
    ],
)
def test_settings_that_make_no_sense(make, text):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == text


# ---- users' own


def my_l1_regularizer(weights):
    return tf.reduce_sum(tf.abs(0.01 * weights))


def my_positive_weights(weights):
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


class MyL1Regularizer(R.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return tf.reduce_sum(tf.abs(self.factor * weights))

    def get_config(self):
        return {"factor": self.factor}


def test_users_functions_and_classes():
    assert R.get(my_l1_regularizer) is my_l1_regularizer and C.get(my_positive_weights) is my_positive_weights
    custom = {part.__name__: part for part in (my_l1_regularizer, my_positive_weights, MyL1Regularizer)}
    assert R.deserialize(R.serialize(my_l1_regularizer), custom) is my_l1_regularizer
    assert C.deserialize(C.serialize(my_positive_weights), custom) is my_positive_weights
    again = R.deserialize(R.serialize(MyL1Regularizer(0.5)), custom)
    assert np.asarray(again(W)) == np.asarray(MyL1Regularizer(0.5)(W)) != np.asarray(MyL1Regularizer(0.1)(W))


def test_bases_say_what_is_missing():
    for call, text in (
        (lambda: R.Regularizer()(W), "Regularizer must write __call__(self, weights)."),
        (lambda: R.Regularizer().get_config(), "Regularizer must write get_config(self), so that it can be saved."),
        (lambda: C.Constraint()(W), "Constraint must write __call__(self, weights)."),
    ):
        with pytest.raises(NotImplementedError) as caught:
            call()
        assert str(caught.value) == text
