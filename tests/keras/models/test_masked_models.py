"""Masks through models, into losses and metrics, and through files; real Keras is the truth."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras import registry
from tests.support import reference
from tests.support.masks import IDS, RNG, STEPS, Needs, Sum, X, Y, weights_of, with_mask


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
