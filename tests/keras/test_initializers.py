"""Initializers: distributions, seeds, configs, users' own ones."""

import math

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras import registry
from tensorsmith.keras.variable import Variable
from tests.support import reference

I = keras.initializers  # noqa: E741
DRAWS = {
    "RandomNormal": {"mean": 1.0, "stddev": 2.0},
    "TruncatedNormal": {"mean": 1.0, "stddev": 2.0},
    "RandomUniform": {"minval": 1.0, "maxval": 3.0},
    "VarianceScaling": {"scale": 3.0, "mode": "fan_avg", "distribution": "untruncated_normal"},
    "GlorotUniform": {},
    "GlorotNormal": {},
    "HeUniform": {},
    "HeNormal": {},
    "LecunUniform": {},
    "LecunNormal": {},
    "Orthogonal": {"gain": 2.0},
}
FIXED = {"Zeros": {}, "Ones": {}, "Constant": {"value": 2.5}, "Identity": {"gain": 3.0}}
SHAPE = (120, 180)


def test_every_built_in_initializer_is_tried():
    assert set(registry.builtins("initializer")) == {"Initializer", *DRAWS, *FIXED}


def test_fixed_values():
    assert I.Zeros()((2, 3)).numpy().tolist() == [[0.0] * 3] * 2
    assert I.Ones()([2], "int32").numpy().tolist() == [1, 1] and I.Ones()(2, tf.int32).dtype == tf.int32
    assert I.Constant([1.0, 2.0])((3, 2)).numpy().tolist() == [[1.0, 2.0]] * 3
    assert I.Identity(2.0)((2, 3)).numpy().tolist() == [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    with pytest.raises(ValueError) as caught:
        I.Identity()((2, 2, 2))
    assert str(caught.value) == "Identity: the weight must be a matrix (shape=(2, 2, 2))."


@pytest.mark.parametrize(
    "name", ["GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"]
)
@pytest.mark.parametrize("shape", [SHAPE, (3, 3, 20, 40)])
def test_variances(name, shape):
    field = math.prod(shape[:-2])
    inputs, outputs = shape[-2] * field, shape[-1] * field
    variance = {"Gl": 2 / (inputs + outputs), "He": 2 / inputs, "Le": 1 / inputs}[name[:2]]
    values = getattr(I, name)(seed=5)(shape).numpy()
    assert values.dtype == "float32"
    np.testing.assert_allclose(values.var(), variance, rtol=0.05)
    np.testing.assert_allclose(values.mean(), 0, atol=4 * math.sqrt(variance / values.size))
    limit = math.sqrt(3 * variance) if name.endswith("Uniform") else 2 * math.sqrt(variance) / 0.87962566103423978
    assert 0.9 * limit < np.abs(values).max() <= limit * 1.000001


def test_fans_of_axes_that_are_named():
    weights = I.VarianceScaling(1.0, "fan_in", "uniform", seed=1, input_axes=[0, 2], output_axes=1)(
        (20, 30, 40)
    ).numpy()
    np.testing.assert_allclose(weights.var(), 1 / 800, rtol=0.05)
    np.testing.assert_allclose(I.VarianceScaling(seed=1)((10_000,)).numpy().var(), 1 / 10_000, rtol=0.1)


def test_other_distributions():
    values = I.RandomNormal(1.0, 2.0, seed=1)(SHAPE).numpy()
    np.testing.assert_allclose([values.mean(), values.std()], [1.0, 2.0], atol=0.05)
    assert np.abs(values - 1.0).max() > 4.0
    values = I.TruncatedNormal(1.0, 2.0, seed=1)(SHAPE).numpy()
    assert 3.9 < np.abs(values - 1.0).max() <= 4.0
    values = I.RandomUniform(1.0, 3.0, seed=1)(SHAPE).numpy()
    assert 1.0 <= values.min() < 1.01 and 2.99 < values.max() < 3.0


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (2, 2, 5)])
def test_orthogonal(shape):
    matrix = I.Orthogonal(gain=2.0, seed=1)(shape).numpy().reshape(-1, shape[-1])
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4.0 * np.eye(len(product)), atol=1e-5)
    # every orthogonal matrix is equally likely: no element has one sign only
    corners = [I.Orthogonal(seed=seed)((2, 2)).numpy()[0, 0] for seed in range(40)]
    assert 8 < sum(corner > 0 for corner in corners) < 32
    with pytest.raises(ValueError) as caught:
        I.Orthogonal()((3,))
    assert str(caught.value) == "Orthogonal: the weight must have at least two axes (shape=(3,))."


@pytest.mark.parametrize(("name", "settings"), DRAWS.items())
class TestDraws:
    def test_a_seed_repeats_and_no_seed_does_not(self, name, settings):
        kind = getattr(I, name)
        seeded = kind(seed=3, **settings)
        assert (seeded((4, 5)).numpy() == seeded((4, 5)).numpy()).all()
        assert (seeded((4, 5)).numpy() == kind(seed=3, **settings)((4, 5)).numpy()).all()
        assert (seeded((4, 5)).numpy() != kind(seed=4, **settings)((4, 5)).numpy()).any()
        free = kind(**settings)
        assert (free((4, 5)).numpy() != free((4, 5)).numpy()).any()

    def test_the_global_seed_repeats_what_has_none(self, name, settings):
        drawn = []
        for _ in range(2):
            tf.random.set_seed(42)
            drawn.append([getattr(I, name)(**settings)((4, 5)).numpy() for _ in range(2)])
        assert (np.array(drawn[0]) == np.array(drawn[1])).all() and (drawn[0][0] != drawn[0][1]).any()

    def test_dtypes(self, name, settings):
        values = getattr(I, name)(seed=3, **settings)
        for dtype in ("float16", "float32", "float64"):
            assert values((4, 5), dtype=dtype).dtype == dtype
        assert values((4, 5)).dtype == "float32"


