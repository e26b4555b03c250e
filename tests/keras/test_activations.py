"""Activations: against real Keras, names, configs, users' own ones."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras import registry
from tests.support import compiled, reference

A = keras.activations
X = np.concatenate([np.linspace(-9, 9, 90), [0.0, -0.0, 88.0, -88.0, 1e4, -1e4]]).astype("float32").reshape(12, 8)
CASES = [(name, {}) for name in registry.builtins("activation") if name != "threshold"] + [
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 6.0, "threshold": 1.0}),
    ("relu", {"negative_slope": 0.1, "max_value": 6.0, "threshold": 0.5}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {"axis": 0}),
    ("threshold", {"threshold": 1.0, "default_value": -2.0}),
    ("squareplus", {"b": 2.0}),
]


@pytest.mark.parametrize(("name", "settings"), CASES)
class TestEvery:
    def test_against_keras(self, name, settings):
        real = reference.keras()
        given, expected = getattr(A, name)(X, **settings), np.asarray(getattr(real.activations, name)(X, **settings))
        assert given is X or given.dtype == "float32"
        np.testing.assert_allclose(np.asarray(given), expected, rtol=3e-6, atol=1e-6)

    def test_compiled(self, name, settings):
        result = compiled.run(lambda x: getattr(A, name)(x, **settings), X)
        np.testing.assert_allclose(result, np.asarray(getattr(A, name)(X, **settings)), rtol=3e-6, atol=1e-6)

    def test_name_in_a_config(self, name, settings):
        function = getattr(A, name)
        assert A.serialize(function) == name and A.get(name) is function is A.deserialize(A.serialize(function))


def test_every_activation_of_keras_is_here():
    real = reference.keras()
    theirs = {name for name in dir(real.activations) if not name.startswith("_")}
    assert theirs - {"get", "serialize", "deserialize", "sparsemax"} <= set(A.__all__)


def test_none_is_linear():
    assert A.get(None) is A.linear and A.serialize(A.get(None)) == "linear"
    x = tf.constant([1.0])
    assert A.linear(x) is x


def test_aliases():
    assert A.get("swish") is A.silu is A.swish and A.get("hard_swish") is A.hard_silu
    assert A.serialize(A.swish) == "silu"


def test_users_functions():
    def my_softplus(z):
        return tf.math.log(tf.exp(z) + 1.0)

    assert A.get(my_softplus) is my_softplus
    config = A.serialize(my_softplus)
    assert config["config"] == "my_softplus"
    with pytest.raises(ValueError) as caught:
        A.get(config)
    assert str(caught.value) == (
        "keras.activation: unknown activation 'my_softplus'. Did you mean 'softplus'? "
        'If it is your own, give custom_objects={"my_softplus": my_softplus}.'
    )
    with keras.saving.custom_object_scope({"my_softplus": my_softplus}):
        assert A.get(config) is my_softplus is A.get("my_softplus")
