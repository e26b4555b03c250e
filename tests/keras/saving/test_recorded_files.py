"""Files that both Keras generations wrote: the same predictions, and training goes on from where it was."""

import numpy as np
import pytest

from tensorsmith import keras
from tests.keras.saving.models_in_use import CUSTOM, PARTS

GENERATIONS = ("k2", "k3")
WHOLE = [(name, ending) for name in ("chapter", "custom", "functional", "nested") for ending in (".h5", ".keras")]
WHOLE.append(("subclassed", ".keras"))
OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam", "adamax", "nadam", "adagrad", "adadelta", "ftrl", "lion", "ema")


def inputs_of(arrays):
    inputs = [arrays[f"x{number}"] for number in range(3) if f"x{number}" in arrays]
    return inputs if len(inputs) > 1 else inputs[0]


def outputs_of(model, inputs):
    outputs = model(inputs)
    return [np.asarray(output) for output in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def same_outputs(model, arrays):
    for number, output in enumerate(outputs_of(model, inputs_of(arrays))):
        np.testing.assert_allclose(output, arrays[f"y{number}"], rtol=1e-5, atol=1e-6)
    assert f"y{number + 1}" not in arrays


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(("name", "ending"), WHOLE)
def test_whole_models(keras_files, recorded_arrays, name, generation, ending):
    model = keras.models.load_model(keras_files / f"{name}.{generation}{ending}", custom_objects=CUSTOM)
    same_outputs(model, recorded_arrays(name, generation))
    assert model.compiled


def goes_on(model, arrays, tolerance):
    """Trains one epoch as the recorded model did, compares the loss, and gives the predictions after it."""
    history = model.fit(arrays["x0"], arrays["target"], epochs=1, batch_size=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"][0], arrays["loss"], rtol=tolerance)
    return model.predict(arrays["x0"], verbose=0)


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_keras_2_optimizers(keras_files, recorded_arrays, name, ending):
    model = keras.models.load_model(keras_files / f"opt_{name}.k2{ending}")
    arrays = recorded_arrays(f"opt_{name}", "k2")
    # Keras 2's Nadam multiplies its momenta once for each variable while traced; ours is the one of the paper
    after = goes_on(model, arrays, 1e-3 if name == "nadam" else 1e-5)
    if name != "ema":  # there fit ends by putting the averages in place
        np.testing.assert_allclose(after, arrays["after"], rtol=1e-3 if name == "nadam" else 1e-5, atol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_keras_3_optimizers(keras_files, recorded_arrays, name):
    model = keras.models.load_model(keras_files / f"opt_{name}.k3.keras")
    arrays = recorded_arrays(f"opt_{name}", "k3")
    after = goes_on(model, arrays, 1e-5)
    if name != "ema":
        np.testing.assert_allclose(after, arrays["after"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["momentum", "nadam", "adam", "rmsprop"])
def test_without_its_state_an_optimizer_would_go_elsewhere(keras_files, recorded_arrays, name):
    """Guards the tests above: the state that they restore makes a difference larger than they allow."""
    path = keras_files / f"opt_{name}.k3.keras"
    restored, fresh = keras.models.load_model(path), keras.models.load_model(path)
    for variable in fresh.optimizer.variables[2:]:
        variable.assign(np.zeros(variable.shape, variable.dtype.numpy_dtype))
    arrays = recorded_arrays(f"opt_{name}", "k3")
    goes_on(restored, arrays, 1e-5)
    fresh.fit(arrays["x0"], arrays["target"], epochs=1, batch_size=2, shuffle=False, verbose=0)
    assert np.abs(fresh.predict(arrays["x0"], verbose=0) - arrays["after"]).max() > 4e-3


def chapter():
    layers = keras.layers
    return keras.Sequential([keras.Input((3,)), layers.Dense(5, activation="selu"), layers.Dense(1)])


def custom():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, activation="relu"),
            PARTS["MyDense"](3, activation="tanh"),
            layers.Dense(1, activation=PARTS["my_softplus"]),
        ]
    )


def functional():
    layers = keras.layers
    deep, wide = keras.Input((3,)), keras.Input((2,))
    hidden = layers.Dense(4, activation="relu")(deep)
    hidden = layers.LayerNormalization()(layers.BatchNormalization()(hidden))
    hidden = layers.Dropout(0.25)(hidden)
    return keras.Model([deep, wide], [layers.Dense(1)(layers.Concatenate()([wide, hidden])), layers.Dense(2)(hidden)])


def nested():
    layers = keras.layers
    shared = layers.Dense(3, activation="tanh")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.ReLU()])
    a = keras.Input((3,))
    once = shared(a)
    return keras.Model(a, inner(layers.Add()([once, shared(once), layers.Activation("sigmoid")(a)])))


