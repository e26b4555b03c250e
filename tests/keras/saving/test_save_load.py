"""Our own files: what is saved comes back, saving changes nothing, and a failure changes nothing."""

import os
import pathlib
import warnings

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange import atomic
from tensorsmith.keras.saving import archive, tree
from tests.keras.saving import models_in_use
from tests.keras.saving.models_in_use import CUSTOM

layers = keras.layers
ENDINGS = (".keras", ".h5", "")
NAMES = ("chapter", "custom", "functional", "nested", "subclassed")
X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
Y = X[:, :1] * 2


@pytest.fixture(scope="module")
def trained():
    return models_in_use.trained()


def outputs_of(model, inputs):
    outputs = model(inputs if len(inputs) > 1 else inputs[0])
    return [np.asarray(output) for output in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def state_of(model):
    return [v.numpy() for v in [*model.weights, *(model.optimizer.variables if model.optimizer else [])]]


def same_state(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def small(units=3, **kwargs):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(units, activation="tanh", **kwargs), layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), metrics=["mae"])
    return model


@pytest.fixture(scope="module")
def fitted():
    model = small()
    model.fit(X, Y, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_model_comes_back_with_the_state_of_its_optimizer(trained, tmp_path, name, ending):
    model, inputs = trained[name]
    before = state_of(model)
    model.save(tmp_path / f"größe {name}{ending}")
    same_state(state_of(model), before)
    loaded = keras.models.load_model(tmp_path / f"größe {name}{ending}", custom_objects=CUSTOM)
    for one, other in zip(outputs_of(model, inputs), outputs_of(loaded, inputs), strict=True):
        np.testing.assert_array_equal(one, other)
    assert type(loaded).__name__ == type(model).__name__ and type(loaded.optimizer) is type(model.optimizer)
    if name != "nested":  # that one was never trained, so its optimizer has no slots to save
        found, wanted = state_of(loaded), before
        assert len(found) == len(wanted)
        for a, b in zip(found, wanted, strict=True):
            # Nadam's running product is computed anew from an .h5 file
            np.testing.assert_allclose(a, b, rtol=2e-6 if ending == ".h5" and a.shape == () else 0)
    if name in ("chapter", "custom", "subclassed"):
        loaded.fit(X, Y, epochs=1, verbose=0)
        assert any((a != b).any() for a, b in zip(state_of(loaded), before, strict=True))


@pytest.mark.parametrize("dialect", ["common", "k2", "k3"])
@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", NAMES)
def test_every_dialect_is_read_back(trained, tmp_path, name, ending, dialect):
    model, inputs = trained[name]
    path = tmp_path / f"m{ending}"
    keras.saving.save_model(model, path, dialect=dialect)
    loaded = keras.models.load_model(path, custom_objects=CUSTOM)
    for one, other in zip(outputs_of(model, inputs), outputs_of(loaded, inputs), strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(loaded.optimizer.iterations.numpy()) == int(model.optimizer.iterations.numpy())


@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ""])
@pytest.mark.parametrize("name", NAMES)
def test_weights_alone(trained, tmp_path, name, ending):
    model, inputs = trained[name]
    before = [v.numpy() for v in model.weights]
    model.save_weights(tmp_path / f"w{ending}")
    wanted = outputs_of(model, inputs)
    try:
        for variable in model.weights:
            variable.assign(np.zeros(tuple(variable.shape), "float32"))
        model.load_weights(tmp_path / f"w{ending}")
        same_state([v.numpy() for v in model.weights], before)
        for one, other in zip(outputs_of(model, inputs), wanted, strict=True):
            np.testing.assert_array_equal(one, other)
    finally:
        for variable, value in zip(model.weights, before, strict=True):
            variable.assign(value)


def test_save_load_save_gives_the_same_file(fitted, tmp_path):
    for ending in (".keras", ".h5"):
        one, two = tmp_path / f"one{ending}", tmp_path / f"two{ending}"
        fitted.save(one)
        keras.models.load_model(one).save(two)
        if ending == ".h5":
            assert one.read_bytes() == two.read_bytes()
        else:
            first, second = archive.read(str(one)), archive.read(str(two))
            assert first.config == second.config and tree.digest(first.weights) == tree.digest(second.weights)


