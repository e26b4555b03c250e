"""The errors that a user of fit meets, whole."""

import warnings

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras

X = np.random.default_rng(0).normal(size=(40, 8)).astype("float32")
Y = X[:, :1].copy()


def make(loss="mse", **settings):
    model = keras.Sequential([keras.Input(shape=(8,)), keras.layers.Dense(1, name="out")], name="small")
    model.compile(loss=loss, optimizer="sgd", **settings)
    return model


def text_of(call, kind=ValueError):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_wrong_number_of_features():
    text = text_of(lambda: make().fit(X[:, :7], Y, verbose=0))
    assert text == (
        "Input 0 of layer 'out' (Dense) is incompatible with the layer: expected axis -1 of the input to have size 8; "
        "received an input of shape (None, 7)."
    )


def test_rows_that_differ_in_number():
    text = text_of(lambda: make().fit(X, Y[:39], verbose=0))
    assert text == "fit: all arrays must have the same number of rows; their shapes are: x [(40, 8)], y [(39, 1)]."


def test_flat_targets_are_matched_to_a_column():
    column, flat = make(), make()
    flat.set_weights(column.get_weights())
    for model, y in ((column, Y), (flat, Y[:, 0])):
        model.fit(X, y, shuffle=False, verbose=0)
    np.testing.assert_allclose(column.get_weights()[0], flat.get_weights()[0], rtol=1e-6)
    assert column.evaluate(X, Y, verbose=0) == pytest.approx(flat.evaluate(X, Y[:, 0], verbose=0), rel=1e-6)


def test_a_custom_loss_that_broadcasts_to_a_square_is_caught():
    def square_by_mistake(y_true, y_pred):
        return tf.square(tf.reshape(y_true, (-1,)) - y_pred)

    text = text_of(lambda: make(square_by_mistake).fit(X, Y, verbose=0))
    assert "square_by_mistake" in text and "broadcast" in text


def test_a_custom_loss_that_returns_none():
    def forgot(y_true, y_pred):
        tf.square(y_true - y_pred)

    text = text_of(lambda: make(forgot).fit(X, Y, verbose=0))
    assert "forgot" in text and "None" in text and "return" in text


def test_a_custom_loss_of_the_wrong_shape():
    def halved(y_true, y_pred):
        return tf.square(y_true - y_pred)[:3]

    text = text_of(lambda: make(halved).fit(X, Y, verbose=0))
    assert "halved" in text and "(3, 1)" in text


def test_nan_in_the_data_is_told_once_with_its_place():
    x = X.copy()
    x[3, 2] = x[5, 1] = np.nan
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make().fit(x, Y, epochs=2, verbose=0)
    texts = [str(w.message) for w in caught]
    assert texts[0] == (
        "fit: x holds 2 values that are NaN or infinite, in 2 of 40 rows (the first at (3, 2)); the loss will be NaN. "
        "Take these rows out, or fill them in (np.nan_to_num)."
    )
    assert len(texts) == 2


def test_a_loss_that_becomes_nan_is_told_once():
    def not_a_number(y_true, y_pred):
        return tf.math.log(-tf.square(y_true - y_pred) - 1.0)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(not_a_number).fit(X, Y, epochs=3, verbose=0)
    assert [str(w.message) for w in caught] == [
        "The loss of model 'small' became NaN or infinite in epoch 1, at the batches 1 to 2. Check the data for NaN, "
        "make the learning rate smaller, or clip the gradients (clipnorm=1.0 in the optimizer)."
    ]


def test_fit_before_compile():
    model = keras.Sequential([keras.layers.Dense(1)])
    assert text_of(lambda: model.fit(X, Y), RuntimeError) == (
        "You must call model.compile(optimizer, loss) before model.fit()."
    )


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True])
def test_a_batch_size_that_is_none(batch_size):
    text = text_of(lambda: make().fit(X, Y, batch_size=batch_size, verbose=0))
    assert text == f"batch_size must be a whole number of at least 1; given {batch_size!r}."


def test_empty_data():
    assert text_of(lambda: make().fit(X[:0], Y[:0], verbose=0)) == "fit: x holds no rows."
    assert text_of(lambda: make().evaluate(X[:0], Y[:0], verbose=0)) == "evaluate: x holds no rows."


def test_rows_of_different_length():
    text = text_of(lambda: make().fit(np.array([[1, 2], [3]], object), Y[:2], verbose=0))
    assert text.startswith("fit: x is an array of Python objects (the first is [[1, 2]])")


def test_a_validation_split_that_leaves_nothing():
    assert text_of(lambda: make().fit(X, Y, validation_split=1.0)) == (
        "fit: validation_split must be a share from 0 up to 1 (not 1 itself); given 1.0."
    )


def test_warnings_point_at_the_users_own_line():
    x = X.copy()
    x[0, 0] = np.inf
    with pytest.warns(UserWarning) as caught:
        make().fit(x, Y, verbose=0)
    assert {w.filename for w in caught} == {__file__}
