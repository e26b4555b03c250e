"""What every layer must do. A row of CASES for each built-in class: settings off their defaults, and its inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tensorsmith import keras
from tensorsmith.core import nest
from tensorsmith.keras import registry
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.tensor import Tensor
from tests.support import compiled

BATCH = 5


def rows(*shape: int, seed: int = 3) -> np.ndarray:
    """Numbers on both sides of 0, none of them near it."""
    values = np.random.default_rng(seed).normal(size=(BATCH, *shape)).astype("float32")
    return np.where(abs(values) < 0.05, np.float32(0.3), values)


def table() -> np.ndarray:
    return rows(4)


def images() -> np.ndarray:
    return rows(2, 3, 4)


def steps() -> np.ndarray:
    return rows(6, 4)


def pair() -> list[np.ndarray]:
    return [rows(4), rows(4, seed=4)]


def three() -> list[np.ndarray]:
    return [rows(2, 4), rows(2, 4, seed=4), rows(2, 4, seed=5)]


def ids() -> np.ndarray:
    """Places in a table of 6, the last among them."""
    return np.random.default_rng(3).permutation(np.arange(BATCH * 3) % 6).reshape(BATCH, 3).astype("int32")


def padded() -> np.ndarray:
    """Steps of which the last are 0 alone."""
    values = rows(4, 3)
    values[0, 2:] = values[3, 1:] = 0
    values[1, 0, 1] = 0
    return values


def padded_otherwise() -> np.ndarray:
    """Steps of which some are 0.3 alone."""
    return np.where(padded() == 0, np.float32(0.3), padded())


# a bias that is not zeros; regularizers and constraints of a recurrent layer
RECURRENT = {
    "bias_initializer": "random_normal",
    "kernel_regularizer": "l2",
    "recurrent_regularizer": "l1",
    "bias_regularizer": "l2",
    "kernel_constraint": "non_neg",
}

# trained weights that differ from what initializers give, so that a layer that leaves one out is seen
RANDOM = {"beta_initializer": "random_normal", "gamma_initializer": "random_normal"}
MOVING = {
    "moving_mean_initializer": "random_normal",
    "moving_variance_initializer": {"class_name": "RandomUniform", "config": {"minval": 0.5, "maxval": 2.0}},
}

CASES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "Activation": [({"activation": "tanh"}, table), ({"activation": "selu"}, images)],
    "ReLU": [({}, table), ({"max_value": 0.5, "negative_slope": 0.1, "threshold": 0.2}, images)],
    "LeakyReLU": [({}, table), ({"negative_slope": 0.05}, images)],
    "ELU": [({}, table), ({"alpha": 0.4}, images)],
    "Softmax": [({}, table), ({"axis": 1}, images)],
    "Dense": [
        ({"units": 3}, table),
        ({"units": 2, "activation": "tanh", "bias_initializer": "random_normal"}, images),
        (
            {
                "units": 3,
                "use_bias": False,
                "kernel_initializer": "he_uniform",
                "kernel_regularizer": "l2",
                "kernel_constraint": "non_neg",
                "activity_regularizer": "l1",
            },
            table,
        ),
    ],
    "Dropout": [({"rate": 0.4}, table), ({"rate": 0.5, "seed": 3, "noise_shape": [BATCH, 1]}, table)],
    "Embedding": [
        ({"input_dim": 6, "output_dim": 3}, ids),
        (
            {
                "input_dim": 6,
                "output_dim": 2,
                "embeddings_initializer": "ones",
                "embeddings_regularizer": "l2",
                "embeddings_constraint": "non_neg",
                "activity_regularizer": "l1",
                "mask_zero": True,
            },
            ids,
        ),
    ],
    "Masking": [({}, padded), ({"mask_value": 0.3}, padded_otherwise)],
    "GlobalAveragePooling1D": [({}, padded), ({"keepdims": True}, padded), ({"data_format": "channels_first"}, padded)],
    "GlobalMaxPooling1D": [({}, padded), ({"keepdims": True}, padded), ({"data_format": "channels_first"}, padded)],
    "Add": [({}, pair), ({}, three)],
    "Average": [({}, pair), ({}, three)],
    "Concatenate": [({}, pair), ({"axis": 1}, three)],
    "Maximum": [({}, pair), ({}, three)],
    "Minimum": [({}, pair), ({}, three)],
    "Multiply": [({}, pair), ({}, three)],
    "Subtract": [({}, pair)],
    "BatchNormalization": [
        ({}, table),
        ({"axis": 1, "momentum": 0.6, "epsilon": 0.1, **RANDOM, **MOVING}, images),
        ({"center": False, "scale": False, **MOVING}, table),
    ],
    "LayerNormalization": [
        ({}, table),
        ({"axis": [1, 3], "epsilon": 0.1, **RANDOM}, images),
        ({"center": False, "scale": False}, table),
    ],
    "SimpleRNN": [
        ({"units": 3}, steps),
        ({"units": 3, "activation": "relu", "return_sequences": True, **RECURRENT}, steps),
        ({"units": 2, "use_bias": False, "go_backwards": True, "unroll": True, "dropout": 0.4, "seed": 1}, steps),
    ],
    "LSTM": [
        ({"units": 3}, steps),
        (
            {
                "units": 3,
                "activation": "elu",
                "recurrent_activation": "softsign",
                "return_sequences": True,
                "unit_forget_bias": False,
                **RECURRENT,
            },
            steps,
        ),
        ({"units": 2, "use_bias": False, "go_backwards": True, "recurrent_dropout": 0.4, "seed": 1}, steps),
    ],
    "GRU": [
        ({"units": 3}, steps),
        ({"units": 3, "activation": "elu", "return_sequences": True, **RECURRENT}, steps),
        ({"units": 3, "reset_after": False, "recurrent_activation": "softsign", **RECURRENT}, steps),
        (
            {"units": 2, "use_bias": False, "go_backwards": True, "dropout": 0.4, "recurrent_dropout": 0.2, "seed": 1},
            steps,
        ),
    ],
    "Flatten": [({}, table), ({}, images)],
    "Reshape": [({"target_shape": (2, 2)}, table), ({"target_shape": (4, -1, 2)}, images)],
}
# those whose constructor takes no plain values, and the one that is a model's input: they have tests of their own
# and the models, which may stand where a layer may
APART = {"InputLayer", "Lambda", "Operation", "OpsFunction", "PutTogether", "TakeApart", "Functional", "Sequential"}
# those that take, or are, cells
APART |= {"RNN", "StackedRNNCells", "SimpleRNNCell", "LSTMCell", "GRUCell"}

# the arguments that some layer cannot do without
REQUIRED = ("activation", "units", "rate", "target_shape", "input_dim", "output_dim")

ROWS = [(name, settings, sample) for name, cases in CASES.items() for settings, sample in cases]


def make(name: str, settings: dict[str, Any], library: Any = keras) -> Any:
    return getattr(library.layers, name)(**settings)


def value(tensor: Any) -> np.ndarray:
    return np.asarray(tensor)


def drawn(layer: Any, inputs: Any) -> Any:
    """A functional model of this layer alone."""
    symbols = nest.map_structure(lambda array: keras.Input(shape=array.shape[1:], dtype=array.dtype.name), inputs)
    return keras.Model(symbols, layer(symbols))


def check_round_trip(layer: Any, inputs: Any, settings: dict[str, Any]) -> None:
    """A layer made from its config makes the same weights from the same seed, and does the same, in training too;
    where it has settings, a layer without them does something else."""
    again = registry.deserialize_keras_object(registry.serialize_keras_object(layer))
    assert type(again) is type(layer) and again.name == layer.name
    (expected, penalties), (given, theirs) = _trained(layer, inputs), _trained(again, inputs)
    for one, other in zip([*given, *theirs], [*expected, *penalties], strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(again.weights, layer.weights, strict=True):
        assert (one.name, one.trainable) == (other.name, other.trainable)
    required = {key: settings[key] for key in REQUIRED if key in settings}
    if len(settings) > len(required):
        plain, without = _trained(type(layer)(**required), inputs)
        same = [a.shape == b.shape and np.allclose(a, b) for a, b in zip(plain, expected, strict=False)]
        assert not all(same) or len(plain) != len(expected) or len(without) != len(penalties)


def _trained(layer: Any, inputs: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The result of a call, that of a call in training, and the weights after both; the penalties."""
    keras.utils.set_random_seed(5)
    results = [value(layer(inputs)), value(layer(inputs, training=True))]
    penalties = [value(loss) for loss in layer.losses]
    return [*results, *layer.get_weights()], penalties


