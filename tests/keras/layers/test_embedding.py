"""Embedding: the rows of a table at ids of every kind, and ids that are not in it."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras import registry

TABLE = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
IDS = np.array([[0, 5, 2], [5, 5, 1]])
LISTS = [[3, 0, 5], [], [1], [4, 4]]


def made(**settings):
    return keras.layers.Embedding(6, 3, weights=TABLE, **settings)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int16", "float32", "float64"])
def test_ids_of_every_dtype(dtype):
    ids = IDS.astype(dtype)
    np.testing.assert_array_equal(made()(ids).numpy(), TABLE[IDS])
    np.testing.assert_array_equal(tf.function(made())(tf.constant(ids)).numpy(), TABLE[IDS])


def test_floats_are_cut_and_not_rounded():
    np.testing.assert_array_equal(made()([0.9, 5.9]).numpy(), TABLE[[0, 5]])


def test_ids_beyond_what_floats_tell_apart():
    # as float32 the last id would be 2**24
    layer = keras.layers.Embedding(2**24 + 2, 1, embeddings_initializer="zeros")
    layer.build()
    table = np.zeros((2**24 + 2, 1), "float32")
    table[-1] = 1
    layer.set_weights([table])
    assert layer(np.array([2**24 + 1, 2**24], "float64")).numpy().ravel().tolist() == [1, 0]


@pytest.mark.parametrize("shape", [(), (4,), (2, 3, 2), (0, 3)])
def test_ids_of_every_rank(shape):
    ids = np.arange(np.prod(shape), dtype=int).reshape(shape) % 6
    np.testing.assert_array_equal(made()(tf.constant(ids, tf.int32)).numpy(), TABLE[ids])


@pytest.mark.parametrize("call", [lambda layer: layer, tf.function], ids=["eager", "compiled"])
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_ragged_ids_row_by_row(call, dtype):
    layer = made()
    given = call(layer)(tf.ragged.constant(LISTS, dtype=dtype))
    assert isinstance(given, tf.RaggedTensor) and given.shape.as_list() == [4, None, 3]
    for row, ids in zip(given, LISTS, strict=True):
        np.testing.assert_array_equal(row.numpy(), layer(np.array(ids, "int64")).numpy())


def test_ids_ragged_along_two_axes():
    ids = tf.ragged.constant([[[1, 2], []], [[3]]])
    given = made()(ids)
    np.testing.assert_array_equal(given.flat_values.numpy(), TABLE[[1, 2, 3]])
    for ours, theirs in zip(given.nested_row_splits, ids.nested_row_splits, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_places_that_sparse_ids_leave_out_are_id_0():
    dense = np.array([[0, 2, 0], [5, 0, 1]])
    np.testing.assert_array_equal(made()(tf.sparse.from_dense(dense)).numpy(), TABLE[dense])


@pytest.mark.parametrize("ids", [[[6]], [[-1]], [[0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 7]]], ids=repr)
def test_an_id_that_is_not_in_the_table_names_the_layer_and_the_id(ids):
    layer, wrong = made(name="words"), [i for i in ids[0] if not 0 <= i < 6][0]
    model = keras.Sequential([keras.Input((len(ids[0]),), dtype="int32"), layer, keras.layers.Flatten()], name="texts")
    model.compile(loss="mse", optimizer="sgd")
    target = np.zeros((1, 3 * len(ids[0])), "float32")
    calls = {
        "at once": lambda: layer(tf.constant(ids)),
        "compiled": lambda: tf.function(layer)(tf.constant(ids)),
        "predict": lambda: model.predict(np.array(ids), verbose=0),
        "fit": lambda: model.fit(np.array(ids), target, verbose=0),
    }
    before = layer.get_weights()[0]
    for name, call in calls.items():
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=rf"^gather: a place is out of range.*{wrong}\b"
        ) as caught:
            call()
        assert any("words'" in note for note in caught.value.__notes__), name
    np.testing.assert_array_equal(layer.get_weights()[0], before)


def test_the_gradient_adds_up_what_flows_back_to_one_row():
    layer = made()
    for ids in (tf.constant(IDS), tf.ragged.constant(LISTS)):
        with tf.GradientTape() as tape:
            vectors = layer(ids)
            flat = vectors.flat_values if isinstance(vectors, tf.RaggedTensor) else vectors
            total = tf.reduce_sum(tf.square(flat))
        places = np.array(ids.flat_values if isinstance(ids, tf.RaggedTensor) else ids).ravel()
        counts = np.bincount(places, minlength=6)[:, None]
        gradient = tf.convert_to_tensor(tape.gradient(total, layer.embeddings))
        np.testing.assert_allclose(gradient.numpy(), 2 * TABLE * counts, rtol=1e-6)


@pytest.mark.parametrize("weights", [TABLE, [TABLE], (TABLE,), TABLE.tolist()], ids=["array", "list", "tuple", "rows"])
def test_the_first_embeddings(weights):
    layer = keras.layers.Embedding(6, 3, weights=weights)
    assert layer.built
    np.testing.assert_array_equal(layer(IDS).numpy(), TABLE[IDS])
    assert [w.path for w in layer.weights] == [f"{layer.name}/embeddings"]


def test_first_embeddings_of_another_size():
    with pytest.raises(ValueError, match=r"has shape \(6, 3\), the value given for it \(3, 6\)"):
        keras.layers.Embedding(6, 3, weights=TABLE.T)


def test_keras_2_says_how_many_ids_a_sample_has():
    model = keras.Sequential([made(input_length=3), keras.layers.Flatten(), keras.layers.Dense(1)])
    assert model.built and model.input_shape == (None, 3) and model.output_shape == (None, 1)
    config = model.layers[0].get_config()
    assert config["input_length"] == 3 and "input_length" not in made().get_config()
    assert keras.layers.Embedding.from_config(config).input_length == 3


def test_a_config_that_keras_2_wrote():
    uniform = {"class_name": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05, "seed": None}}
    config = {
        "name": "e", "trainable": True, "batch_input_shape": (None, 3), "dtype": "float32", "input_dim": 6,
        "output_dim": 3, "embeddings_initializer": uniform,
        "embeddings_regularizer": None, "activity_regularizer": None, "embeddings_constraint": None, "mask_zero": True,
        "input_length": 3,
    }  # fmt: skip
    layer = registry.deserialize_keras_object({"class_name": "Embedding", "config": config})
    assert (layer.input_dim, layer.output_dim, layer.mask_zero, layer.input_length) == (6, 3, True, 3)
    assert layer(IDS).shape == (2, 3, 3)


def test_id_0_is_padding_where_the_layer_was_told_so():
    assert made().compute_mask(tf.constant(IDS)) is None and not made().supports_masking
    layer = made(mask_zero=True)
    assert layer.supports_masking
    np.testing.assert_array_equal(layer.compute_mask(tf.constant(IDS)).numpy(), IDS != 0)


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        ((0, 3), "input_dim", 0),
        ((4, -1), "output_dim", -1),
        ((True, 3), "input_dim", True),
        ((4, 2.5), "output_dim", 2.5),
    ],
)
def test_sizes_that_are_none(arguments, name, value):
    with pytest.raises(ValueError, match=f"^Embedding: {name} must be a positive integer; given {name}={value!r}\\.$"):
        keras.layers.Embedding(*arguments)


def test_sparse_results_are_left_to_the_caller():
    assert made(sparse=False)(IDS).shape == (2, 3, 3)
    with pytest.raises(ValueError) as caught:
        made(sparse=True)
    assert str(caught.value) == (
        "Embedding: sparse results are not made by the layer itself (sparse=True). "
        "Leave sparse=True out, and use tf.sparse.from_dense(layer(ids))."
    )


def test_every_setting_comes_back():
    layer = made(mask_zero=True, embeddings_constraint=keras.constraints.MaxNorm(0.5), embeddings_regularizer="l1")
    again = registry.deserialize_keras_object(registry.serialize_keras_object(layer))
    assert again.mask_zero and again.supports_masking
    assert again.embeddings_constraint.max_value == 0.5
    assert type(again.embeddings_regularizer).__name__ == "L1"
    assert again.get_config() == layer.get_config()
