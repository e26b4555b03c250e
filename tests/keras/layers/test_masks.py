"""Masks: which steps count, and what layers, models and losses tell each other of that; real Keras is the truth."""

import contextlib
import itertools
import warnings

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras import registry
from tests.support import reference

RNG = np.random.default_rng(7)
STEPS = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]], bool)
OTHER = np.array([[1, 0, 0, 1], [1, 1, 0, 0], [0, 0, 0, 1]], bool)
X = RNG.normal(size=(3, 4, 4)).astype("float32")
Y = RNG.normal(size=(3, 4, 4)).astype("float32")
IDS = np.array([[3, 0, 1, 2], [0, 0, 0, 0], [4, 4, 0, 0]])


def tensor_of(library, values):
    return library.ops.convert_to_tensor(values)


def with_mask(library, values, mask):
    """A tensor with a mask, as the library hangs it on."""
    tensor = tensor_of(library, values)
    if mask is not None:
        mask = tensor_of(library, mask)
        if library is keras:
            tensor._keras_mask = mask
        else:
            library.src.backend.set_keras_mask(tensor, mask)
    return tensor


def mask_of(library, tensor):
    found = tensor._keras_mask if library is keras else library.src.backend.get_keras_mask(tensor)
    return None if found is None else np.asarray(found)


def weights_of(library, layer):
    return [np.asarray(library.ops.convert_to_tensor(weight)) for weight in layer.weights]


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def same(ours, theirs):
    """Two (value, mask) are equal."""
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-6)
    assert (ours[1] is None) == (theirs[1] is None)
    if ours[1] is not None:
        np.testing.assert_array_equal(ours[1], theirs[1])


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


class Sum(keras.layers.Layer):
    """The sum over the steps that count."""

    def call(self, inputs, mask=None):
        self.seen = mask
        return tf.reduce_sum(inputs if mask is None else tf.where(mask[..., None], inputs, 0.0), 1)


class Needs(keras.layers.Layer):
    """Cannot do without a mask."""

    def call(self, inputs, mask):
        return inputs * tf.cast(mask, inputs.dtype)[..., None]


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


# ---- models


def encoder(vocabulary=5):
    return [
        keras.layers.Embedding(vocabulary, 4, mask_zero=True),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(3, activation="tanh"),
        Sum(),
    ]


def by_hand(layers, ids):
    table, (kernel, bias) = layers[0].get_weights()[0], layers[2].get_weights()
    return (np.tanh(table[ids] @ kernel + bias) * (ids != 0)[..., None]).sum(1)


def sequential(layers):
    return keras.Sequential(layers)


def functional(layers):
    x = inputs = keras.Input((4,), dtype="int32")
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def nested(layers):
    inner = functional(layers[:2])
    return keras.Sequential([keras.Input((4,), dtype="int32"), inner, *layers[2:]])


class Subclassed(keras.Model):
    def __init__(self, layers):
        super().__init__()
        self.steps = layers

    def call(self, inputs):
        for step in self.steps:
            inputs = step(inputs)
        return inputs


MODELS = [sequential, functional, nested, Subclassed]


@pytest.mark.parametrize("made", MODELS)
def test_masks_go_through_models(made):
    layers = encoder()
    model = made(layers)
    expected = None
    calls = {
        "at once": lambda: model(IDS),
        "compiled": lambda: tf.function(model)(tf.constant(IDS)),
        "predict": lambda: model.predict(IDS, verbose=0),
    }
    for name, call in calls.items():
        given = np.asarray(call())
        expected = by_hand(layers, IDS) if expected is None else expected
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_masks_are_made_at_every_call():
    model = keras.Sequential([keras.layers.Masking(), keras.layers.Activation("relu"), Sum()])
    for scale in (1, 2, 3):
        values = tf.constant(np.where(STEPS[..., None], X, 0) * scale + 0.0)
        np.testing.assert_allclose(model(values).numpy(), np.maximum(values, 0).sum(1), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model.layers[-1].seen.numpy(), STEPS)


