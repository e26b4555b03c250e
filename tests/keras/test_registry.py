"""Names and configs: every form that both generations of Keras write, and what is refused."""

import sys

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core.errors import ModelFileError
from tensorsmith.core.specs import TensorSpec
from tensorsmith.keras import missing, names, registry
from tests.support import reference


def my_activation(x):
    return tf.nn.softplus(x)


class MyRegularizer(keras.regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weights):
        return self.factor * tf.reduce_sum(tf.abs(weights))

    def get_config(self):
        return {"factor": self.factor}


@pytest.fixture(autouse=True)
def nothing_stays_registered():
    before, known = dict(names._registered), dict(names._registered_names)
    yield
    for table, old in ((names._registered, before), (names._registered_names, known)):
        table.clear()
        table.update(old)
    assert not names._local.scopes


# ---- objects to configs


def test_a_built_in_object():
    assert registry.serialize_keras_object(keras.regularizers.L2(0.5)) == {
        "module": "keras.regularizers",
        "class_name": "L2",
        "config": {"l2": 0.5},
        "registered_name": None,
    }


def test_a_users_object():
    config = registry.serialize_keras_object(MyRegularizer(0.5))
    assert config == {
        "module": __name__,
        "class_name": "MyRegularizer",
        "config": {"factor": 0.5},
        "registered_name": "MyRegularizer",
    }
    registry.register_keras_serializable("mine")(MyRegularizer)
    config = registry.serialize_keras_object(MyRegularizer(0.5))
    assert (config["module"], config["registered_name"]) == (None, "mine>MyRegularizer")


def test_a_class_of_main_has_no_module(monkeypatch):
    monkeypatch.setattr(MyRegularizer, "__module__", "__main__")
    assert registry.serialize_keras_object(MyRegularizer(0.5))["module"] is None


def test_functions():
    own = {"module": "builtins", "class_name": "function", "config": "my_activation", "registered_name": "function"}
    assert registry.serialize_keras_object(my_activation) == own == keras.activations.serialize(my_activation)
    assert keras.activations.serialize(keras.activations.selu) == "selu"
    assert registry.serialize_keras_object(keras.activations.selu) == {**own, "config": "selu"}
    registry.register_keras_serializable("mine", name="act")(my_activation)
    assert registry.serialize_keras_object(my_activation)["config"] == "mine>act"


def test_a_lambda_is_kept_as_text():
    config = registry.serialize_keras_object(lambda x: x + 1)
    assert config["class_name"] == "__lambda__" and "lambda x: x + 1" in config["config"]["source"]


def test_the_rest_of_what_configs_hold():
    given = {
        "shape": tf.TensorShape([None, 3]),
        "dtype": tf.float32,
        "number": np.float32(0.5),
        "list": [1, (2.0, None)],
        "array": np.arange(3, dtype="int32"),
        "tensor": tf.constant([1.0]),
        "bytes": b"\xff",
        "slice": slice(1, None, 2),
        "rest": ...,
        "spec": TensorSpec([None], "int32", "x"),
        "part": keras.regularizers.L1(0.5),
    }
    config = registry.serialize_keras_object(given)
    assert config["shape"] == [None, 3] and config["dtype"] == "float32" and config["number"] == 0.5
    back = registry.deserialize_keras_object(config)
    assert back["list"] == [1, [2.0, None]]
    assert back["array"].tolist() == [0, 1, 2] and back["array"].dtype == "int32"
    assert back["tensor"].numpy().tolist() == [1.0] and back["tensor"].dtype == tf.float32
    assert (back["bytes"], back["slice"], back["rest"]) == (b"\xff", slice(1, None, 2), ...)
    assert back["spec"] == given["spec"] and back["spec"].name == "x"
    assert back["part"].l1 == 0.5


def test_an_object_that_gives_no_config():
    with pytest.raises(TypeError) as caught:
        registry.serialize_keras_object({"part": object})
        registry.serialize_keras_object(threading_lock())
    assert str(caught.value) == (
        "serialize_keras_object: an object of class Lock cannot be written to a config (object=<a lock>); "
        "it needs a method get_config() that gives the arguments of its constructor."
    )


class Lock:
    def __repr__(self):
        return "<a lock>"


def threading_lock():
    return Lock()


# ---- configs to objects