def check_symbolic_shape(layer: Any, inputs: Any) -> None:
    """On symbols it promises the dtype and shape that it gives on values, with the batch unknown; so does
    compute_output_shape."""
    model = drawn(layer, inputs)
    given = value(layer(inputs))
    assert tuple(model.output.shape) == (None, *given.shape[1:])
    assert model.output.dtype.name == given.dtype.name
    shapes = nest.map_structure(lambda array: (None, *array.shape[1:]), inputs)
    assert tuple(layer.compute_output_shape(shapes)) == (None, *given.shape[1:])


def check_compiled(layer: Any, inputs: Any) -> None:
    """Compiled, alone and in `predict`, it gives what it gives at once."""
    expected = value(layer(inputs))
    parts = nest.flatten(inputs)
    called = compiled.run(lambda *given: layer(nest.pack_sequence_as(inputs, list(given))), *parts)
    np.testing.assert_allclose(value(called), expected, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(drawn(layer, inputs).predict(inputs, verbose=0), expected, rtol=2e-6, atol=1e-6)


def check_dtypes(layer: Any, inputs: Any) -> None:
    """Doubles and lists of numbers are cast to the layer's dtype."""
    expected = value(layer(inputs))
    wide = layer(nest.map_structure(lambda array: array.astype("float64"), inputs))
    assert wide.dtype.name == expected.dtype.name == "float32"
    np.testing.assert_allclose(value(wide), expected, rtol=1e-6)
    if isinstance(inputs, np.ndarray):
        np.testing.assert_allclose(value(layer(inputs.tolist())), expected, rtol=1e-6)


def check_gradients(layer: Any, inputs: Any) -> None:
    """The derivative by each trained weight, and by the inputs, is that of differences."""
    tensors = nest.map_structure(Tensor, inputs)
    outputs = value(layer(tensors))
    direction = np.random.default_rng(11).normal(size=outputs.shape).astype("float32")
    with GradientTape() as tape:
        for tensor in nest.flatten(tensors):
            if tensor.dtype.is_floating:
                tape.watch(tensor)
        total = keras.ops.sum(layer(tensors) * direction)
    first = nest.flatten(tensors)[0]
    gradients = tape.gradient(total, [*layer.trainable_weights, first])
    step = 1e-2

    def result(given: Any) -> float:
        return float((value(layer(given)).astype("float64") * direction).sum())

    for weight, gradient in zip(layer.trainable_weights, gradients, strict=False):
        assert gradient is not None, weight.path
        kept = weight.numpy().copy()
        place = tuple(n - 1 for n in kept.shape)
        sides = []
        for sign in (1, -1):
            moved = kept.copy()
            moved[place] += sign * step
            weight.assign(moved)
            sides.append(result(inputs))
        weight.assign(kept)
        np.testing.assert_allclose(value(gradient)[place], (sides[0] - sides[1]) / (2 * step), rtol=2e-2, atol=2e-3)
    if first.dtype.is_floating:
        assert value(gradients[-1]).shape == first.shape and np.isfinite(value(gradients[-1])).all()


def check_saved(layer: Any, inputs: Any, folder: Path) -> None:
    """In a model that is saved and loaded it does the same, and trains on."""
    if isinstance(inputs, list):
        model = drawn(layer, inputs)
    else:
        model = keras.Sequential([keras.Input(shape=inputs.shape[1:], dtype=inputs.dtype.name), layer])
    model.compile(loss="mse", optimizer="sgd")
    expected = model.predict(inputs, verbose=0)
    for ending in (".keras", ".h5"):
        model.save(folder / f"model{ending}")
        again = keras.models.load_model(folder / f"model{ending}")
        np.testing.assert_allclose(again.predict(inputs, verbose=0), expected, rtol=1e-6, atol=1e-7)
        assert [w.path for w in again.weights] == [w.path for w in model.weights]


def check_against(real: Any, name: str, settings: dict[str, Any], inputs: Any) -> None:
    """With the weights of ours, the layer of real Keras gives the same, and the same penalties."""
    ours, theirs = make(name, settings), make(name, settings, real)
    given = value(ours(inputs))
    theirs(inputs)
    assert [w.name for w in theirs.weights] == [w.name for w in ours.weights]
    theirs.set_weights(ours.get_weights())
    expected = value(theirs(inputs))
    assert given.shape == expected.shape and given.dtype == expected.dtype
    np.testing.assert_allclose(given, expected, rtol=3e-6, atol=1e-6)
    penalties = [float(value(loss)) for loss in theirs.losses]
    np.testing.assert_allclose(sorted(float(value(loss)) for loss in ours.losses), sorted(penalties), rtol=1e-5)


def check_config_opens(real: Any, name: str, settings: dict[str, Any], inputs: Any) -> None:
    """Real Keras makes the layer from our config, and we make it from real Keras's."""
    ours = make(name, settings)
    ours(inputs)
    weights = ours.get_weights()
    theirs = real.layers.deserialize(registry.serialize_keras_object(ours))
    back = registry.deserialize_keras_object(real.layers.serialize(make(name, settings, real)))
    for other in (theirs, back):
        other(inputs)
        other.set_weights(weights)
        np.testing.assert_allclose(value(other(inputs)), value(ours(inputs)), rtol=3e-6, atol=1e-6)