def subclassed():
    model = PARTS["ResidualRegressor"](1)
    model(np.zeros((1, 3), "float32"))
    return model


WEIGHTS = [
    (make, generation, ".weights.h5")
    for make in (chapter, custom, functional, nested, subclassed)
    for generation in GENERATIONS
]
WEIGHTS += [
    (make, generation, ending)
    for make in (chapter, functional)
    for generation in GENERATIONS
    for ending in (".h5", ".keras")
]
WEIGHTS += [(nested, "k2", ".w.h5"), (subclassed, "k2", ".w.h5")]


@pytest.mark.parametrize(("make", "generation", "ending"), WEIGHTS)
def test_weights_into_a_model_made_in_code(keras_files, recorded_arrays, make, generation, ending):
    model, arrays = make(), recorded_arrays(make.__name__, generation)
    assert not np.allclose(outputs_of(model, inputs_of(arrays))[0], arrays["y0"])
    model.load_weights(keras_files / f"{make.__name__}.{generation}{ending}")
    same_outputs(model, arrays)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_one_error_lists_every_missing_part(keras_files, generation, ending):
    path = keras_files / f"custom.{generation}{ending}"
    reduction = {
        "k2": "{'reduction': 'sum_over_batch_size', 'name': None, ",
        "k3": "{'name': 'huber_loss', 'reduction': 'sum_over_batch_size', ",
    }
    with pytest.raises(ValueError) as caught:
        keras.models.load_model(str(path))
    assert str(caught.value) == (
        f"6 custom parts of '{path}' are not known here:\n"
        "  layer        MyDense              model 'sequential_1'  config {'name': 'my_dense', 'trainable': True, "
        "'dtype': 'float32', 'units': 3, 'activation': 'tanh'}\n"
        "  activation   my_softplus          layer 'dense_3'\n"
        "  initializer  my_initializer       layer 'dense_3'\n"
        "  regularizer  MyL1Regularizer      layer 'dense_3'       config {'factor': 0.01}\n"
        "  constraint   my_positive_weights  layer 'dense_3'\n"
        f"  loss         HuberLoss            compile               config {reduction[generation]}'threshold': 2.0}}\n"
        "Load with:\n"
        f'  keras.models.load_model("{path}", custom_objects={{"MyDense": MyDense, "my_softplus": my_softplus, '
        '"my_initializer": my_initializer, "MyL1Regularizer": MyL1Regularizer, '
        '"my_positive_weights": my_positive_weights, "HuberLoss": HuberLoss})'
    )


def test_without_compiling_no_loss_is_needed(keras_files):
    parts = {name: part for name, part in CUSTOM.items() if name != "HuberLoss"}
    model = keras.models.load_model(keras_files / "custom.k3.h5", custom_objects=parts, compile=False)
    assert not model.compiled
    with pytest.raises(ValueError, match=r"1 custom part of .* is not known here:\n  loss  HuberLoss"):
        keras.models.load_model(keras_files / "custom.k3.h5", custom_objects=parts)