CONFIG = {"factor": 0.5}
FORMS = [
    {"module": None, "class_name": "MyRegularizer", "config": CONFIG, "registered_name": "MyRegularizer"},
    {"module": "my.module", "class_name": "MyRegularizer", "config": CONFIG, "registered_name": "MyRegularizer"},
    {"class_name": "MyRegularizer", "config": CONFIG},
    {"class_name": "mine>MyRegularizer", "config": CONFIG},
    {"module": None, "class_name": "MyRegularizer", "config": CONFIG, "registered_name": "mine>MyRegularizer"},
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_users_class(form):
    assert registry.deserialize_keras_object(form, custom_objects={"MyRegularizer": MyRegularizer}).factor == 0.5
    assert keras.regularizers.get.__module__  # the scope is what makes it known there
    with keras.saving.custom_object_scope({"MyRegularizer": MyRegularizer}):
        assert keras.regularizers.get(form).factor == 0.5
    with pytest.raises(ValueError, match="unknown"):
        registry.deserialize_keras_object(form)
    registry.register_keras_serializable("mine")(MyRegularizer)
    assert keras.regularizers.deserialize(form).factor == 0.5


@pytest.mark.parametrize(
    "form",
    [
        "my_activation",
        {"module": "builtins", "class_name": "function", "config": "my_activation", "registered_name": "function"},
        {"class_name": "function", "config": "my_activation"},
        {"class_name": "function", "config": "mine>my_activation"},
        {"class_name": "my_activation", "config": {}},
    ],
)
def test_every_form_of_a_users_function(form):
    assert keras.activations.deserialize(form, {"my_activation": my_activation}) is my_activation
    with pytest.raises(ValueError, match="unknown activation"):
        keras.activations.get(form)
    registry.register_keras_serializable("mine")(my_activation)
    assert keras.activations.get(form) is my_activation


def test_the_order_in_which_names_are_looked_up():
    def named(word):
        def selu(x):
            return word

        return selu

    argument, inner, outer, registered = (named(word) for word in ("argument", "inner", "outer", "registered"))
    assert keras.activations.get("selu") is keras.activations.selu
    registry.get_custom_objects()["selu"] = registered
    assert keras.activations.get("selu") is registered
    with keras.saving.CustomObjectScope({"selu": outer}), registry.custom_object_scope(selu=inner):
        assert keras.activations.get("selu") is inner
        assert keras.activations.deserialize("selu", {"selu": argument}) is argument
    del registry.get_custom_objects()["selu"]
    assert keras.activations.get("selu") is keras.activations.selu


def test_a_name_holds_in_its_own_role_only():
    for role, name in (("loss", "relu"), ("activation", "mse"), ("initializer", "L2"), ("regularizer", "zeros")):
        with pytest.raises(ValueError, match=rf"^keras\.{role}: unknown {role} '{name}'"):
            registry.get(role, name)
    # the same words are a loss and a metric: the module says which
    for module, kind in (("keras.losses", keras.losses), ("keras.metrics", keras.metrics)):
        config = {"module": module, "class_name": "MeanSquaredError", "config": {"name": "x"}, "registered_name": None}
        assert type(registry.deserialize_keras_object(config)) is kind.MeanSquaredError
    with pytest.raises(ValueError, match=r"^keras\.object: unknown object 'MeanSquaredError'"):
        registry.deserialize_keras_object({"class_name": "MeanSquaredError", "config": {}})


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": "echo", "registered_name": None},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
        {"module": "builtins", "class_name": "eval", "config": {}, "registered_name": "eval"},
        {"module": "antigravity", "class_name": "x", "config": {}, "registered_name": "x"},
        {"module": "keras.utils", "class_name": "get_file", "config": {}, "registered_name": "keras.utils>get_file"},
        {"module": "keras.src.utils.file_utils", "class_name": "get_file", "config": {}, "registered_name": None},
    ],
)
def test_no_module_is_imported_and_nothing_is_called_because_a_config_says_so(config):
    with pytest.raises(ValueError, match="unknown"):
        registry.deserialize_keras_object(config)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("safe_mode", [True, False])
