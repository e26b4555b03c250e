"""Masks: which steps count, and what layers tell each other of that; real Keras is the truth."""

import itertools

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support import reference
from tests.support.masks import (
    IDS,
    OTHER,
    STEPS,
    Sum,
    X,
    Y,
    mask_of,
    quiet,
    same,
    tensor_of,
    weights_of,
    with_mask,
)

LAYERS = {
    "Dense": lambda lib: lib.layers.Dense(2, kernel_initializer="ones"),
    "Dropout": lambda lib: lib.layers.Dropout(0.5),
    "Activation": lambda lib: lib.layers.Activation("tanh"),
    "ReLU": lambda lib: lib.layers.ReLU(),
    "LeakyReLU": lambda lib: lib.layers.LeakyReLU(),
    "ELU": lambda lib: lib.layers.ELU(),
    "LayerNormalization": lambda lib: lib.layers.LayerNormalization(),
    "BatchNormalization": lambda lib: lib.layers.BatchNormalization(),
    "Flatten": lambda lib: lib.layers.Flatten(),
    "Reshape": lambda lib: lib.layers.Reshape((8, 2)),
    "Masking": lambda lib: lib.layers.Masking(),
    "Lambda": lambda lib: lib.layers.Lambda(lambda x: x * 2),
    "Lambda that hands on": lambda lib: lib.layers.Lambda(lambda x: x * 2, mask=lambda x, mask: mask),
    "Lambda that takes": lambda lib: lib.layers.Lambda(lambda x, mask: lib.ops.where(mask[..., None], x, 0)),
}


@pytest.mark.parametrize(
    ("name", "masked"),
    # (the function of one needs a mask)
    [(name, masked) for name in LAYERS for masked in (False, True) if masked or name != "Lambda that takes"],
)
def test_what_a_layer_hands_on(name, masked):
    found = []
    for library in (keras, reference.keras()):
        with quiet():
            result = LAYERS[name](library)(with_mask(library, X, STEPS if masked else None))
        found.append((np.asarray(result), mask_of(library, result)))
    same(*found)


@pytest.mark.parametrize(
    "masks", [(STEPS, OTHER), (STEPS, None), (None, OTHER), (None, None)], ids=["both", "1", "2", "none"]
)
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("Subtract", 2),
        *itertools.product(
            ["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Concatenate 1"], [2, 3]
        ),
    ],
)
def test_merging(name, masks, count):
    found = []
    for library in (keras, reference.keras()):
        settings = {"axis": 1} if name == "Concatenate 1" else {}
        layer = getattr(library.layers, name.split()[0])(**settings)
        parts = [with_mask(library, X, masks[0]), with_mask(library, Y, masks[1]), with_mask(library, Y - X, masks[0])]
        result = layer(parts[:count])
        found.append((np.asarray(result), mask_of(library, result)))
    same(*found)