@pytest.mark.parametrize("made", [sequential, functional, nested])
def test_a_mask_given_to_a_model_is_that_of_its_input(made):
    layers = [keras.layers.Activation("relu"), keras.layers.Dropout(0.5), keras.layers.Activation("linear"), Sum()]
    if made is sequential:
        model = made(layers)
    else:
        x = inputs = keras.Input((4, 4))
        for layer in layers:
            x = layer(x)
        model = keras.Model(inputs, x)
        model = keras.Sequential([model]) if made is nested else model
    tensor = tf.constant(X)
    expected = (np.maximum(X, 0) * STEPS[..., None]).sum(1)
    for given in (model(tensor, mask=STEPS), model(with_mask(keras, X, STEPS)), model(tensor, None, STEPS)):
        np.testing.assert_allclose(given.numpy(), expected, rtol=1e-5)
    assert tensor._keras_mask is None
    np.testing.assert_allclose(model(tensor).numpy(), np.maximum(X, 0).sum(1), rtol=1e-5)


@pytest.mark.parametrize("made", [sequential, functional, nested])
def test_a_layer_that_cannot_do_without_a_mask_is_drawn(made):
    layers = [keras.layers.Embedding(5, 4, mask_zero=True), keras.layers.Activation("tanh"), Needs()]
    model = made([keras.Input((4,), dtype="int32"), *layers] if made is sequential else layers)
    table = layers[0].get_weights()[0]
    expected = np.tanh(table[IDS]) * (IDS != 0)[..., None]
    for given in (model(IDS), model.predict(IDS, verbose=0)):
        np.testing.assert_allclose(np.asarray(given), expected, rtol=1e-5)


def test_masks_of_drawn_tensors_may_be_used(tmp_path):
    inputs = keras.Input((4,), dtype="int32")
    x = keras.layers.Dense(3)(keras.layers.Embedding(5, 4, mask_zero=True)(inputs))
    assert x._keras_mask.shape == (None, 4) and x._keras_mask.dtype == tf.bool and inputs._keras_mask is None
    counts = keras.layers.Lambda(tf.identity)(tf.cast(x._keras_mask, tf.float32))
    taken = Sum(name="sum")(tf.identity(x), mask=x._keras_mask)
    model = keras.Model(inputs, [counts, taken, x._keras_mask])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", {"Sum": Sum, "identity": tf.identity})
    middle = keras.Model(model.layers[1].output, x)
    for one in (model, again):
        found, summed, mask = one(IDS)
        np.testing.assert_array_equal(found.numpy(), IDS != 0)
        np.testing.assert_array_equal(mask.numpy(), IDS != 0)
        values = middle(model.layers[1](IDS)).numpy()
        np.testing.assert_allclose(summed.numpy(), (values * (IDS != 0)[..., None]).sum(1), rtol=1e-5)


def test_a_mask_for_inputs_given_by_name():
    inputs = {"b": keras.Input((4, 4), name="b"), "a": keras.Input((4, 4), name="a")}
    model = keras.Model(list(inputs.values()), keras.layers.Concatenate()([Sum()(inputs["b"]), Sum()(inputs["a"])]))
    given = model({"a": tf.constant(X), "b": tf.constant(Y)}, mask={"a": tf.constant(STEPS), "b": None})
    np.testing.assert_allclose(given.numpy(), np.concatenate([Y.sum(1), (X * STEPS[..., None]).sum(1)], 1), rtol=1e-5)


# ---- losses and metrics


def tagger(library):
    """A value for each step, of which those of id 0 do not count."""
    library.utils.set_random_seed(3)
    inputs = library.Input((4,), dtype="int32")
    x = library.layers.Embedding(5, 4, mask_zero=True, embeddings_initializer="ones")(inputs)
    return library.Model(inputs, library.layers.Dense(1, kernel_initializer="ones")(x))