def test_a_lambda_out_of_a_config_never_runs(safe_mode):
    config = {"class_name": "__lambda__", "config": {"source": "lambda x: __import__('os')", "code": "4w=="}}
    with pytest.raises(ValueError) as caught:
        registry.deserialize_keras_object(config, safe_mode=safe_mode, kind="activation")
    why = "it is refused in safe mode" if safe_mode else "this library never runs code out of a file"
    assert str(caught.value) == (
        f"activation: the config holds a lambda, stored as Python code; {why}. Make it a named function and give it in "
        "custom_objects. It reads: \"lambda x: __import__('os')\""
    )


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {"class_name": "L2", "config": {"l2": 0.5, "l3": 1}},
            "regularizer L2: its config does not fit: L2.__init__() got an unexpected keyword argument 'l3' "
            "(config={'l2': 0.5, 'l3': 1}).",
        ),
        ({"class_name": "L2", "config": "l2"}, "regularizer L2: its config must be a dictionary (config='l2')."),
        (
            {"class_name": "function", "config": ["a"]},
            "deserialize_keras_object: the name of a regularizer must be a string (name=['a']).",
        ),
        (
            3,
            "keras.regularizer: 3 cannot be read as a regularizer (type=int); it takes a name, a config, a function, a class "
            "or an instance.",
        ),
    ],
)
def test_configs_that_do_not_fit(config, text):
    with pytest.raises(ValueError) as caught:
        keras.regularizers.get(config)
    assert str(caught.value) == text


def test_null_fields_of_another_generation_are_left_out():
    assert keras.regularizers.get({"class_name": "L2", "config": {"l2": 0.5, "other": None}}).l2 == 0.5


def test_what_real_keras_writes():
    real = reference.keras()
    parts = [
        real.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3),
        real.regularizers.L1L2(0.1, 0.2),
        real.constraints.MinMaxNorm(0.1, 0.9, 0.5, 1),
        real.optimizers.schedules.CosineDecay(0.1, 10),
    ]
    for part in parts:
        ours = registry.deserialize_keras_object(real.saving.serialize_keras_object(part))
        assert type(ours).__module__.startswith("tensorsmith.") and type(ours).__name__ == type(part).__name__
        given, own = part.get_config(), ours.get_config()
        assert {key: given[key] for key in own} == own
        theirs = real.saving.deserialize_keras_object(registry.serialize_keras_object(ours))
        assert theirs.get_config() == given


# ---- registration


def test_register_keras_serializable():
    decorated = registry.register_keras_serializable()(MyRegularizer)
    assert decorated is MyRegularizer
    assert registry.get_registered_name(MyRegularizer) == "Custom>MyRegularizer"
    assert registry.get_registered_object("Custom>MyRegularizer") is MyRegularizer
    assert registry.get_registered_name(my_activation) == "my_activation"
    assert registry.get_registered_object("other>MyRegularizer") is None
    with pytest.raises(ValueError) as caught:
        registry.register_keras_serializable()(Lock)
    assert str(caught.value) == (
        "register_keras_serializable: the class Lock has no get_config; what is registered must give its config."
    )


def test_a_built_in_name_is_given_once():
    with pytest.raises(ValueError) as caught:
        registry.register("regularizer", MyRegularizer, "l2")
    assert str(caught.value) == "There is already a built-in regularizer named 'l2'."
    assert "MyRegularizer" not in names._tables["regularizer"]


# ---- one error for all missing names


def load(*configs, file="my_model.h5"):
    with registry.collecting(file):
        for place, kind, config in configs:
            with missing.place(place):
                part = registry.get(kind, config)
                # placeholders do no harm until the error
                assert part(3) == 3 and registry.serialize_keras_object(part) == part.name


def test_one_error_lists_every_missing_name(monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "my_softplus", my_activation, raising=False)
    monkeypatch.setattr(main, "MyL1Regularizer", MyRegularizer, raising=False)
    with pytest.raises(ModelFileError) as caught:
        load(
            ("layer 'dense_1'", "activation", "my_softplus"),
            ("layer 'dense_1'", "initializer", {"class_name": "function", "config": "my_glorot_initializer"}),
            ("layer 'dense_1'", "regularizer", {"class_name": "MyL1Regularizer", "config": {"factor": 0.01}}),
            ("layer 'dense_1'", "constraint", {"class_name": "function", "config": "my_positive_weights"}),
            ("layer 'dense_1'", "activation", "my_softplus"),
        )
    assert (
        str(caught.value)
        == """\
4 custom parts of 'my_model.h5' are not known here:
  activation   my_softplus            layer 'dense_1'
  initializer  my_glorot_initializer  layer 'dense_1'
  regularizer  MyL1Regularizer        layer 'dense_1'  config {'factor': 0.01}
  constraint   my_positive_weights    layer 'dense_1'
Load with:
  keras.models.load_model("my_model.h5", custom_objects={"my_softplus": my_softplus, \
"my_glorot_initializer": my_glorot_initializer, "MyL1Regularizer": MyL1Regularizer, \
"my_positive_weights": my_positive_weights})
Names defined here that match: my_softplus, MyL1Regularizer"""
    )


