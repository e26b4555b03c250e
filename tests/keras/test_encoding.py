"""Labels to one-hot rows; the words floatx, epsilon and image_data_format."""

import numpy as np
import pytest

from tensorsmith import keras
from tensorsmith.keras import config
from tensorsmith.keras.encoding import to_categorical
from tests.support import reference


@pytest.mark.parametrize(
    "labels", [[0, 2, 1], [[0], [2]], [[0, 1], [2, 1]], np.array([1.0, 0.0]), np.zeros((0,), int), 1]
)
@pytest.mark.parametrize("num_classes", [None, 4])
def test_one_hot_rows_as_keras_makes_them(labels, num_classes):
    given = to_categorical(labels, num_classes)
    labels = np.asarray(labels)
    classes = num_classes or (int(labels.max()) + 1 if labels.size else 0)
    flat = labels.reshape(labels.shape[:-1]) if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    expected = (flat[..., None] == np.arange(classes)).astype("float32")
    assert given.dtype == "float32" and given.tolist() == expected.tolist()
    if labels.size and labels.ndim:
        assert given.tolist() == np.asarray(reference.keras().utils.to_categorical(labels, num_classes)).tolist()


def test_labels_without_a_place():
    for labels, count, text in (
        ([0, 3], 3, "to_categorical: a class number has no place (least=0, greatest=3, num_classes=3); they go from 0 to "
                    "num_classes - 1."),
        ([-1, 1], None, "to_categorical: a class number has no place (least=-1, greatest=1, num_classes=2); they go from "
                        "0 to num_classes - 1."),
        ([0.5], None, "to_categorical: class numbers must be whole (dtype=float64)."),
    ):  # fmt: skip
        with pytest.raises(ValueError) as caught:
            to_categorical(labels, count)
        assert str(caught.value) == text


@pytest.fixture
def values_as_they_were(monkeypatch):
    monkeypatch.setattr(config, "_values", dict(config._values))


@pytest.mark.usefixtures("values_as_they_were")
def test_floatx_decides_what_names_no_dtype():
    config.set_floatx("float64")
    assert config.floatx() == "float64"
    assert keras.initializers.Zeros()((1,)).dtype == "float64"
    assert keras.metrics.Mean().variables[0].dtype == "float64"
    assert keras.optimizers.SGD().learning_rate.dtype == "float64"
    assert keras.losses.MeanSquaredError()([1], [2]).dtype == "float64"


@pytest.mark.usefixtures("values_as_they_were")
def test_epsilon_and_image_data_format():
    config.set_epsilon(0.25)
    assert config.epsilon() == 0.25
    assert np.asarray(keras.losses.mean_absolute_percentage_error([[0.0]], [[1.0]])) == 400.0
    config.set_image_data_format("channels_first")
    assert config.image_data_format() == "channels_first"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: config.set_floatx("int8"),
            "set_floatx: 'int8' is no floating dtype; it is one of float16, bfloat16, float32, float64.",
        ),
        (lambda: config.set_epsilon(0), "set_epsilon: epsilon must be a number above 0 (value=0)."),
        (
            lambda: config.set_image_data_format("last"),
            "set_image_data_format: 'last' is no data format; it is channels_last or channels_first.",
        ),
    ],
)
def test_words_that_make_no_sense(call, text):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == text
