"""The legacy .h5 layout as plain data, and files that break its rules."""

import numpy as np
import pytest

from tensorsmith.core.errors import ModelFileError
from tensorsmith.keras.saving import hdf5, tree

KERNEL, BIAS = np.arange(6, dtype="float32").reshape(2, 3), np.arange(3, dtype="float32")


def contents(**changes):
    given = {
        "config": {"class_name": "Sequential", "config": {"name": "größe", "layers": []}},
        "training": {"loss": "mean_squared_error"},
        "layers": [("b", [("b/kernel:0", KERNEL), ("b/bias:0", BIAS)]), ("empty", []), ("a", [("a/scale:0", BIAS)])],
        "top": [("m/own:0", BIAS)],
        "optimizer": [("iteration:0", np.asarray(3)), ("Adam/m/b/kernel:0", KERNEL)],
        "version": "2.15.0",
        "backend": "tensorflow",
    }
    return hdf5.Contents(**{**given, **changes})


def test_order_is_that_of_the_lists_and_not_of_the_alphabet():
    data = tree.write(hdf5.write(contents()))
    found = hdf5.read(tree.read(data, "m.h5", len(data)), "m.h5")
    assert found.config == contents().config and found.training == contents().training
    assert [name for name, _ in found.layers] == ["b", "empty", "a"]
    assert [name for name, _ in found.layers[0][1]] == ["b/kernel:0", "b/bias:0"]
    np.testing.assert_array_equal(found.layers[0][1][0][1], KERNEL)
    assert [name for name, _ in found.optimizer] == ["iteration:0", "Adam/m/b/kernel:0"]
    assert found.generation == 2 and len(found.top) == 1


def test_weights_alone_stand_at_the_root():
    made = hdf5.write(contents(config=None, training=None, optimizer=None))
    assert hdf5.is_legacy(made) and made.strings("layer_names") == ["b", "empty", "a"]
    found = hdf5.read(made, "m.h5")
    assert found.config is None and len(found.layers) == 3


def drop(path):
    *folders, last = path.split("/")

    def change(made):
        del (made.group("/".join(folders)) if folders else made).children[last]

    return change


def attribute(path, name, value):
    def change(made):
        group = made.group(path) if path else made
        group.attributes.pop(name, None)
        if value is not None:
            group.attributes[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (drop("model_weights/b/b/bias:0"), "in layer 'b': the weight 'b/bias:0' is missing."),
        (drop("model_weights/a"), "in layer 'a': the group is missing."),
        (drop("model_weights"), "it has no group 'model_weights'. Was it saved whole?"),
        (lambda made: made.put("model_weights/b/extra", BIAS), "'weight_names' lists 2 arrays, 3 are stored."),
        (lambda made: made.put("model_weights/other/x", BIAS), "groups stand in no list of layers: ['other']."),
        (lambda made: made.put("other/x", BIAS), "it holds unknown groups: ['other']."),
        (attribute("model_weights/b", "weight_names", ["b/bias:0", "b/bias:0"]), "lists 2 arrays, 2 are stored."),
        (attribute("model_weights/b", "weight_names", ["../a/scale:0", "b/bias:0"]), "'../a/scale:0' is missing."),
        (attribute("model_weights/b", "weight_names", ["b", "b/bias:0"]), "the weight 'b' is missing."),
        (attribute("model_weights/b", "weight_names", None), "the list of its weights ('weight_names') is missing."),
        (attribute("model_weights", "layer_names", ["b", "b", "a"]), "a layer stands twice in 'layer_names'."),
        (attribute("model_weights", "layer_names", None), "the list of its layers ('layer_names') is missing."),
        (attribute("", "model_config", ["{}"]), "in attribute 'model_config': it is ['{}'], not a text."),
        (attribute("", "model_config", "{"), "in model_config: the text is no JSON"),
        (attribute("", "training_config", "[1"), "in training_config: the text is no JSON"),
    ],
)
def test_what_breaks_the_rules_of_the_layout(change, text):
    made = hdf5.write(contents())
    change(made)
    with pytest.raises(ModelFileError) as caught:
        hdf5.read(made, "m.h5")
    assert text in str(caught.value)


@pytest.mark.parametrize("name", ["", "a/b", "..", "top_level_model_weights"])
def test_names_of_layers_that_the_layout_cannot_hold(name):
    with pytest.raises(ValueError, match=r"cannot be saved to an \.h5 file: give it a name without '/'"):
        hdf5.write(contents(layers=[(name, [])]))