def test_one_missing_name_without_a_file():
    with pytest.raises(ModelFileError) as caught:
        load(("loss", "loss", "mine"), file=None)
    assert (
        str(caught.value)
        == """\
1 custom part is not known here:
  loss  mine  loss
Load with:
  deserialize_keras_object(config, custom_objects={"mine": mine})"""
    )


def test_parts_inside_a_missing_part_are_listed_too():
    config = {
        "class_name": "MyLayer",
        "config": {
            "name": "own",
            "activation": {
                "module": "builtins",
                "class_name": "function",
                "config": "my_act",
                "registered_name": "function",
            },
            "inner": [{"module": None, "class_name": "MyCell", "config": {}, "registered_name": "MyCell"}],
            "known": {
                "module": "keras.regularizers",
                "class_name": "L2",
                "config": {"l2": 0.1},
                "registered_name": None,
            },
        },
    }
    with pytest.raises(ModelFileError) as caught, registry.collecting("m.keras"):
        registry.deserialize_keras_object(config, kind="layer")
    found = [line.split()[:2] for line in str(caught.value).splitlines()[1:4]]
    assert found == [["layer", "MyLayer"], ["object", "my_act"], ["object", "MyCell"]]


def test_an_error_that_follows_from_a_missing_name_gives_way_to_it():
    with (
        pytest.raises(ModelFileError, match=r"1 custom part of 'm\.h5' is not known here"),
        registry.collecting("m.h5"),
    ):
        registry.get("loss", "mine").threshold
    with pytest.raises(ZeroDivisionError), registry.collecting("m.h5"):
        1 / 0


def test_names_out_of_a_file_are_shown_as_text_and_never_to_be_pasted():
    hostile = 'x": __import__("os"), "y'
    found = [
        missing.Unknown("loss", name, place="\x1b" + "p" * 300) for name in ("a\x1b[31m\n" + "x" * 300, hostile, "mine")
    ]
    text = missing.message(found, "m.h5")
    assert "\x1b" not in text and text.count("\n") == 5 and len(text) <= 2000
    assert text.endswith('\n  keras.models.load_model("m.h5", custom_objects={"mine": mine})')
    with pytest.raises(ValueError) as caught:
        keras.losses.get(hostile)
    assert str(caught.value) == f"keras.loss: unknown loss {hostile!r}."
    with pytest.raises(ValueError) as caught:
        keras.losses.get("?" * 5000)
    assert len(str(caught.value)) < 300


def test_a_list_that_is_too_long_is_cut():
    text = missing.message(
        [missing.Unknown("layer", f"Layer{i}", {"units": i}, f"layer 'layer_{i}'") for i in range(500)], "m.h5"
    )
    assert len(text) <= 2000 and text.startswith("500 custom parts of 'm.h5' are not known here:\n  layer  Layer0  ")
    shown = text.count("config {")
    assert f"\n  and {500 - shown} more\n" in text and f'"Layer{shown - 1}": Layer{shown - 1}, ...}})' in text


# ---- what a file cannot hold


def test_values_that_functions_close_over_are_told_once():
    def create(threshold, helper):
        def huber_fn(y_true, y_pred):
            return helper(y_true - y_pred) * threshold

        return huber_fn

    with pytest.warns(UserWarning) as caught, registry.saving("my_model.h5"):
        registry.serialize_keras_object(create(2.0, my_activation))
        registry.serialize_keras_object(create(2.0, my_activation))
        registry.serialize_keras_object(my_activation)
    assert [str(warning.message) for warning in caught] == [
        "'my_model.h5' holds only the names of functions, not the values they close over (huber_fn: threshold=2.0). "
        "Loading takes them from the function that is given then; a class with get_config keeps them in the file."
    ]


def test_functions_that_close_over_nothing_are_saved_in_silence(recwarn):
    with registry.saving("my_model.h5"):
        registry.serialize_keras_object(my_activation)
        registry.serialize_keras_object(keras.activations.relu)
    assert not recwarn.list