@pytest.mark.parametrize(("name", "settings"), [*DRAWS.items(), *FIXED.items()])
def test_round_trip(name, settings):
    seed = {"seed": 7} if name in DRAWS else {}
    made = getattr(I, name)(**settings, **seed)
    again = registry.deserialize_keras_object(I.serialize(made))
    assert type(again) is type(made) and (again((4, 4)).numpy() == made((4, 4)).numpy()).all()
    assert (made.clone()((4, 4)).numpy() == made((4, 4)).numpy()).all()
    if settings:
        plain = type(made)(**seed)
        assert (plain((4, 4)).numpy() != made((4, 4)).numpy()).any()


@pytest.mark.parametrize("name", [*DRAWS, *FIXED])
def test_configs_open_in_keras_and_back(name):
    real = reference.keras()
    theirs = real.initializers.deserialize(I.serialize(getattr(I, name)()))
    assert type(theirs).__name__ == name
    ours = I.deserialize(real.initializers.serialize(getattr(real.initializers, name)()))
    assert ours.get_config() == getattr(I, name)().get_config()


# ---- names


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("zeros", "Zeros", "zero"), "Zeros"),
        (("ones", "Ones"), "Ones"),
        (("constant", "Constant"), "Constant"),
        (("identity", "Identity"), "Identity"),
        (("random_normal", "RandomNormal", "normal"), "RandomNormal"),
        (("random_uniform", "RandomUniform", "uniform"), "RandomUniform"),
        (("truncated_normal", "TruncatedNormal"), "TruncatedNormal"),
        (("variance_scaling", "VarianceScaling"), "VarianceScaling"),
        (("glorot_uniform", "GlorotUniform"), "GlorotUniform"),
        (("he_normal", "HeNormal"), "HeNormal"),
        (("lecun_normal", "LecunNormal"), "LecunNormal"),
        (("orthogonal", "Orthogonal", "OrthogonalInitializer"), "Orthogonal"),
    ],
)
def test_snake_and_camel_names(words, kind):
    assert {type(I.get(word)).__name__ for word in words} == {kind}


def test_get_takes_everything_that_is_an_initializer():
    def mine(shape, dtype=tf.float32):
        return tf.ones(shape, dtype)

    assert I.get(None) is None and I.get(mine) is mine
    assert I.get(I.HeNormal)((2, 2)).shape == (2, 2)
    assert I.get(2.5)((2,)).numpy().tolist() == [2.5, 2.5]
    assert I.get(np.array([1.0, 2.0]))((2,)).numpy().tolist() == [1.0, 2.0]
    assert I.get({"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_out"}}).mode == "fan_out"
    with pytest.raises(ValueError) as caught:
        I.get("he_norm")
    assert str(caught.value) == (
        "keras.initializer: unknown initializer 'he_norm'. Did you mean 'he_normal'? "
        'If it is your own, give custom_objects={"he_norm": he_norm}.'
    )


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: I.VarianceScaling(scale=0), "VarianceScaling: scale must be above 0 (scale=0)."),
        (
            lambda: I.VarianceScaling(mode="fan"),
            "VarianceScaling: 'fan' is no mode; it is one of fan_in, fan_out, fan_avg.",
        ),
        (lambda: I.HeNormal(seed=0.5), "HeNormal: seed must be a whole number or None (seed=0.5)."),
        (
            lambda: I.VarianceScaling(distribution="cauchy"),
            "VarianceScaling: 'cauchy' is no distribution; it is one of truncated_normal, untruncated_normal, uniform, normal.",
        ),
    ],
)
def test_settings_that_make_no_sense(make, text):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == text


# ---- users' initializers


def my_glorot_initializer(shape, dtype=tf.float32):
    stddev = tf.sqrt(2.0 / (shape[0] + shape[1]))
    return tf.random.normal(shape, stddev=stddev, dtype=dtype)


class Fill(I.Initializer):
    def __init__(self, to):
        self.to = to

    def __call__(self, shape, dtype=None, **settings):
        return tf.fill(shape, tf.cast(self.to, dtype or tf.float32))

    def get_config(self):
        return {"to": self.to}


def test_users_initializers_fill_variables():
    weights = Variable(I.get(my_glorot_initializer), shape=SHAPE, name="w").numpy()
    np.testing.assert_allclose(weights.std(), math.sqrt(2 / 300), rtol=0.05)
    assert Variable(I.get(Fill(3.0)), shape=(2,), dtype="float64").numpy().tolist() == [3.0, 3.0]
    with keras.saving.custom_object_scope({"Fill": Fill}):
        again = registry.deserialize_keras_object(registry.serialize_keras_object(Fill(3.0)))
    assert again((1,)).numpy() == 3.0
    with pytest.raises(NotImplementedError) as caught:
        I.Initializer()((1,))
    assert str(caught.value) == "Initializer must write __call__(self, shape, dtype=None)."
