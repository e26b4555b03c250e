"""Ragged and sparse tensors as the inputs, the values between layers and the outputs of functional models."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core.errors import InaccessibleTensorError

RAGGED = tf.ragged.constant([[1.0, 2.0], [], [3.0, 5.0, 4.0]])
VECTORS = tf.RaggedTensor.from_row_lengths(np.arange(20, dtype="float32").reshape(5, 4), [2, 0, 3])
SPARSE = tf.sparse.from_dense([[1.0, 0, 0, 2], [0, 0, 3, 0]])
ONES = tf.ones([4, 2])


def ragged(shape=(None,), **settings):
    return keras.Input(shape, ragged=True, **settings)


def leaves(value):
    return [np.asarray(leaf) for leaf in tf.nest.flatten(value, expand_composites=True)]


def same(given, expected):
    tf.nest.assert_same_structure(given, expected, expand_composites=True)
    for a, b in zip(leaves(given), leaves(expected), strict=True):
        assert a.dtype == b.dtype
        if a.dtype.kind in "fc":
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
        else:
            np.testing.assert_array_equal(a, b)


def again(model):
    """The model made from what JSON holds of it."""
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    return keras.saving.deserialize_keras_object(config)


def text_of(call, kind=ValueError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


# ---- what an Input is


@pytest.mark.parametrize(
    ("settings", "spec"),
    [
        ({"shape": [None], "ragged": True}, tf.RaggedTensorSpec([None, None])),
        ({"shape": [None], "ragged": True, "batch_size": 3}, tf.RaggedTensorSpec([3, None])),
        ({"shape": [None, None], "ragged": True, "dtype": "int32"}, tf.RaggedTensorSpec([None, None, None], tf.int32)),
        ({"shape": [None, 4], "ragged": True}, tf.RaggedTensorSpec([None, None, 4], ragged_rank=1)),
        ({"shape": [4, None], "ragged": True}, tf.RaggedTensorSpec([None, 4, None], ragged_rank=2)),
        ({"batch_shape": [None, None], "ragged": True}, tf.RaggedTensorSpec([None, None])),
        ({"shape": [10], "sparse": True, "ragged": False}, tf.SparseTensorSpec([None, 10])),
        ({"shape": [None], "sparse": True}, tf.SparseTensorSpec([None, None])),
        ({"type_spec": tf.SparseTensorSpec([None, 5], tf.int64)}, tf.SparseTensorSpec([None, 5], tf.int64)),
        (
            {"type_spec": tf.RaggedTensorSpec([None, None, None], tf.int32, 1, tf.int32)},
            tf.RaggedTensorSpec([None, None, None], tf.int32, 1, tf.int32),
        ),
    ],
)  # fmt: skip
def test_an_input_stands_for_values_of_its_spec(settings, spec):
    symbol = keras.Input(**settings)
    assert tf.type_spec_from_value(symbol) == spec == symbol.type_spec
    assert symbol.shape == spec.shape and symbol.dtype is spec.dtype
    assert isinstance(symbol, spec.value_type)
    model = again(keras.Model(symbol, symbol))
    assert model.inputs[0].type_spec == spec
    assert model.input_shape == model.output_shape == spec.shape


def test_an_input_without_a_ragged_axis_is_a_tensor():
    for symbol in (keras.Input([4], ragged=True), keras.Input(type_spec=tf.TensorSpec([None, 4]))):
        assert tf.type_spec_from_value(symbol) == tf.TensorSpec([None, 4])
        same(again(keras.Model(symbol, symbol * 2))(tf.ones([2, 4])), tf.ones([2, 4]) * 2)


def test_an_input_is_of_one_kind():
    assert text_of(lambda: keras.Input([3], ragged=True, sparse=True)) == (
        "keras.Input: it cannot be sparse and ragged at once (sparse=True, ragged=True)."
    )
    assert text_of(lambda: keras.Input([3], type_spec=tf.SparseTensorSpec([None, 3]), dtype="int32")) == (
        "keras.Input: type_spec tells all, and something else was given (given=shape, dtype). Leave out shape, dtype."
    )
    assert text_of(lambda: keras.Input(type_spec=tf.SparseTensorSpec())).startswith(
        "keras.Input: the rank of an input must be known"
    )
    assert text_of(lambda: keras.Input(type_spec=[None, 3]), TypeError).startswith(
        "keras.Input: type_spec is no spec of a tensor (type_spec=[None, 3])"
    )


def test_symbols_print_what_they_are():
    assert repr(ragged(name="words")) == (
        "<KerasTensor shape=(None, None), dtype=float32, sparse=False, ragged=True, name=words>"
    )
    assert str(keras.Input([4], sparse=True, name="bag")) == (
        "<KerasTensor shape=(None, 4), dtype=float32, sparse=True, ragged=False, name=bag>"
    )


# ---- what is done to them


OPERATIONS = {
    "square": tf.square,
    "sum of rows": lambda r: tf.reduce_sum(r, axis=1),
    "mean, kept": lambda r: tf.reduce_mean(r, axis=-1, keepdims=True),
    "sum": tf.reduce_sum,
    "number behind": lambda r: r + 1,
    "number before": lambda r: 2 / (1 - r * 3),
    "comparison": lambda r: tf.where((r > 2) & (r < 5), r, -r),
    "power": lambda r: abs(-r) ** 2 + r**3.0,
    "two of the same rows": lambda r: tf.square(r) - r,
    "rows that are constants": lambda r: r + RAGGED,
    "a number for each row": lambda r: r * tf.reduce_sum(r, 1)[:, None],
    "integers": lambda r: tf.cast(r, tf.int32) + 1,
    "dtypes of results": lambda r: tf.argmax(r.to_tensor(), 1, output_type=tf.int32),
    "padded": lambda r: r.to_tensor(-1.0, shape=[None, 4]),
    "to_tensor": lambda r: r.to_tensor(),
    "to_sparse": lambda r: r.to_sparse(),
    "lengths": lambda r: r.row_lengths(),
    "nrows": lambda r: r.nrows(),
    "parts": lambda r: [r.values, r.row_splits, r.flat_values],
    "rows of values": lambda r: r.value_rowids(),
    "cut": lambda r: r[:, :2],
    "one row": lambda r: r[2],
    "joined": lambda r: tf.concat([r, r * 2], axis=1),
    "stacked": lambda r: tf.stack([r, r]),
    "gathered": lambda r: tf.gather(r, [2, 0, 0]),
    "flat": lambda r: tf.ragged.map_flat_values(tf.square, r),
    "other values": lambda r: r.with_values(r.values * 2),
    "from splits": lambda r: tf.RaggedTensor.from_row_splits(-r.values, r.row_splits),
    "looked up": lambda r: tf.nn.embedding_lookup(tf.reshape(tf.range(12.0), [6, 2]), tf.cast(r, tf.int64)),
    "masked": lambda r: tf.ragged.boolean_mask(r, r > 1.5),
    "axis": lambda r: tf.expand_dims(r, -1),
    "merged": lambda r: r.merge_dims(0, 1),
    "text": tf.strings.as_string,
    "several": lambda r: {"a": r, "b": [tf.square(r), r.values]},
    "32 bits": lambda r: r.with_row_splits_dtype(tf.int32),
    "bits": lambda r: tf.bitcast(r.values, tf.int32),
    "size of an axis": lambda r: tf.ones(tf.shape(r)[0]),
    "a layer of other values": lambda r: keras.layers.Activation("relu")(r.with_values(2 - r.values)),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_on_a_ragged_symbol_give_what_they_give_on_values(name):
    drawn = ragged()
    function = OPERATIONS[name]
    result = function(drawn)
    expected = function(RAGGED)
    model = keras.Model(drawn, result)
    read = again(model)
    for each in (model, read):
        same(each(RAGGED), expected)
    settings = [[layer.settings for layer in m.layers if hasattr(layer, "settings")] for m in (model, read)]
    assert repr(settings[0]) == repr(settings[1])
    specs = [tf.type_spec_from_value(leaf) for leaf in tf.nest.flatten(result)]
    assert all(spec.is_compatible_with(leaf) for spec, leaf in zip(specs, tf.nest.flatten(expected), strict=True))
    for signature in (None, [tf.RaggedTensorSpec([None, None])]):
        same(tf.function(lambda r: model(r), input_signature=signature)(RAGGED), expected)


SPARSE_OPERATIONS = {
    "product": lambda s: tf.sparse.sparse_dense_matmul(s, ONES),
    "to_dense": tf.sparse.to_dense,
    "scaled": lambda s: s * 2.0,
    "parts": lambda s: [s.indices, s.values, s.dense_shape],
    "sum": lambda s: tf.sparse.reduce_sum(s, 1),
    "values": lambda s: tf.sparse.map_values(tf.square, s),
    "square": tf.square,
    "negative": lambda s: -s,
    "added": lambda s: tf.sparse.add(s, s),
    "dense added": lambda s: tf.sparse.add(s, tf.ones([2, 4])),
    "turned": tf.sparse.transpose,
    "cut": lambda s: tf.sparse.slice(s, [0, 0], [2, 3]),
    "joined": lambda s: tf.sparse.concat(1, [s, s]),
    "cast": lambda s: tf.cast(s, tf.int32),
    "softmax": tf.sparse.softmax,
    "as rows": lambda s: tf.RaggedTensor.from_value_rowids(s.values, s.indices[:, 0], s.dense_shape[0]),
    "itself": lambda s: s,
}


@pytest.mark.parametrize("name", SPARSE_OPERATIONS)
def test_operations_on_a_sparse_symbol_give_what_they_give_on_values(name):
    drawn = keras.Input([4], sparse=True)
    function = SPARSE_OPERATIONS[name]
    model = keras.Model(drawn, function(drawn))
    for each in (model, again(model)):
        same(each(SPARSE), function(SPARSE))
    same(tf.function(lambda s: model(s), input_signature=[tf.SparseTensorSpec([None, 4])])(SPARSE), function(SPARSE))


def test_an_operation_on_rows_is_one_layer():
    drawn = ragged(name="words")
    model = keras.Model(drawn, tf.reduce_sum(tf.square(drawn) + 1, 1))
    assert [layer.op.name for layer in model.layers[1:]] == ["square", "add", "reduce_sum"]


# ---- layers


class Longest(keras.layers.Layer):
    """The length of the longest row, below each row's sum; remembers what `build` was told."""

    def build(self, input_shape):
        self.told = input_shape
        self.scale = self.add_weight(name="scale", shape=(input_shape[-1],), initializer="ones")

    def call(self, rows):
        assert isinstance(rows, tf.RaggedTensor)
        sums = tf.reduce_sum(rows * self.scale, axis=1)
        return sums, tf.reduce_max(rows.row_lengths())


