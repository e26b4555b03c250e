"""Models of ragged and sparse inputs in files: every format and dialect, what Keras 2 writes of such inputs, exports."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core.errors import ModelFileError

WORDS = tf.ragged.constant([[1, 2], [], [3, 0, 4]], dtype=tf.int64)
SPARSE = tf.sparse.from_dense([[1.0, 0, 0, 2], [0, 0, 3, 0]])
VECTORS = tf.ragged.constant([[[1.0, 2.0, 3.0]], [[2.0] * 3] * 2], ragged_rank=1, row_splits_dtype=tf.int32)


def words():
    drawn = keras.Input([None], ragged=True, dtype="int64", name="words")
    rows = keras.layers.Embedding(5, 3)(drawn)
    return keras.Model(drawn, [keras.layers.Dense(2)(tf.reduce_sum(rows + 1.0, 1)), rows[:, :1]])


def in_sequence():
    return keras.Sequential(
        [keras.layers.InputLayer(input_shape=[None], ragged=True, dtype="int64"), keras.layers.Embedding(5, 3)]
    )


def bag():
    return keras.Sequential([keras.Input([4], sparse=True), keras.layers.Dense(2)])


def told_by_spec():
    spec = tf.RaggedTensorSpec([None, None, 3], tf.float32, 1, tf.int32)
    return keras.Sequential([keras.Input(type_spec=spec, name="vectors"), keras.layers.Dense(2)])


CASES = {
    "words": (words, WORDS),
    "in_sequence": (in_sequence, WORDS),
    "bag": (bag, SPARSE),
    "told_by_spec": (told_by_spec, VECTORS),
}
every_case = pytest.mark.parametrize("name", CASES)


def arrays(value):
    return [np.asarray(leaf) for leaf in tf.nest.flatten(value, expand_composites=True)]


def same(given, expected):
    tf.nest.assert_same_structure(given, expected, expand_composites=True)
    for a, b in zip(arrays(given), arrays(expected), strict=True):
        np.testing.assert_array_equal(a, b)


@every_case
@pytest.mark.parametrize("dialect", ["common", "k2", "k3"])
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_model_comes_back_with_its_inputs(tmp_path, name, ending, dialect):
    make, value = CASES[name]
    model = make()
    path = tmp_path / f"model{ending}"
    model.save(path, dialect=dialect)
    again = keras.models.load_model(path)
    assert [symbol.type_spec for symbol in again.inputs] == [symbol.type_spec for symbol in model.inputs]
    same(again(value), model(value))


@every_case
def test_weights_and_exports(tmp_path, name):
    make, value = CASES[name]
    model, other = make(), make()
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    same(other(value), model(value))
    model.export(tmp_path / "exported", verbose=False)
    same(tf.saved_model.load(tmp_path / "exported").serve(value), model(value))


def test_a_subclassed_model_is_exported_for_the_rows_that_it_saw(tmp_path):
    class Sums(keras.Model):
        def call(self, rows):
            return tf.reduce_sum(rows, 1)

    model = Sums()
    assert model(WORDS).numpy().tolist() == [3, 0, 7]
    model.export(tmp_path / "exported", verbose=False)
    assert tf.saved_model.load(tmp_path / "exported").serve(WORDS[:2]).numpy().tolist() == [3, 0]


class Sums(keras.Model):
    """Takes what no dense tensor can do, so that it must be built for rows when it is read."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.out = keras.layers.Dense(2)

    def call(self, inputs):
        lengths = tf.cast(inputs["words"].row_lengths(), tf.float32)
        return self.out(tf.stack([lengths, tf.sparse.reduce_sum(inputs["bag"], 1)], 1) + inputs["plain"])


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_a_model_of_the_users_is_built_for_the_rows_that_it_saw(tmp_path, ending):
    value = {"words": WORDS[:2], "bag": SPARSE, "plain": tf.ones([2, 1])}
    model = Sums()
    expected = model(value)
    path = tmp_path / f"model{ending}"
    if ending == ".keras":
        model.save(path)
        again = keras.models.load_model(path, custom_objects={"Sums": Sums})
    else:
        model.save_weights(path)
        again = Sums()
        again.build_from_config(model.get_build_config())
        again.load_weights(path)
    same(again(value), expected)
    assert again.get_build_config()["inputs"] == model.get_build_config()["inputs"]


def test_what_the_other_formats_cannot_hold_is_told(tmp_path):
    with pytest.raises(
        ValueError, match=r"^export to ONNX: JAX cannot trace the program for sizes that are open: .*tf_saved_model"
    ):
        words().export(tmp_path / "model.onnx", format="onnx", verbose=False)
    with pytest.raises(ValueError, match=r"^export to StableHLO: "):
        words().export(tmp_path / "model.hlo", format="stablehlo", verbose=False)


def layer_of(path):
    with h5py.File(path) as file:
        return json.loads(file.attrs["model_config"])["config"]["layers"][0]["config"]


def test_inputs_are_written_in_the_words_of_keras_2(tmp_path):
    path = tmp_path / "model.h5"
    words().save(path, dialect="k2")
    assert layer_of(path) == {
        "batch_input_shape": [None, None], "dtype": "int64", "sparse": False, "ragged": True, "name": "words",
    }  # fmt: skip
    bag().save(path, dialect="k2")
    found = layer_of(path)
    assert found["sparse"] is True and found["ragged"] is False and found["batch_input_shape"] == [None, 4]
    told_by_spec().save(path, dialect="k2")
    whole = {"class_name": "__tuple__", "items": [[None, None, 3], "float32", 1, "int32"]}
    assert layer_of(path) == {
        "type_spec": {"class_name": "TypeSpec", "type_spec": "tf.RaggedTensorSpec", "serialized": whole}, "name": "vectors",
    }  # fmt: skip


def told(name, config):
    return {"class_name": "__typespec__", "spec_name": name, "config": config}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        (told("DatasetSpec", []), "there is no such spec"),
        (told("RaggedTensorSpec", [[None], "float32", 5, "int64"]), "ragged_rank"),
        (told("RaggedTensorSpec", [[None, None], "float32", 1, "bool"]), "row splits"),
        (told("SparseTensorSpec", [1, 2, 3, 4]), None),
        ({"class_name": "TypeSpec", "type_spec": "os.system", "serialized": {"items": ["true"]}}, "there is no such spec"),
        ({"class_name": "TypeSpec"}, None),
    ],
)  # fmt: skip
def test_a_spec_that_tells_no_tensor_is_refused(tmp_path, spec, wrong):
    path = tmp_path / "model.h5"
    told_by_spec().save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][0]["config"]["type_spec"] = spec
        file.attrs["model_config"] = json.dumps(config)
        file.attrs.pop("tensorsmith_sha256", None)
    with pytest.raises(ModelFileError, match=wrong):
        keras.models.load_model(path)