@pytest.mark.parametrize("weights", [None, RNG.uniform(size=(3, 4)).astype("float32")], ids=["plain", "weighted"])
@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("loss", ["mse", "mean_absolute_error", "binary_crossentropy"])
def test_losses_and_metrics_leave_padding_out(loss, eagerly, weights):
    targets = (Y[..., :1] > 0).astype("float32")
    found = []
    for library in (keras, reference.keras()):
        model = tagger(library)
        model.compile(
            loss=loss,
            optimizer=library.optimizers.SGD(0.1),
            metrics=["mae"],
            weighted_metrics=["mse"],
            run_eagerly=eagerly,
        )
        logs = model.evaluate(IDS, targets, sample_weight=weights, verbose=0, return_dict=True)
        history = model.fit(
            IDS, targets, sample_weight=weights, batch_size=2, epochs=2, shuffle=False, verbose=0
        ).history
        found.append((logs, history, weights_of(library, model)))
    (logs, history, trained), (theirs, their_history, their_weights) = found
    for key, value in theirs.items():
        np.testing.assert_allclose(logs[key], value, rtol=1e-5, err_msg=key)
    # of its metrics Keras on JAX loses the mask in fit alone
    np.testing.assert_allclose(history["loss"], their_history["loss"], rtol=1e-4)
    for ours, other in zip(trained, their_weights, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("eagerly", [False, True])
def test_metrics_in_fit_leave_padding_out(eagerly):
    model = tagger(keras)
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), metrics=["mae"], run_eagerly=eagerly)
    history = model.fit(IDS, Y[..., :1], batch_size=2, verbose=0).history
    error = np.abs(Y[..., 0] - model.predict(IDS, verbose=0)[..., 0])
    np.testing.assert_allclose(history["mae"], [error[IDS != 0].mean()], rtol=1e-5)


@pytest.mark.parametrize("eagerly", [False, True])
def test_weights_of_samples_and_masks_of_steps(eagerly):
    model, weights = tagger(keras), np.array([1.0, 5.0, 0.5], "float32")
    model.compile(loss="mse", optimizer="sgd", run_eagerly=eagerly)
    error = np.square(Y[..., 0] - model.predict(IDS, verbose=0)[..., 0]) * weights[:, None]
    given = model.evaluate(IDS, Y[..., :1], sample_weight=weights, verbose=0)
    np.testing.assert_allclose(given, error[IDS != 0].sum() / (IDS != 0).sum(), rtol=1e-5)


def test_the_values_of_a_loss_of_ones_own_are_masked():
    def loss(target, prediction):
        return tf.square(target - prediction)[..., 0]

    model = tagger(keras)
    model.compile(loss=loss, optimizer="sgd")
    targets = Y[..., :1]
    given = model.evaluate(IDS, targets, verbose=0)
    error = np.square(targets - model.predict(IDS, verbose=0))[..., 0]
    np.testing.assert_allclose(given, error[IDS != 0].mean(), rtol=1e-5)


# ---- saving


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_models_with_masks_are_saved_and_loaded(tmp_path, ending):
    model = tagger(keras)
    model.compile(loss="mse", optimizer="sgd")
    model.fit(IDS, Y[..., :1], verbose=0)
    model.save(tmp_path / f"m{ending}")
    again = keras.models.load_model(tmp_path / f"m{ending}")
    assert again.evaluate(IDS, Y[..., :1], verbose=0) == model.evaluate(IDS, Y[..., :1], verbose=0)
    theirs = reference.keras().saving.load_model(tmp_path / f"m{ending}", compile=True)
    np.testing.assert_allclose(
        theirs.evaluate(IDS, Y[..., :1], verbose=0), model.evaluate(IDS, Y[..., :1], verbose=0), rtol=1e-5
    )


def test_a_lambda_keeps_its_mask():
    def reverse(inputs, mask):
        return tf.logical_not(mask)

    layer = keras.layers.Lambda(tf.nn.relu, mask=reverse)
    assert layer.supports_masking and not keras.layers.Lambda(tf.nn.relu).supports_masking
    config = registry.serialize_keras_object(layer)
    again = registry.deserialize_keras_object(config, {"reverse": reverse, "relu": tf.nn.relu})
    np.testing.assert_array_equal(again(with_mask(keras, X, STEPS))._keras_mask.numpy(), ~STEPS)
