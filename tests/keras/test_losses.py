"""Losses: against real Keras, the battery for all of them, users' own ones, and the errors they meet."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.keras import registry
from tests.support import compiled, reference, samples
from tests.support.batteries import losses as battery

every_case = pytest.mark.parametrize(
    ("name", "settings", "sample"), battery.ROWS, ids=[f"{name}-{settings}" for name, settings, _ in battery.ROWS]
)


def test_every_built_in_loss_is_in_the_battery():
    classes = {name for name, thing in registry.builtins("loss").items() if isinstance(thing, type)}
    assert classes == {*battery.CASES, *battery.BASES}


@every_case
class TestEvery:
    def test_against_keras(self, name, settings, sample):
        real = reference.keras()
        y_true, y_pred = sample()
        for reduction in ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight"):
            for weights in (None, battery.WEIGHTS):
                ours = getattr(keras.losses, name)(reduction=reduction, **settings)
                theirs = getattr(real.losses, name)(reduction=reduction, **settings)
                expected = np.asarray(theirs(y_true, y_pred, sample_weight=weights))
                given = np.asarray(ours(y_true, y_pred, sample_weight=weights))
                assert given.dtype == expected.dtype and given.shape == expected.shape
                np.testing.assert_allclose(given, expected, rtol=3e-6, atol=1e-7, err_msg=f"{reduction} {weights}")

    def test_config_opens_in_keras(self, name, settings, sample):
        real = reference.keras()
        y_true, y_pred = sample()
        ours = getattr(keras.losses, name)(reduction="sum", **settings)
        theirs = real.losses.deserialize(registry.serialize_keras_object(ours))
        np.testing.assert_allclose(np.asarray(theirs(y_true, y_pred)), np.asarray(ours(y_true, y_pred)), rtol=3e-6)
        back = registry.deserialize_keras_object(real.losses.serialize(getattr(real.losses, name)(reduction="sum")))
        default = getattr(keras.losses, name)(reduction="sum")
        assert np.asarray(back(y_true, y_pred)) == np.asarray(default(y_true, y_pred))

    def test_round_trip(self, name, settings, sample):
        battery.check_round_trip(getattr(keras.losses, name)(**settings), *sample(), settings)

    def test_reductions(self, name, settings, sample):
        battery.check_reductions(lambda **given: getattr(keras.losses, name)(**settings, **given), *sample())

    def test_rows(self, name, settings, sample):
        battery.check_rows(lambda **given: getattr(keras.losses, name)(**settings, **given), *sample())

    def test_compiled(self, name, settings, sample):
        battery.check_compiled(getattr(keras.losses, name)(**settings), *sample())

    def test_dtypes(self, name, settings, sample):
        battery.check_dtypes(getattr(keras.losses, name)(**settings), *sample())

    def test_gradient(self, name, settings, sample):
        battery.check_gradient(getattr(keras.losses, name)(**settings), *sample())


# ---- names


@pytest.mark.parametrize(
    "names",
    [
        ("mean_squared_error", "mse", "MSE"),
        ("mean_absolute_error", "mae", "MAE"),
        ("mean_absolute_percentage_error", "mape", "MAPE"),
        ("mean_squared_logarithmic_error", "msle", "MSLE"),
        ("binary_crossentropy", "bce", "BCE"),
        ("kl_divergence", "kld", "KLD", "kullback_leibler_divergence"),
        ("log_cosh", "logcosh"),
        ("huber", "huber_loss"),
    ],
)
def test_all_names_of_a_function_give_it(names):
    function = getattr(keras.losses, names[0])
    assert [keras.losses.get(name) for name in names] == [function] * len(names)
    assert keras.losses.serialize(function) == names[0]
    assert keras.losses.deserialize(names[0]) is function


def test_get_takes_everything_that_is_a_loss():
    def mine(y_true, y_pred):
        return y_pred

    instance = keras.losses.Huber(2.0)
    assert keras.losses.get(None) is None
    assert keras.losses.get(mine) is mine
    assert keras.losses.get(instance) is instance
    assert type(keras.losses.get("Huber")) is type(keras.losses.get(keras.losses.Huber)) is keras.losses.Huber
    assert keras.losses.get({"class_name": "Huber", "config": {"delta": 3.0}}).delta == 3.0


def test_an_unknown_name_is_told_with_the_nearest_known():
    with pytest.raises(ValueError) as caught:
        keras.losses.get("mean_square_error")
    assert str(caught.value) == (
        "keras.loss: unknown loss 'mean_square_error'. Did you mean 'mean_squared_error'? "
        'If it is your own, give custom_objects={"mean_square_error": mean_square_error}.'
    )


def test_a_metrics_name_is_no_loss():
    with pytest.raises(ValueError, match="unknown loss 'Precision'"):
        keras.losses.get("Precision")


@pytest.mark.parametrize("order", [("sum", "mine"), ("mine", "sum")])
def test_both_orders_of_name_and_reduction(order):
    loss = keras.losses.Loss(*order)
    assert (loss.name, loss.reduction) == ("mine", "sum")
    assert (keras.losses.Loss("sum").name, keras.losses.Loss("sum").reduction) == ("loss", "sum")


def test_reductions_of_keras_2():
    R = keras.losses.Reduction
    assert [keras.losses.MeanSquaredError(reduction=r).reduction for r in R.all()] == [
        "sum_over_batch_size",
        "none",
        "sum",
        "sum_over_batch_size",
    ]
    assert keras.losses.MeanSquaredError(reduction=None).reduction == "none"
    with pytest.raises(ValueError) as caught:
        keras.losses.MeanSquaredError(reduction="average")
    assert str(caught.value) == (
        "Loss: 'average' is no reduction; it is one of sum_over_batch_size, sum, mean, mean_with_sample_weight, none, "
        "auto or None."
    )


# ---- users' losses


def huber_of(error, threshold):
    return np.where(abs(error) < threshold, error**2 / 2, threshold * abs(error) - threshold**2 / 2)


class HuberLoss(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        small = tf.abs(error) < self.threshold
        return tf.where(small, tf.square(error) / 2, self.threshold * tf.abs(error) - self.threshold**2 / 2)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def test_a_class_keeps_its_settings():
    y_true, y_pred = samples.numbers()
    loss = HuberLoss(2.0)
    expected = huber_of(y_true - y_pred, 2.0)
    np.testing.assert_allclose(np.asarray(loss(y_true, y_pred)), expected.mean(), rtol=1e-6)
    weighted = (expected * battery.WEIGHTS[:, None]).mean()
    np.testing.assert_allclose(np.asarray(loss(y_true, y_pred, sample_weight=battery.WEIGHTS)), weighted, rtol=1e-6)
    assert loss.get_config() == {"name": "huber_loss", "reduction": "sum_over_batch_size", "threshold": 2.0}
    config = registry.serialize_keras_object(loss)
    again = registry.deserialize_keras_object(config, custom_objects={"HuberLoss": HuberLoss})
    assert (
        np.asarray(again(y_true, y_pred)) == np.asarray(loss(y_true, y_pred)) != np.asarray(HuberLoss()(y_true, y_pred))
    )


def test_a_config_of_keras_2_is_read():
    config = {"class_name": "HuberLoss", "config": {"reduction": "auto", "name": None, "threshold": 2.0}}
    loss = keras.losses.deserialize(config, custom_objects={"HuberLoss": HuberLoss})
    assert (loss.threshold, loss.reduction, loss.name) == (2.0, "sum_over_batch_size", "huber_loss")
    huber = keras.losses.deserialize(
        {"class_name": "Huber", "config": {"reduction": "auto", "name": None, "fn": "huber"}}
    )
    assert huber.delta == 1.0


def test_a_class_that_forgets_its_base_still_works():
    class Forgetful(keras.losses.Loss):
        def __init__(self):
            self.factor = 2.0

        def call(self, y_true, y_pred):
            return (y_true - y_pred) * self.factor

    assert np.asarray(Forgetful()([[3.0]], [[1.0]])) == 4.0


def test_a_loss_without_call():
    with pytest.raises(NotImplementedError) as caught:
        keras.losses.Loss()([1.0], [1.0])
    assert str(caught.value) == "Loss must write call(self, y_true, y_pred)."


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_flat_targets_meet_their_own_predictions(shape):
    y_true, y_pred = samples.numbers()
    y_true, y_pred = y_true[:, 0].reshape(shape), y_pred[:, :1]
    expected = (y_true.reshape(6, 1) - y_pred) ** 2
    for loss in (keras.losses.MeanSquaredError(), keras.losses.LossFunctionWrapper(lambda t, p: (t - p) ** 2)):
        for targets, predictions in ((y_true, y_pred), (y_true.reshape(6, 1), y_pred[:, 0])):
            np.testing.assert_allclose(np.asarray(loss(targets, predictions)), expected.mean(), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(keras.losses.mse(y_true, y_pred)), expected[:, 0], rtol=1e-6)


def test_integer_targets_are_floats_to_a_loss_and_integers_to_one_that_indexes():
    def difference(y_true, y_pred):
        return y_true - y_pred

    def indexing(y_true, y_pred):
        return -tf.math.log(tf.gather(y_pred, y_true, batch_dims=1))

    wrap = keras.losses.LossFunctionWrapper
    assert np.asarray(wrap(difference)(np.array([[3], [5]]), np.array([[1.0], [2.0]], "f"))) == 2.5
    y_true, y_pred = samples.classes()
    expected = -np.log(y_pred[np.arange(6), y_true]).mean()
    np.testing.assert_allclose(np.asarray(wrap(indexing)(y_true, y_pred)), expected, rtol=1e-6)


def test_a_mask_leaves_values_out():
    y_true, y_pred = samples.numbers()
    predictions = tf.constant(y_pred)
    predictions._keras_mask = tf.constant([True, False, True, True, False, True])
    kept = [0, 2, 3, 5]
    squares = ((y_true - y_pred) ** 2).mean(axis=1)
    loss = keras.losses.MeanSquaredError()
    np.testing.assert_allclose(np.asarray(loss(y_true, predictions)), squares[kept].mean(), rtol=1e-6)
    weighted = (squares * battery.WEIGHTS)[kept].sum() / 4
    np.testing.assert_allclose(np.asarray(loss(y_true, predictions, battery.WEIGHTS)), weighted, rtol=1e-6)


def test_several_outputs_in_one_loss():
    class Both(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return y_true["a"] - y_pred["a"] + y_true["b"] - y_pred["b"]

    targets, predictions = {"a": np.ones(2, "f"), "b": np.ones(2, "f")}, {"a": np.zeros(2, "f"), "b": np.ones(2, "f")}
    assert np.asarray(Both()(targets, predictions)) == 1.0


# ---- what a user does wrong


def message(function, y_true, y_pred, run=lambda loss, *batch: loss(*batch)):
    with pytest.raises(ValueError) as caught:
        run(keras.losses.LossFunctionWrapper(function, name="mine"), y_true, y_pred)
    return str(caught.value)


COLUMN = np.arange(4, dtype="float32").reshape(4, 1)
SQUARE_TEXT = (
    "loss 'mine': its values are of every target against every prediction (y_true=float32({0}, 1), "
    "y_pred=float32({0}, 1), values=({0}, {0})); y_true and y_pred were broadcast over each other. Give them one shape "
    "before they are combined: y_true = tf.reshape(y_true, tf.shape(y_pred))."
)


def squeezing(y_true, y_pred):
    return tf.square(tf.squeeze(y_true, -1) - y_pred)


def test_a_loss_that_broadcasts_over_the_batch():
    assert message(squeezing, COLUMN, COLUMN) == SQUARE_TEXT.format(4)


def test_a_loss_that_broadcasts_over_the_batch_while_it_is_traced():
    assert message(squeezing, COLUMN, COLUMN, compiled.run) == SQUARE_TEXT.format(None)


def test_as_many_values_for_each_sample_as_there_are_samples_may_be_meant():
    levels = np.array([0.1, 0.25, 0.75, 0.9], "float32")

    def quantiles(y_true, y_pred):
        error = y_true - y_pred
        return tf.maximum(error * levels, error * (levels - 1.0))

    loss = keras.losses.LossFunctionWrapper(quantiles)
    error = COLUMN - COLUMN[::-1]
    expected = np.maximum(error * levels, error * (levels - 1)).mean()
    np.testing.assert_allclose(np.asarray(loss(COLUMN, COLUMN[::-1])), expected, rtol=1e-6)


def test_a_loss_that_forgets_its_return():
    def forgetful(y_true, y_pred):
        tf.square(y_true - y_pred)

    assert message(forgetful, COLUMN, COLUMN) == (
        "loss 'mine': it gave None instead of a value for each sample (y_true=float32(4, 1), y_pred=float32(4, 1)). "
        "Does its function end without a return?"
    )


def test_a_loss_whose_values_are_not_of_the_samples():
    assert message(lambda t, p: tf.reduce_sum(tf.concat([t, p], 1) ** 2, axis=0), COLUMN, COLUMN) == (
        "loss 'mine': its values do not belong to the samples of the batch (y_true=float32(4, 1), y_pred=float32(4, 1), "
        "values=(2,)); each of the 4 samples needs its value: shape (4,) or (4, ...)."
    )


def test_a_loss_may_give_one_number():
    loss = keras.losses.LossFunctionWrapper(lambda t, p: tf.reduce_mean(tf.square(t - p)))
    assert np.asarray(loss(COLUMN, COLUMN * 0)) == (COLUMN**2).mean()


def test_targets_that_would_be_broadcast_over_predictions():
    with pytest.raises(ValueError) as caught:
        keras.losses.MeanSquaredError()(np.ones((4, 1), "f"), np.ones((4, 3), "f"))
    assert str(caught.value) == (
        "mean_squared_error: targets and predictions differ in shape (y_true=(4, 1), y_pred=(4, 3)); "
        "each prediction needs one target."
    )


def test_one_hot_targets_for_a_sparse_loss():
    y_true, y_pred = samples.one_hot()
    with pytest.raises(ValueError) as caught:
        keras.losses.SparseCategoricalCrossentropy()(y_true, y_pred)
    assert str(caught.value) == (
        "sparse_categorical_crossentropy: targets do not fit the predictions (y_true=(6, 3), y_pred=(6, 3)); targets are "
        "class numbers, one for each row of predictions. One-hot targets need categorical_crossentropy."
    )


def test_weights_that_fit_no_axis():
    with pytest.raises(ValueError) as caught:
        keras.losses.MeanSquaredError()(COLUMN, COLUMN, sample_weight=np.ones(3, "f"))
    assert str(caught.value) == (
        "sample_weight: the weights do not fit the values (sample_weight=(3,), values=(4,)); there is one weight for each "
        "sample, or one for each value."
    )


def test_the_users_own_error_stays_what_it_is():
    def broken(y_true, y_pred):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        keras.losses.LossFunctionWrapper(broken)(COLUMN, COLUMN)


# ---- numbers at the edge


def test_losses_stay_finite_where_their_formula_would_not():
    assert np.asarray(keras.losses.log_cosh([[0.0]], [[1e4]])) == np.float32(1e4 - np.log(2))
    far = keras.losses.binary_crossentropy([[1.0]], [[-200.0]], from_logits=True)
    assert np.asarray(far) == 200.0
    assert np.asarray(keras.losses.binary_crossentropy([[0.0]], [[200.0]], from_logits=True)) == 200.0
    assert np.isfinite(np.asarray(keras.losses.binary_crossentropy([[1.0]], [[0.0]]))).all()
    zeros = keras.losses.cosine_similarity([[0.0, 0.0]], [[1.0, 0.0]])
    assert np.asarray(zeros) == 0.0


def test_not_a_number_is_passed_on():
    for name in ("mse", "mae", "huber", "log_cosh", "binary_crossentropy"):
        values = np.asarray(getattr(keras.losses, name)([[0.0], [0.0]], [[np.nan], [0.5]]))
        assert np.isnan(values).tolist() == [True, False], name