def test_a_layer_of_the_users_takes_ragged_tensors():
    drawn = ragged((None, 4))
    layer = Longest()
    sums, longest = layer(drawn)
    assert layer.told == (None, None, 4) and isinstance(layer.told, tf.TensorShape)
    assert sums.shape == (None, 4) and longest.shape == ()
    model = keras.Model(drawn, [sums, longest])
    found = model(VECTORS)
    same(found, [tf.reduce_sum(VECTORS, axis=1), tf.constant(3, tf.int64)])
    assert layer.input_shape == (None, None, 4) and layer.input is drawn


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Dense(3),
        lambda: keras.layers.Dropout(0.5),
        lambda: keras.layers.Activation("relu"),
        lambda: keras.layers.LayerNormalization(),
        lambda: keras.layers.BatchNormalization(),
        lambda: keras.layers.Lambda(lambda rows: tf.reduce_max(rows, axis=1)),
    ],
)
def test_built_in_layers_between_ragged_symbols(make):
    drawn = ragged((None, 4))
    layer = make()
    result = layer(drawn)
    same(keras.Model(drawn, result)(VECTORS), layer(VECTORS))
    assert tf.type_spec_from_value(result).is_compatible_with(layer(VECTORS))


def test_floats_become_those_of_the_layer():
    dense = keras.layers.Dense(2)
    for rows in (tf.cast(VECTORS, tf.float64), ragged((None, 4), dtype="float64")):
        assert dense(rows).dtype is tf.float32
    assert dense(tf.cast(SPARSE, tf.float64)).dtype is tf.float32


