"""Functional models of Keras 3 that hold operations on symbols, masks among them: read, and written back."""

import warnings

import numpy as np
import pytest

from tensorsmith import keras
from tests.support import reference

IDS = np.array([[3, 0, 1, 2], [4, 0, 0, 0], [4, 4, 0, 0]])
X = np.random.default_rng(2).normal(size=(3, 4, 5)).astype("float32")


def masked(lib):
    """A mask, which Keras 3 draws as an operation that later layers are given."""
    inputs = lib.Input((4,), dtype="int32")
    x = lib.layers.Embedding(5, 4, mask_zero=True)(inputs)
    x = lib.layers.LSTM(3, return_sequences=True)(x)
    x = lib.layers.GlobalAveragePooling1D()(x)
    return lib.Model(inputs, lib.layers.Dense(1)(x)), IDS


def masking(lib):
    inputs = lib.Input((4, 5))
    x = lib.layers.Masking(0.0)(inputs)
    x = lib.layers.GRU(3)(lib.layers.Dropout(0.3)(x))
    return lib.Model(inputs, x), np.where(np.arange(4)[:, None] < 2, X, 0)


def arithmetic(lib):
    inputs = lib.Input((4, 5))
    x = inputs * 2.0 + 1.0 - inputs / 4.0
    x = lib.ops.where(x > 0.5, x, -x)
    return lib.Model(inputs, lib.ops.matmul(x, lib.ops.swapaxes(inputs, 1, 2))), X


def reductions(lib):
    inputs = lib.Input((4, 5))
    x = lib.ops.expand_dims(lib.ops.mean(inputs, axis=-1, keepdims=True), 1)
    counts = lib.ops.cast(lib.ops.any(inputs > 0, axis=1), "float32")
    return lib.Model(inputs, [x, lib.ops.concatenate([counts, lib.ops.max(inputs, axis=1)], axis=-1)]), X


def einsum(lib):
    inputs = lib.Input((4, 5))
    return lib.Model(inputs, lib.ops.softmax(lib.ops.einsum("bij,bkj->bik", inputs, inputs), axis=1)), X


def slices(lib):
    inputs = lib.Input((4, 5))
    return lib.Model(inputs, [inputs[:, 1:3], inputs[..., 0], inputs[:, -1], inputs[1, 2]]), X


MODELS = [masked, masking, arithmetic, reductions, einsum, slices]


def outputs(library, model, x):
    found = model(x)
    return [np.asarray(library.ops.convert_to_tensor(part)) for part in (found if isinstance(found, list) else [found])]


def save(model, path):
    with warnings.catch_warnings():
        # Keras warns of NumPy, and of the .h5 file
        warnings.simplefilter("ignore")
        model.save(path)


def same(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


# Keras cannot read an operation from its own .h5; that of a mask, which no layer is called like, we can
@pytest.mark.parametrize(
    ("made", "ending"), [*((made, ".keras") for made in MODELS), (masked, ".h5"), (masking, ".h5")]
)
def test_what_keras_wrote_is_read_and_written_back(made, ending, tmp_path):
    real = reference.keras()
    theirs, x = made(real)
    expected = outputs(real, theirs, x)
    save(theirs, tmp_path / f"theirs{ending}")
    ours = keras.models.load_model(tmp_path / f"theirs{ending}")
    same(outputs(keras, ours, x), expected)
    ours.save(tmp_path / f"ours{ending}")
    same(outputs(keras, keras.models.load_model(tmp_path / f"ours{ending}"), x), expected)
    if ending == ".keras":
        same(outputs(real, real.saving.load_model(tmp_path / "ours.keras"), x), expected)


@pytest.mark.parametrize("made", [masked, masking])
def test_models_with_masks_that_we_drew_are_read_by_keras(made, tmp_path):
    real = reference.keras()
    ours, x = made(keras)
    for ending in (".keras", ".h5"):
        ours.save(tmp_path / f"ours{ending}")
        same(outputs(real, real.saving.load_model(tmp_path / f"ours{ending}"), x), outputs(keras, ours, x))


def test_a_layer_that_keras_drew_trains_as_the_model_does(tmp_path):
    """It writes training=False for a Dropout that was only drawn."""
    real = reference.keras()
    inputs = real.Input((50,))
    save(real.Model(inputs, real.layers.Dropout(0.5)(inputs)), tmp_path / "m.keras")
    model = keras.models.load_model(tmp_path / "m.keras")
    ones = np.ones((4, 50), "float32")
    assert {*np.unique(model(ones, training=True))} == {0.0, 2.0}
    np.testing.assert_array_equal(np.asarray(model(ones)), ones)


def test_a_model_inside_that_is_told_not_to_train_is_so_after_loading(tmp_path):
    inner_inputs = keras.Input((50,))
    inner = keras.Model(inner_inputs, keras.layers.Dropout(0.5)(inner_inputs))
    inputs = keras.Input((50,))
    model = keras.Model(inputs, inner(inputs, training=False))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    ones = np.ones((4, 50), "float32")
    for one in (model, again):
        np.testing.assert_array_equal(np.asarray(one(ones, training=True)), ones)


@pytest.mark.parametrize("name", ["no_such", "__class__", "__loader__", "__dict__"])
def test_a_function_that_is_none(name):
    """Only what keras.ops lists may be named."""
    config = {"function": name, "settings": {}}
    with pytest.raises(ValueError, match=f"^OpsFunction: keras.ops has no such function .function={name}."):
        keras.layers.deserialize({"module": "keras.layers", "class_name": "OpsFunction", "config": config})
