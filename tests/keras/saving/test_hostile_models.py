"""Model files that lie: each is refused by one clear error, with no effect outside and no half-made model."""

import io
import json
import pathlib
import random
import socket
import sys

import h5py
import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core.errors import ModelFileError
from tensorsmith.keras.saving import archive, tree
from tests.keras.saving.models_in_use import CUSTOM

layers = keras.layers
X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with one compiled, trained model in each form."""
    folder = tmp_path_factory.mktemp("saved")
    a = keras.Input((3,), name="a")
    hidden = layers.Dense(4, activation="tanh", name="hidden")(a)
    model = keras.Model(a, layers.Add(name="sum")([layers.Dense(4, name="last")(hidden), hidden]))
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    model.fit(X, np.zeros((4, 4), "float32"), verbose=0)
    for name in ("m.keras", "m.h5", "m"):
        model.save(folder / name)
    model.save_weights(folder / "m.weights.h5")
    return folder


@pytest.fixture(autouse=True)
def nothing_is_opened_or_imported(monkeypatch):
    """Fails the test that connects, or imports a module because a file names it."""

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    before = set(sys.modules)
    yield
    assert not {name for name in set(sys.modules) - before if name.startswith(("antigravity", "this", "turtle"))}


def changed_archive(saved, tmp_path, change):
    """The .keras file with its config changed by `change(config)`."""
    stored = archive.read(str(saved / "m.keras"))
    stored.config = change(stored.config) or stored.config
    files = archive.members(stored)
    path = tmp_path / "hostile.keras"
    with open(path, "wb") as file:
        archive.pack(files, file)
    return path


def changed_h5(saved, tmp_path, change):
    """The .h5 file with its model_config changed the same way, and no checksum to tell."""
    path = tmp_path / "hostile.h5"
    path.write_bytes((saved / "m.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(change(config) or config)
        del file.attrs[tree.DIGEST]
    return path


def layer(config, name):
    return next(entry for entry in config["config"]["layers"] if entry["name"] == name)


def set_class(name, module=None):
    def change(config):
        layer(config, "hidden").update(class_name=name, module=module, registered_name=name)

    return change


def set_key(key, value, at="hidden"):
    def change(config):
        layer(config, at)["config"][key] = value

    return change


def function(name, module="builtins"):
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def set_shape(value):
    def change(config):
        entry = layer(config, "a")["config"]
        entry["batch_input_shape" if "batch_input_shape" in entry else "batch_shape"] = value

    return change


def set_top(key, value):
    def change(config):
        config["config"][key] = value

    return change


def call_in_a_circle(config):
    entry = layer(config, "hidden")
    entry["inbound_nodes"] = layer(config, "sum")["inbound_nodes"]


def self_made(number):
    def change(config):
        layer(config, "last")["inbound_nodes"] = [[["hidden", number, 0, {}]]]

    return change


HOSTILE = [
    (set_class("system", "os"), "layer  system  model 'functional'"),
    (set_class("os.system"), "is not known here"),
    (set_class("Popen", "subprocess"), "is not known here"),
    (set_class("antigravity", "antigravity"), "is not known here"),
    (set_class("load_model", "keras.saving"), "is not known here"),
    (set_class("get_file", "keras.utils"), "is not known here"),
    (set_class("Adam", "keras.optimizers"), "is not known here"),
    (set_class("__class__"), "is not known here"),
    (set_class("../../etc/passwd"), "is not known here"),
    (set_class("<script>alert(1)</script>\x1b[31m"), "is not known here"),
    (set_key("activation", function("system", "os")), "is not known here"),
    (set_key("activation", function("__import__")), "is not known here"),
    (set_key("activation", function("mean_squared_error")), "is not known here"),
    (set_key("activation", function("eval")), "is not known here"),
    (
        set_key("kernel_initializer", {"module": "os", "class_name": "system", "config": {"command": "true"}}),
        "is not known here",
    ),
    (set_key("kernel_regularizer", {"class_name": "Adam", "config": {}, "module": "keras.optimizers"}), "regularizer"),
    (set_key("units", 10**12), "cannot be loaded"),
    (set_key("units", 2**29), "is larger than all that is stored for it"),
    (set_key("units", 400_000), "is larger than all that is stored for it"),
    (set_key("units", -1), "cannot be loaded"),
    (set_key("units", "4"), "cannot be loaded"),
    (set_key("units", [4]), "cannot be loaded"),
    (set_key("units", None), "cannot be loaded"),
    (
        set_key("units", 5),
        "its config does not make a model (ValueError: |its config does not make a model (InvalidArgumentError: ",
    ),
    (set_key("use_bias", False), "its weights do not fit the model"),
    (set_key("surprise", 1), "surprise"),
    (set_key("activation", {"class_name": ["x"], "config": {}}), "cannot be loaded"),
    (set_shape([None, 2**40]), "has a size outside of [0, 2**31)"),
    (set_shape([None] * 40), "is too large"),
    (set_shape("abc"), "cannot be loaded"),
    (set_top("layers", "x"), "its layers are no list"),
    (set_top("layers", [1]), "it is no layer: 1"),
    (set_top("layers", []), "cannot be loaded"),
    (set_top("input_layers", None), "names no result of a layer"),
    (set_top("output_layers", [["nobody", 0, 0]]), "cannot be loaded"),
    (set_top("output_layers", [["hidden", 10**9, 0]]), "cannot be loaded"),
    (set_top("output_layers", [["hidden", -1, 0]]), "cannot be loaded"),
    (call_in_a_circle, "cannot be loaded"),
    (self_made(5), "cannot be loaded"),
    (self_made(-1), "cannot be loaded"),
    (lambda config: {"class_name": "Dense", "config": {"units": 1}, "module": "keras.layers"}, "describes no model"),
    (lambda config: {"class_name": "Adam", "config": {}, "module": "keras.optimizers"}, "is not known here"),
    (lambda config: {"class_name": "function", "config": "eval", "module": "builtins"}, "cannot be loaded|not known"),
    (lambda config: {"class_name": "Sequential", "config": []}, "cannot be loaded"),
    (lambda config: {"class_name": "Sequential", "config": "x"}, "cannot be loaded"),
    (lambda config: {"class_name": "__numpy__", "config": {"value": [1], "dtype": "float32"}}, "cannot be loaded"),
]


@pytest.mark.parametrize("form", [changed_archive, changed_h5])
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_config_that_lies(saved, tmp_path, form, number):
    change, text = HOSTILE[number]
    path = form(saved, tmp_path, change)
    floatx, seed_state = keras.config.floatx() if hasattr(keras, "config") else None, sys.getrecursionlimit()
    with pytest.raises(ModelFileError) as caught:
        keras.models.load_model(path)
    message = str(caught.value)
    assert path.name in message and len(message) <= 4000 and "\x1b" not in message
    assert any(part in message for part in text.split("|")), message
    assert sys.getrecursionlimit() == seed_state
    assert floatx is None or keras.config.floatx() == floatx


@pytest.mark.parametrize(
    ("optimizer", "text"),
    [
        ({"module": "os", "class_name": "system", "config": {"command": "true"}}, "is not known here"),
        ({"class_name": "Adam", "config": {"learning_rate": "fast"}}, "cannot be loaded"),
        (
            {"class_name": "Adam", "config": {"learning_rate": {"class_name": "Dense", "config": {"units": 1}}}},
            "cannot be loaded|not known",
        ),
        ({"class_name": "Dense", "config": {"units": 1}}, "is not known here"),
        ({"class_name": "Adam", "config": 3}, "cannot be loaded"),
        (7, "cannot be loaded"),
    ],
)
def test_a_compile_config_that_lies(saved, tmp_path, optimizer, text):
    def change(config):
        config["compile_config"]["optimizer"] = optimizer

    path = changed_archive(saved, tmp_path, change)
    with pytest.raises(ModelFileError) as caught:
        keras.models.load_model(path)
    assert any(part in str(caught.value) for part in text.split("|")), str(caught.value)
    assert not keras.models.load_model(path, compile=False).compiled


def test_stored_bytecode_is_refused_in_both_spellings_even_when_not_safe(saved, tmp_path):
    for code in (["4wAAAAA=", None, None], {"class_name": "__lambda__", "config": {"code": "4wAAAAA="}}):

        def change(config, code=code):
            layer(config, "hidden").update(class_name="Lambda", config={"name": "hidden", "function": code})

        for form in (changed_archive, changed_h5):
            path = form(saved, tmp_path, change)
            for safe in (True, False):
                with pytest.raises(
                    ModelFileError,
                    match=r"Lambda layer 'hidden': it holds Python code \(as bytecode\), which is not run",
                ):
                    keras.models.load_model(path, safe_mode=safe)


def test_text_of_code_runs_only_when_asked_for(saved, tmp_path):
    witness = tmp_path / "witness"
    source = f"lambda x: open({str(witness)!r}, 'w') and x"

    def change(config):
        layer(config, "hidden").update(
            class_name="Lambda",
            config={"name": "hidden", "function": {"class_name": "__lambda__", "config": {"source": source}}},
        )

    with pytest.raises(ModelFileError, match="it holds Python code"):
        keras.models.load_model(changed_archive(saved, tmp_path, change))
    assert not witness.exists()


def with_weights(saved, tmp_path, change):
    stored = archive.read(str(saved / "m.keras"))
    change(stored.weights)
    path = tmp_path / "weights.keras"
    with open(path, "wb") as file:
        archive.pack(archive.members(stored), file)
    return path


def swap_dtype(weights):
    weights.group("layers/dense/vars").children["1"] = (
        np.asarray(["1", "2", "3", "4"], "U1").astype("int8").astype("complex64").real.astype("bool")
    )


WEIGHTS = [
    (lambda w: w.group("layers/dense").children.pop("vars"), "layers/dense: the file has no weights for it"),
    (lambda w: w.group("layers/dense/vars").children.pop("0"), "arrays should be named 0, 1, ..."),
    (lambda w: w.put("layers/dense/vars/2", np.zeros(1)), "layers/dense: the model has 2 "),
    (
        lambda w: w.put("layers/extra/vars/0", np.zeros(1)),
        "layers/extra: the model has nothing that these go into ((1,))",
    ),
    (lambda w: w.put("stray", np.zeros(1)), "an array stands where a group was expected"),
    (
        lambda w: w.group("layers/dense/vars").children.update({"0": np.zeros((4, 3), "float32")}),
        "has shape (3, 4), the file (4, 3)",
    ),
    (
        lambda w: w.group("layers/dense/vars").children.update({"1": np.zeros((1, 4), "float32")}),
        "has shape (4,), the file (1, 4)",
    ),
    (
        lambda w: w.group("layers/dense/vars").children.update({"1": np.full(4, 1e300)}),
        "is float32, the file has float64",
    ),
    (swap_dtype, "is float32, the file has bool"),
    (lambda w: w.group("layers/dense/vars/0x/vars"), "a group stands|arrays should be named"),
    (
        lambda w: w.group("optimizer/vars").children.update({"0": np.asarray(2.5)}),
        "the state of its optimizer does not fit Adam",
    ),
    (lambda w: w.group("optimizer/vars").children.popitem(), "arrays should be named|does not fit Adam"),
]


@pytest.mark.parametrize("number", range(len(WEIGHTS)))
def test_weights_that_lie(saved, tmp_path, number):
    change, text = WEIGHTS[number]
    with pytest.raises(ModelFileError) as caught:
        keras.models.load_model(with_weights(saved, tmp_path, change))
    assert any(part in str(caught.value) for part in text.split("|")), str(caught.value)


def test_wider_numbers_that_fit_are_converted(saved, tmp_path):
    def change(weights):
        group = weights.group("layers/dense/vars")
        group.children["0"] = group.children["0"].astype("float64")
        group.children["1"] = np.arange(4, dtype="int32")

    model = keras.models.load_model(with_weights(saved, tmp_path, change))
    np.testing.assert_array_equal(model.get_layer("hidden").bias.numpy(), np.arange(4, dtype="float32"))
    assert model.get_layer("hidden").kernel.numpy().dtype == np.dtype("float32")


def loads(path):
    """What a file gives: its weights and predictions; None for a clear refusal. Any other exception fails the test."""
    try:
        model = keras.models.load_model(path)
    except ModelFileError:
        return None
    return b"".join(
        np.asarray(value).tobytes()
        for value in [*model.get_weights(), model(X), *(v.numpy() for v in model.optimizer.variables)]
    )


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_model_file_cut_anywhere_is_refused(saved, tmp_path, name):
    data = (saved / name).read_bytes()
    path = tmp_path / name
    for at in range(25):
        path.write_bytes(data[: len(data) * at // 25])
        assert loads(path) is None, at


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_flipped_bit_is_noticed_or_changes_nothing(saved, tmp_path, name):
    data, rng, path = (saved / name).read_bytes(), random.Random(20240613), tmp_path / name
    wanted = loads(saved / name)
    full = [place for place, byte in enumerate(data) if byte]
    found = []
    for _ in range(50):
        damaged = bytearray(data)
        damaged[rng.choice(full)] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        found.append(loads(path))
        assert found[-1] in (None, wanted)
    assert found.count(None) > 25


def test_flips_in_weights_alone(saved, tmp_path):
    data, rng, path = (saved / "m.weights.h5").read_bytes(), random.Random(20240614), tmp_path / "w.weights.h5"
    model = keras.models.load_model(saved / "m.keras", compile=False)
    wanted = [v.copy() for v in model.get_weights()]
    full = [place for place, byte in enumerate(data) if byte]
    refused = 0
    for _ in range(50):
        damaged = bytearray(data)
        damaged[rng.choice(full)] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            model.load_weights(path)
        except ModelFileError:
            refused += 1
        for value, now in zip(wanted, model.get_weights(), strict=True):
            np.testing.assert_array_equal(value, now)
    assert refused > 25


def test_other_files_and_weights_in_place_of_a_model(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no model file at"):
        keras.models.load_model(tmp_path / "absent.keras")
    with pytest.raises(
        ModelFileError, match=r"it holds weights only, no model. Make the model in code, and call model.load_weights"
    ):
        keras.models.load_model(saved / "m.weights.h5")
    (tmp_path / "page.keras").write_text("<!doctype html><html>404</html>")
    with pytest.raises(ModelFileError, match="it is a web page"):
        keras.models.load_model(tmp_path / "page.keras")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFileError, match=r"it has no metadata.json"):
        keras.models.load_model(tmp_path / "empty")


def test_forms_are_told_by_content(saved, tmp_path):
    (tmp_path / "a.h5").write_bytes((saved / "m.keras").read_bytes())
    (tmp_path / "b.keras").write_bytes((saved / "m.h5").read_bytes())
    for name in ("a.h5", "b.keras"):
        assert loads(tmp_path / name) is not None


def test_a_failing_load_leaves_nothing_behind(saved, tmp_path):
    """The next load, and models made in code, work as before."""
    for change, _ in HOSTILE[:20]:
        with pytest.raises(ModelFileError):
            keras.models.load_model(changed_archive(saved, tmp_path, change))
    assert loads(saved / "m.keras") is not None
    with pytest.raises(ValueError, match=r"is not known here|unknown"):
        layers.Dense(1, activation="my_softplus")
    keras.Sequential([keras.Input((10,)), layers.Dense(200_000)])  # no limit of a load is left


def test_custom_objects_are_not_kept(keras_files):
    keras.models.load_model(keras_files / "custom.k3.keras", custom_objects=CUSTOM)
    with pytest.raises(ModelFileError, match="6 custom parts"):
        keras.models.load_model(keras_files / "custom.k3.keras")


def test_nothing_else_is_opened(saved, monkeypatch):
    opened = []
    real = io.open

    def noted(file, *args, **kwargs):
        opened.append(str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", noted)
    monkeypatch.setattr(io, "open", noted)
    for name in ("m.keras", "m.h5"):
        assert keras.models.load_model(saved / name, compile=False) is not None
    assert {pathlib.Path(path).name for path in opened} <= {"m.keras", "m.h5"}
    assert tf is not None