def test_layers_of_several_ragged_inputs():
    first, second = ragged((None, 4)), ragged((None, 4))
    joined = keras.layers.Concatenate()([first, keras.layers.Add()([first, second])])
    assert joined.shape == (None, None, 8) and joined.ragged_rank == 1
    found = keras.Model([first, second], joined)([VECTORS, VECTORS])
    same(found, tf.concat([VECTORS, VECTORS * 2], axis=-1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="their rows differ in length"):
        keras.Model([first, second], joined)([VECTORS, VECTORS[::-1]])


def test_a_dense_layer_of_a_sparse_input():
    drawn = keras.Input([4], sparse=True)
    model = keras.Model(drawn, keras.layers.Dense(2, name="dense")(drawn))
    kernel, bias = model.get_layer("dense").get_weights()
    np.testing.assert_allclose(model(SPARSE), tf.sparse.to_dense(SPARSE).numpy() @ kernel + bias, rtol=1e-6)


def test_models_inside_models():
    inner_in = ragged((None, 4))
    inner = keras.Model(inner_in, {"scaled": inner_in * 2, "sums": tf.reduce_sum(inner_in, 1)}, name="inner")
    outer_in = ragged((None, 4))
    found = inner(outer_in)
    outer = keras.Model(outer_in, [found["scaled"], keras.layers.Dense(1)(found["sums"])])
    scaled, scores = outer(VECTORS)
    same(scaled, VECTORS * 2)
    assert scores.shape == (3, 1)
    same(again(outer)(VECTORS)[0], VECTORS * 2)


def test_a_model_from_the_middle_of_another():
    drawn = ragged((None, 4))
    halves = drawn / 2
    top = keras.Model(halves, tf.reduce_sum(halves * 3, 1))
    same(top(VECTORS), tf.reduce_sum(VECTORS * 3, 1))
    flat = drawn.values
    below = keras.Model(flat, flat + 1)
    assert below.input_shape == (None, 4)
    same(below(tf.ones([5, 4])), tf.ones([5, 4]) + 1)


# ---- what such a model is given


def test_several_inputs_some_of_them_ragged():
    words, bag, plain = ragged(name="words"), keras.Input([4], sparse=True, name="bag"), keras.Input([2], name="plain")
    total = tf.reduce_sum(words, 1)[:, None] + tf.sparse.to_dense(bag) @ ONES + plain
    values = {"words": RAGGED[:2], "bag": SPARSE, "plain": tf.ones([2, 2])}
    expected = tf.reduce_sum(RAGGED[:2], 1)[:, None] + tf.sparse.to_dense(SPARSE) @ ONES + 1
    listed, named = keras.Model([words, bag, plain], total), keras.Model({"b": bag, "a": words, "c": plain}, total)
    same(listed(list(values.values())), expected)
    same(listed(values), expected)
    same(named({"a": values["words"], "b": SPARSE, "c": values["plain"]}), expected)
    for model in (listed, named):
        assert model.input_names == [leaf.name for leaf in model.inputs]
    assert listed.inputs[0] is words and listed.inputs[1] is bag
    assert listed.input_shape == [(None, None), (None, 4), (None, 2)]
    assert text_of(
        lambda: listed([RAGGED])
    ) == "The model 'MODEL' takes 3 inputs (words, bag, plain); 1 were given.".replace("MODEL", listed.name)


def test_values_are_made_what_the_input_is():
    words, bag = ragged(name="words"), keras.Input([4], sparse=True, name="bag")
    model = keras.Model(words, [words, tf.reduce_sum(words, 1)])
    rows, sums = model(tf.constant([[1.0, 2.0], [3.0, 0.0]]))
    assert rows.to_list() == [[1, 2], [3, 0]] and sums.numpy().tolist() == [3, 3]
    same(model(tf.ragged.constant([[1, 2], [3]]))[0], tf.ragged.constant([[1.0, 2.0], [3.0]]))
    same(model(tf.cast(RAGGED, tf.float64))[0], RAGGED)
    same(model(RAGGED.with_row_splits_dtype(tf.int32))[0], RAGGED)
    same(keras.Model(bag, bag)(tf.sparse.to_dense(SPARSE)), SPARSE)
    same(keras.Model(bag, bag)(np.array([[1, 0, 0, 2]])), tf.sparse.from_dense([[1.0, 0, 0, 2]]))


def test_a_dense_input_takes_what_its_layers_take():
    plain = keras.Input([None])
    same(keras.Model(plain, tf.square(plain))(RAGGED), tf.square(RAGGED))


def test_what_does_not_fit_an_input_is_refused():
    words, bag, vectors = ragged(name="words"), keras.Input([4], sparse=True, name="bag"), ragged((None, 4), name="v")
    model, sparse, deep = (keras.Model(x, x, name="m") for x in (words, bag, vectors))
    way_out = (
        " tf.RaggedTensor.from_tensor, r.to_tensor(), tf.sparse.from_dense and tf.sparse.to_dense make one of another."
    )
    assert text_of(lambda: model(SPARSE)) == (
        "Input 'words' of model 'm': it was given a SparseTensor (takes=RaggedTensor float32(None, None), ragged rank 1, "
        "given=SparseTensor float32(2, 4))." + way_out
    )
    assert text_of(lambda: sparse(RAGGED)).startswith("Input 'bag' of model 'm': it was given a RaggedTensor (takes=")
    assert text_of(lambda: model(tf.ragged.constant([[[1.0]], []]))) == (
        "Input 'words' of model 'm': its ragged rank is another (takes=RaggedTensor float32(None, None), ragged rank 1, "
        "given=RaggedTensor float32(2, None, None), ragged rank 2)." + way_out
    )
    assert text_of(lambda: model(tf.ragged.constant([["a"]]))).startswith(
        "Input 'words' of model 'm': its dtype is another ("
    )
    assert text_of(lambda: model(tf.ones([3]))).startswith("Input 'words' of model 'm': its rank is another (")
    assert text_of(lambda: deep(VECTORS[:, :, :3])) == (
        "Input 'v' of model 'm' takes shape (None, None, 4); a value of shape (3, None, 3) was given."
    )
    assert text_of(lambda: sparse(tf.ones([2, 3]))).startswith(
        "Input 'bag' of model 'm' takes shape (None, 4); a value"
    )


# ---- derivatives, clones


def test_gradients_by_weights_and_by_ragged_values():
    drawn = ragged((None, 4))
    model = keras.Model(drawn, keras.layers.Dense(1, use_bias=False)(tf.reduce_sum(drawn * drawn, 1)))
    flat = tf.Variable(VECTORS.values)
    for _ in range(3):  # at first sight, and compiled
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(VECTORS.with_values(flat)))
        by_kernel, by_values = tape.gradient(loss, [model.weights[0], flat])
        kernel, values = model.get_weights()[0], VECTORS.values.numpy()
        np.testing.assert_allclose(by_kernel, (values**2).sum(0)[:, None], rtol=1e-5)
        np.testing.assert_allclose(by_values, 2 * values * kernel[:, 0], rtol=1e-5)