def test_training_goes_on_as_if_there_had_been_no_file(tmp_path):
    def steps(model, epochs):
        model.fit(X, Y, epochs=epochs, batch_size=2, shuffle=False, verbose=0)

    for ending in ENDINGS:
        model = small()
        steps(model, 2)
        model.save(tmp_path / f"half{ending}")
        loaded = keras.models.load_model(tmp_path / f"half{ending}")
        steps(model, 2), steps(loaded, 2)
        same_state(state_of(loaded), state_of(model))


def test_without_the_optimizer(fitted, tmp_path):
    for ending in ENDINGS:
        fitted.save(tmp_path / f"m{ending}", include_optimizer=False)
        loaded = keras.models.load_model(tmp_path / f"m{ending}")
        assert not loaded.compiled
        np.testing.assert_array_equal(loaded(X), fitted(X))


class NoConfig(keras.Model):
    """No get_config; its constructor takes a plain value."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [layers.Dense(units, activation="relu"), layers.Dense(units)]
        self.last = layers.Dense(1)

    def call(self, inputs):
        return self.last(self.hidden[1](self.hidden[0](inputs)))


def test_a_folder_finds_the_classes_of_this_process_and_a_file_does_not(tmp_path):
    model = NoConfig(4)
    model.compile(loss="mse", optimizer="adam")
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "folder")
    loaded = keras.models.load_model(tmp_path / "folder")
    assert type(loaded) is NoConfig
    np.testing.assert_array_equal(loaded(X), model(X))
    loaded.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ModelFileError, match=r"1 custom part of .*m.keras' is not known here:\n  model  NoConfig"):
        keras.models.load_model(tmp_path / "m.keras")
    assert type(keras.models.load_model(tmp_path / "m.keras", custom_objects={"NoConfig": NoConfig})) is NoConfig


@pytest.mark.parametrize("ending", [".ckpt", ".tf"])
def test_names_that_keras_2_code_gives_to_folders_and_checkpoints(fitted, tmp_path, ending):
    fitted.save(tmp_path / f"whole{ending}")
    fitted.save_weights(tmp_path / f"weights{ending}")
    assert (tmp_path / f"whole{ending}").is_dir()
    again = keras.models.load_model(tmp_path / f"whole{ending}")
    np.testing.assert_array_equal(again(X), fitted(X))
    again.set_weights([w * 0 for w in again.get_weights()])
    again.load_weights(tmp_path / f"weights{ending}")
    np.testing.assert_array_equal(again(X), fitted(X))


def test_the_class_given_wins_over_the_one_that_a_folder_finds(tmp_path):
    model = NoConfig(4)
    model(X)
    model.save(tmp_path / "folder")

    class Other(NoConfig):
        pass

    assert type(keras.models.load_model(tmp_path / "folder", custom_objects={"NoConfig": Other})) is Other


# ---- what does not fit


def test_weights_that_do_not_fit_change_nothing(fitted, tmp_path):
    for ending in (".weights.h5", ".h5", ".keras"):
        path = tmp_path / f"w{ending}"
        fitted.save(path) if ending == ".keras" else fitted.save_weights(path)
        other = small(4)
        before = state_of(other)
        with pytest.raises(ModelFileError) as caught:
            other.load_weights(path)
        text = str(caught.value)
        assert f"The model file '{path}' cannot be loaded: its weights do not fit the model '{other.name}':\n" in text
        assert "kernel has shape (3, 4), the file (3, 3)" in text and "kernel has shape (4, 1), the file (3, 1)" in text
        same_state(state_of(other), before)


def test_missing_and_left_over_weights_are_told(fitted, tmp_path):
    fitted.save_weights(tmp_path / "w.weights.h5")
    deeper = keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.Dense(1), layers.Dense(2)])
    with pytest.raises(ModelFileError) as caught:
        deeper.load_weights(tmp_path / "w.weights.h5")
    assert str(caught.value).endswith("  layers/dense_2: the file has no weights for it (needed: (1, 2), (2,)).")
    shallow = keras.Sequential([keras.Input((3,)), layers.Dense(3)])
    with pytest.raises(ModelFileError) as caught:
        shallow.load_weights(tmp_path / "w.weights.h5")
    assert str(caught.value).endswith("  layers/dense_1: the model has nothing that these go into ((3, 1), (1,)).")
    fitted.save_weights(tmp_path / "w.h5")
    with pytest.raises(ModelFileError, match=r"the model has 3 layers with weights \(.*\), the file 2 \("):
        deeper.load_weights(tmp_path / "w.h5")


def test_a_model_without_weights_yet_says_what_to_do(fitted, tmp_path):
    fitted.save_weights(tmp_path / "w.h5")
    fitted.save_weights(tmp_path / "w.weights.h5")
    for name in ("w.h5", "w.weights.h5"):
        with pytest.raises(ModelFileError, match=r"[Cc]all .* on data"):
            keras.Sequential([layers.Dense(3), layers.Dense(1)]).load_weights(tmp_path / name)
    with pytest.raises(ValueError, match="has no weights to save yet: call it on data"):
        NoConfig(3).save_weights(tmp_path / "x.weights.h5")
    with pytest.raises(ValueError, match=r"cannot be saved yet: it has no weights. Call it on data"):
        NoConfig(3).save(tmp_path / "x.keras")


def test_skip_mismatch_loads_what_fits_with_one_warning(fitted, tmp_path):
    fitted.save_weights(tmp_path / "w.weights.h5")
    other = keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.Dense(2)])
    last = other.layers[1].get_weights()
    with pytest.warns(UserWarning, match="skipped, as they do not fit:\n  layers/dense_1: .*shape") as told:
        other.load_weights(tmp_path / "w.weights.h5", skip_mismatch=True)
    assert len(told) == 1
    same_state(other.layers[0].get_weights(), fitted.layers[0].get_weights())
    same_state(other.layers[1].get_weights(), last)


def test_by_name_loads_the_layers_of_those_names(tmp_path):
    def model(*names):
        return keras.Sequential([keras.Input((3,)), *(layers.Dense(3, name=name) for name in names)])

    source, target = model("a", "b", "c"), model("x", "c", "a")
    source.save_weights(tmp_path / "w.h5")
    kept = target.layers[0].get_weights()
    target.load_weights(tmp_path / "w.h5", by_name=True)
    same_state(target.layers[0].get_weights(), kept)
    same_state(target.layers[1].get_weights(), source.layers[2].get_weights())
    same_state(target.layers[2].get_weights(), source.layers[0].get_weights())


def test_optimizer_state_that_does_not_fit_is_an_error_unless_not_compiled(fitted, tmp_path):
    path = tmp_path / "m.keras"
    fitted.save(path)
    stored = archive.read(str(path))
    del stored.weights.group("optimizer/vars").children["5"]
    stored.weights.group("optimizer/vars").children["5"] = np.zeros((7, 7), "float32")
    with open(path, "wb") as file:
        archive.pack(archive.members(stored), file)
    with pytest.raises(
        ModelFileError, match=r"the state of its optimizer does not fit Adam:\n  the optimizer has 10 .*\n  the file 10"
    ) as caught:
        keras.models.load_model(path)
    assert str(caught.value).endswith("load_model(..., compile=False) leaves the optimizer out.")
    np.testing.assert_array_equal(keras.models.load_model(path, compile=False)(X), fitted(X))


def test_values_that_are_not_finite_load_with_one_warning(tmp_path):
    model = small()
    model.layers[0].kernel.assign(np.full((3, 3), np.nan, "float32"))
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="m.keras' holds values that are not finite, in .*kernel") as told:
        loaded = keras.models.load_model(tmp_path / "m.keras")
    assert len(told) == 1 and np.isnan(loaded.layers[0].kernel.numpy()).all()


# ---- saving that fails


class Stubborn(layers.Layer):
    def call(self, inputs):
        return inputs

    def get_config(self):
        raise RuntimeError("not today")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failing_get_config_leaves_the_old_file_and_names_the_target(fitted, tmp_path, ending):
    path = tmp_path / f"m{ending}"
    fitted.save(path)

    def content():
        files = [path] if path.is_file() else sorted(path.iterdir())
        return [file.read_bytes() for file in files]

    before = content()
    model = keras.Sequential([keras.Input((3,)), Stubborn()])
    with pytest.raises(RuntimeError, match="not today") as caught:
        model.save(path)
    assert f"to '{path}', which was left as it is" in "".join(caught.value.__notes__)
    assert content() == before and os.listdir(tmp_path) == [path.name]


def test_a_config_that_json_cannot_hold(tmp_path):
    class Odd(layers.Layer):
        def call(self, inputs):
            return inputs

        def get_config(self):
            return {**super().get_config(), "odd": object()}

    with pytest.raises(TypeError, match="object"):
        keras.Sequential([keras.Input((3,)), Odd()]).save(tmp_path / "m.keras")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
def test_an_interrupted_save_leaves_the_old_file(fitted, tmp_path, ending, monkeypatch):
    path = tmp_path / f"m{ending}"
    save = fitted.save_weights if ending == ".weights.h5" else fitted.save
    save(path)
    before = path.read_bytes()
    for moment in ("created", "written", "checked"):

        def interrupt():
            raise KeyboardInterrupt

        monkeypatch.setitem(atomic.hooks, moment, interrupt)
        with pytest.raises(KeyboardInterrupt):
            save(path)
        monkeypatch.delitem(atomic.hooks, moment)
        assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


def test_targets_and_arguments_that_cannot_work(fitted, tmp_path):
    for name, text in (("m.onnx", "the ending '.onnx' is not known. Use .keras or .h5, or a name without ending"),):
        with pytest.raises(ValueError, match=text):
            fitted.save(tmp_path / name)
    with pytest.raises(ValueError, match="save_format must be 'keras', 'h5' or 'tf'; given 'pickle'"):
        fitted.save(tmp_path / "m", save_format="pickle")
    with pytest.raises(ValueError, match="dialect must be one of common, k2, k3; given 'k4'"):
        fitted.save(tmp_path / "m.h5", dialect="k4")
    with pytest.raises(TypeError, match="save\\(\\) got unexpected arguments: 'colour'"):
        fitted.save(tmp_path / "m.h5", colour=1)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        fitted.save(tmp_path / "no" / "m.h5")
    with pytest.raises(ValueError, match=r"the ending '.json' is not known. Use .weights.h5 or .h5"):
        fitted.save_weights(tmp_path / "w.json")
    assert os.listdir(tmp_path) == []
    fitted.save(tmp_path / "model_v1.2")
    fitted.save(tmp_path / "m", save_format="h5")
    assert (tmp_path / "model_v1.2").is_dir() and (tmp_path / "m").is_file()
    with pytest.raises(FileExistsError):
        fitted.save(tmp_path / "m", save_format="h5", overwrite=False)


# ---- shapes of models


def test_a_thousand_layers(tmp_path):
    long = "a_rather_long_name_of_a_layer_so_that_the_list_of_names_needs_several_attributes_in_the_file"
    model = keras.Sequential([keras.Input((1,)), *(layers.Dense(1, name=f"{long}_{n}") for n in range(1000))])
    model.save(tmp_path / "m.h5")
    content = tree.read(str(tmp_path / "m.h5"), "m.h5", 10**9).group("model_weights")
    assert "layer_names" not in content.attributes and len(content.strings("layer_names")) == 1000
    loaded = keras.models.load_model(tmp_path / "m.h5")
    same_state(loaded.get_weights(), model.get_weights())


class Everywhere(keras.Model):
    """Layers in lists, dicts and tuples of each other, one of them twice, and a weight of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.zebra = layers.Dense(2)
        self.blocks = {"b": [layers.Dense(2), (layers.Dense(2), layers.Dense(2))], "a": layers.Dense(2)}
        self._hidden = layers.Dense(2)
        self.again = self.zebra
        self.scale = self.add_weight(name="scale", shape=(2,), initializer="ones")

    def call(self, inputs):
        first, (second, third) = self.blocks["b"]
        for layer in (self.zebra, first, second, third, self.blocks["a"], self._hidden, self.again):
            inputs = layer(inputs)
        return inputs * self.scale