def test_multiply_of_axes_behind_the_steps():
    wide = np.repeat(X[..., None], 2, -1)
    result = keras.layers.Multiply()([with_mask(keras, wide, STEPS), with_mask(keras, wide, OTHER)])
    a, b = (np.where(mask[..., None, None], wide, 1) for mask in (STEPS, OTHER))
    np.testing.assert_allclose(result.numpy(), np.where((STEPS | OTHER)[..., None, None], a * b, 0), rtol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_batch_normalization_of_the_steps_that_count(training):
    found = []
    for library in (keras, reference.keras()):
        layer = library.layers.BatchNormalization(momentum=0.5)
        result = layer(with_mask(library, X, STEPS), training=training)
        explicit = library.layers.BatchNormalization(momentum=0.5)
        again = explicit(X, mask=tensor_of(library, STEPS), training=training)
        np.testing.assert_array_equal(np.asarray(result), np.asarray(again))
        found.append([np.asarray(result), *weights_of(library, layer)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_batch_normalization_with_a_mask_of_another_rank():
    with pytest.raises(ValueError) as caught:
        keras.layers.BatchNormalization(name="norm")(X, mask=STEPS[..., None])
    assert str(caught.value) == (
        "BatchNormalization 'norm': the mask does not fit the inputs (mask=(3, 4, 1), inputs=(3, 4, 4)); "
        "it has an axis less: one value for each step."
    )


@pytest.mark.parametrize(
    ("axis", "mask"), [(-1, STEPS[..., None] | OTHER[:, None, :]), (1, STEPS[..., None]), (-1, OTHER[:, None, :])]
)
def test_softmax_of_what_a_mask_has(axis, mask):
    found = []
    for library in (keras, reference.keras()):
        for given in (mask, mask * np.float32(0.4) + np.float32(0.3)):
            found.append(
                np.asarray(library.layers.Softmax(axis=axis)(tensor_of(library, X), mask=tensor_of(library, given)))
            )
    for other in found[1:]:
        np.testing.assert_allclose(found[0], other, rtol=1e-5, atol=1e-7)


def test_softmax_of_steps():
    result = keras.layers.Softmax()(with_mask(keras, X, STEPS)).numpy()
    exps = np.exp(X)
    np.testing.assert_allclose(result, np.where(STEPS[..., None], exps / exps.sum(-1, keepdims=True), 0), rtol=1e-5)


# ---- where masks come from


def test_embedding_and_masking_make_them():
    vectors = keras.layers.Embedding(5, 2, mask_zero=True)(IDS)
    np.testing.assert_array_equal(vectors._keras_mask.numpy(), IDS != 0)
    assert keras.layers.Embedding(5, 2)(IDS)._keras_mask is None
    padded = np.where(STEPS[..., None], X, 0)
    for layer in (keras.layers.Masking(), tf.function(keras.layers.Masking())):
        np.testing.assert_array_equal(layer(padded).numpy(), padded)
    np.testing.assert_array_equal(keras.layers.Masking()(padded)._keras_mask.numpy(), STEPS)
    np.testing.assert_array_equal(keras.layers.Masking().compute_mask(tf.constant(padded)).numpy(), STEPS)
    ragged = tf.ragged.constant([[[0.0, 0.0], [1.0, 2.0]], []], ragged_rank=1, inner_shape=(2,))
    assert keras.layers.Masking()(ragged) is ragged


def test_masked_steps_become_zero():
    padded = np.where(STEPS[..., None], X, -1.0).astype("float32")
    found = []
    for library in (keras, reference.keras()):
        result = library.layers.Masking(mask_value=-1.0)(tensor_of(library, padded))
        found.append((np.asarray(result), mask_of(library, result)))
    same(*found)
    assert (found[0][0][~STEPS] == 0).all() and (found[0][1] == STEPS).all()


def test_a_plain_operation_hands_nothing_on():
    tensor = with_mask(keras, X, STEPS)
    assert tensor._keras_mask is not None
    assert (tensor + 1)._keras_mask is None and tf.identity(tensor)._keras_mask is None
    tensor._keras_mask = None
    assert keras.layers.Activation("relu")(tensor)._keras_mask is None


def test_a_mask_stays_when_the_input_is_cast():
    wide = with_mask(keras, X.astype("float64"), STEPS)
    result = keras.layers.Dense(2)(wide)
    assert result.dtype == tf.float32
    np.testing.assert_array_equal(result._keras_mask.numpy(), STEPS)


# ---- layers of one's own


class Halved(keras.layers.Layer):
    """Every second step."""

    def call(self, inputs):
        return inputs[:, ::2]

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[:, ::2]


class Pair(keras.layers.Layer):
    """Two arguments that have masks of their own."""

    def call(self, query, value, query_mask=None, value_mask=None, training=None):
        self.seen = query_mask, value_mask, training
        return query + value


def test_a_layer_that_takes_the_mask_is_given_it():
    layer = Sum()
    for given in (
        layer(with_mask(keras, X, STEPS)),
        layer(X, mask=STEPS),
        layer(X, STEPS),
        layer(X, mask=STEPS.tolist()),
    ):
        np.testing.assert_allclose(given.numpy(), (X * STEPS[..., None]).sum(1), rtol=1e-5, atol=1e-6)
        assert given._keras_mask is None
    np.testing.assert_allclose(layer(X).numpy(), X.sum(1), rtol=1e-5)
    assert layer.seen is None
    np.testing.assert_allclose(
        layer(with_mask(keras, X, STEPS), mask=OTHER).numpy(), (X * OTHER[..., None]).sum(1), rtol=1e-5
    )


def test_a_layer_with_masks_for_its_arguments_is_given_each():
    layer = Pair()
    layer(with_mask(keras, X, STEPS), with_mask(keras, Y, OTHER))
    np.testing.assert_array_equal(layer.seen[0].numpy(), STEPS)
    np.testing.assert_array_equal(layer.seen[1].numpy(), OTHER)
    layer(with_mask(keras, X, STEPS), value=Y, value_mask=tf.constant(OTHER))
    np.testing.assert_array_equal(layer.seen[0].numpy(), STEPS)
    np.testing.assert_array_equal(layer.seen[1].numpy(), OTHER)
    layer(tf.constant(X), with_mask(keras, Y, OTHER), tf.constant(STEPS), None, True)
    np.testing.assert_array_equal(layer.seen[0].numpy(), STEPS)
    np.testing.assert_array_equal(layer.seen[1].numpy(), OTHER)
    assert layer.seen[2] is True
    layer(with_mask(keras, X, STEPS), with_mask(keras, Y, STEPS), value_mask=OTHER)
    np.testing.assert_array_equal(layer.seen[1], OTHER)
    layer(tf.constant(X), tf.constant(Y))
    assert layer.seen == (None, None, False)


def test_a_list_of_inputs_has_a_list_of_masks():
    class Several(keras.layers.Layer):
        def call(self, inputs, mask=None):
            self.seen = mask
            return inputs[0]

    layer = Several()
    layer([with_mask(keras, X, STEPS), tf.constant(Y)])
    assert layer.seen[1] is None
    np.testing.assert_array_equal(layer.seen[0].numpy(), STEPS)
    layer([tf.constant(X), tf.constant(Y)])
    assert layer.seen is None


def test_compute_mask_says_what_is_handed_on():
    layer = Halved()
    assert layer.supports_masking and not Sum().supports_masking
    np.testing.assert_array_equal(layer(with_mask(keras, X, STEPS))._keras_mask.numpy(), STEPS[:, ::2])
    assert layer(X)._keras_mask is None

    class Stays(keras.layers.Layer):
        supports_masking = True

        def call(self, inputs):
            return inputs

    tensor = tf.constant(X)
    result = Stays()(tensor, mask=STEPS)
    np.testing.assert_array_equal(result._keras_mask.numpy(), STEPS)
    # the caller's own tensor is as it was
    assert tensor._keras_mask is None


def test_several_results_have_masks_of_their_own():
    class Both(keras.layers.Layer):
        def call(self, inputs):
            return inputs + 1, inputs[:, 0], inputs * 2

        def compute_mask(self, inputs, mask=None):
            return mask, None, tf.logical_not(mask)

    first, second, third = Both()(with_mask(keras, X, STEPS))
    np.testing.assert_array_equal(first._keras_mask.numpy(), STEPS)
    assert second._keras_mask is None
    np.testing.assert_array_equal(third._keras_mask.numpy(), ~STEPS)


def test_a_layer_that_loses_a_mask_says_so_once():
    layer = keras.layers.Flatten(name="flat")
    with pytest.warns(UserWarning) as caught:
        layer(with_mask(keras, X, STEPS))
    assert [str(w.message) for w in caught] == [
        "The layer 'flat' (Flatten) was given an input with a mask, and does not support masks: it computes with all steps, "
        "and the layers behind it see no mask. A layer of your own takes the mask as call(self, inputs, mask=None), "
        "and hands it on where self.supports_masking = True."
    ]
    layer(with_mask(keras, X, STEPS))  # a second warning would be an error
    assert caught[0].filename == __file__


def test_a_layer_that_holds_layers_may_lose_a_mask():
    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Sum()

        def call(self, inputs):
            return self.inner(inputs)

    np.testing.assert_allclose(Block()(with_mask(keras, X, STEPS)).numpy(), (X * STEPS[..., None]).sum(1), rtol=1e-5)