def test_a_clone_has_the_same_inputs():
    drawn = ragged((None, 4), name="vectors")
    model = keras.Model(drawn, keras.layers.Dense(2)(tf.reduce_sum(drawn, 1)))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    same(clone(VECTORS), model(VECTORS))
    assert clone.inputs[0].type_spec == drawn.type_spec


def test_a_layer_that_gives_a_tensor_array_is_refused():
    class Kept(keras.layers.Layer):
        def call(self, x):
            return tf.TensorArray(tf.float32, 2).unstack(x)

    assert text_of(lambda: Kept(name="kept")(keras.Input(batch_shape=(2, 3))), TypeError).startswith(
        "kept: it gives a TensorArray; tensors, ragged and sparse ones,"
    )


def test_symbols_have_no_values():
    drawn, plain = ragged(name="words"), keras.Input([3], name="plain")
    text = (
        " of <KerasTensor shape=(None, 3), dtype=float32, sparse=False, ragged=False, name=plain> is not known: it stands for "
        "what a layer of a model gives. Do what needs values in the `call` of a layer of your own, or in "
        "keras.layers.Lambda(function)."
    )
    assert text_of(lambda: bool(plain), TypeError) == "The truth value" + text
    assert text_of(lambda: plain.numpy(), TypeError) == "The value" + text
    assert text_of(lambda: len(plain), TypeError) == "The length" + text
    for call in (lambda: drawn.numpy(), lambda: drawn.to_list(), lambda: len(drawn), lambda: list(drawn)):
        assert "it stands for what a layer of a model gives" in text_of(call, TypeError)
    for call in (
        lambda: keras.layers.Lambda(lambda x: x + plain)(plain * 2),
        lambda: keras.layers.Lambda(lambda x: tf.reduce_sum(x + drawn, 1))(drawn * 2),
    ):
        text = text_of(call, InaccessibleTensorError)
        assert "stands between the layers of a model, and is used inside of what is traced" in text
    for call in (
        lambda: tf.cond(tf.reduce_sum(drawn) > 0, lambda: 1, lambda: 2),
        lambda: tf.scan(lambda a, b: a + b, plain),
        lambda: tf.while_loop(lambda x: tf.reduce_all(x < 3), lambda x: x + 1, [plain]),
    ):
        assert "a branch or a loop on symbols cannot stand between the layers of a model." in text_of(call, TypeError)


def test_the_table_of_layers(capsys):
    drawn = ragged((None, 4), name="vectors")
    model = keras.Model(drawn, keras.layers.Dense(2, name="dense")(drawn))
    keras.Model(drawn, model(drawn).values).summary()
    assert "(TakeApart)  [(None, 2), (None,)]  0" in " ".join(capsys.readouterr().out.split()).replace(
        ") [", ")  ["
    ).replace("] 0", "]  0")
    model.summary()
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[:5] for row in rows if "(InputLayer)" in row or "(Dense)" in row] == [
        ["vectors", "(InputLayer)", "(None,", "None,", "4)"],
        ["dense", "(Dense)", "(None,", "None,", "2)"],
    ]