@pytest.mark.parametrize("ending", [".weights.h5", ".keras", ".h5", ""])
def test_layers_in_containers_of_every_kind(tmp_path, ending):
    x = X[:, :2]
    model, other = Everywhere(), Everywhere()
    model(x), other(x)
    for number, variable in enumerate(model.weights):
        variable.assign(np.full(tuple(variable.shape), 0.1 * (number + 1), "float32"))
    if ending == ".weights.h5":
        model.save_weights(tmp_path / "w.weights.h5")
        other.load_weights(tmp_path / "w.weights.h5")
    else:
        model.save(tmp_path / f"m{ending}")
        other = keras.models.load_model(tmp_path / f"m{ending}", custom_objects={"Everywhere": Everywhere})
    same_state([v.numpy() for v in other.weights], [v.numpy() for v in model.weights])
    np.testing.assert_array_equal(other(x), model(x))


class Counting(layers.Layer):
    """Makes a weight that is not trained before one that is, of the same shape."""

    def build(self, input_shape):
        self.offset = self.add_weight(name="offset", shape=(input_shape[-1],), initializer="zeros", trainable=False)
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.factor + self.offset


def test_trained_weights_stand_before_the_others(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Counting()])
    model.layers[0].factor.assign([2.0, 3.0, 4.0])
    model.save_weights(tmp_path / "w.weights.h5")
    model.save_weights(tmp_path / "w.h5")
    for name, first in (("w.weights.h5", "layers/counting/vars/0"), ("w.h5", f"{model.layers[0].name}")):
        content = tree.read(str(tmp_path / name), name, 10**6)
        if name == "w.h5":
            first += "/" + content.group(first).strings("weight_names")[0]
        np.testing.assert_array_equal(content.at(first), [2.0, 3.0, 4.0])


# ---- Lambda


@pytest.mark.parametrize("safe_mode", [True, False])
def test_a_lambda_needs_its_function_whatever_the_flag(tmp_path, safe_mode):
    model = keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: tf.exp(x) * 2, name="double")])
    for ending in (".keras", ".h5"):
        path = tmp_path / f"m{ending}"
        model.save(path)
        with pytest.raises(ModelFileError) as caught:
            keras.models.load_model(path, safe_mode=safe_mode)
        assert str(caught.value).startswith(
            f"The model file '{path}' cannot be loaded: in Lambda layer 'double': it holds Python code "
            "(as text), which is not run. Give the function itself: "
            'load_model(..., custom_objects={"double": function}). The code reads: '
        )
        given = keras.models.load_model(path, custom_objects={"double": lambda x: tf.exp(x) * 2})
        np.testing.assert_array_equal(given(X), model(X))


def test_a_tensorflow_checkpoint_is_told_by_name(fitted, tmp_path):
    (tmp_path / "ckpt.index").write_bytes(b"")
    with pytest.raises(ModelFileError, match="it is a TensorFlow checkpoint, which is not read here"):
        fitted.load_weights(tmp_path / "ckpt")


def test_saving_says_which_values_a_function_loses(tmp_path):
    def make(threshold):
        def loss(y_true, y_pred):
            return tf.abs(y_true - y_pred) * threshold

        return loss

    model = small()
    model.compile(loss=make(2.0), optimizer="sgd")
    with pytest.warns(UserWarning, match=r"holds only the names of functions.*\(loss: threshold=2.0\)"):
        model.save(tmp_path / "m.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = keras.models.load_model(tmp_path / "m.h5", custom_objects={"loss": make(3.0)})
    assert loaded.evaluate(X, Y, verbose=0) == pytest.approx(1.5 * model.evaluate(X, Y, verbose=0))


def test_h5py_is_not_imported_before_the_first_save():
    from tests.support.process import python

    code = "import sys, tensorsmith; from tensorsmith import keras; keras.models; print('h5py' in sys.modules)"
    done = python("-c", code, cwd=pathlib.Path.cwd())
    assert done.stdout.split()[0] == "False", done.stderr
