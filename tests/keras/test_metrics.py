"""Metrics: against real Keras and scikit-learn, the battery for all of them, users' own ones, and their errors."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.core import naming
from tensorsmith.keras import registry
from tests.support import compiled, reference, samples
from tests.support.batteries import metrics as battery

every_case = pytest.mark.parametrize(
    ("name", "settings", "sample"), battery.ROWS, ids=[f"{name}-{settings}" for name, settings, _ in battery.ROWS]
)


@pytest.fixture(autouse=True)
def names_from_the_start():
    naming.forget()


def test_every_built_in_metric_is_in_the_battery():
    assert set(registry.builtins("metric")) == {*battery.CASES, *battery.BASES}


# Keras 3 counts what is ignored as 0; Keras 2 leaves it out, as losses do, and so do we
comparable = [row for row in battery.ROWS if "ignore_class" not in row[1]]


@pytest.mark.parametrize(("name", "settings", "sample"), comparable, ids=[f"{row[0]}-{row[1]}" for row in comparable])
def test_against_keras(name, settings, sample):
    real = reference.keras()
    y_true, y_pred = sample()
    ours, theirs = getattr(keras.metrics, name)(**settings), getattr(real.metrics, name)(**settings)
    for weights in (None, battery.WEIGHTS, None):
        ours.update_state(y_true, y_pred, sample_weight=weights)
        theirs.update_state(y_true, y_pred, sample_weight=weights)
        y_true, y_pred = y_true[::-1], y_pred
    battery.same(ours.result(), theirs.result(), rtol=1e-5)
    assert ours.result().dtype.name == "float32"
    for variable, other in zip(ours.variables, theirs.variables, strict=True):
        own = variable.path.split("/")[-1]
        assert own == other.path.split("/")[-1]
        # Keras counts all elements as samples there, so that its adjustment differs from the formula
        if (name, own) != ("R2Score", "num_samples"):
            battery.same(variable, other, rtol=1e-5)


@every_case
class TestEvery:
    def test_config_opens_in_keras(self, name, settings, sample):
        real = reference.keras()
        ours = getattr(keras.metrics, name)(**settings)
        theirs = real.metrics.deserialize(registry.serialize_keras_object(ours))
        for metric in (ours, theirs):
            metric.update_state(*sample())
        if "ignore_class" not in settings:
            battery.same(ours.result(), theirs.result(), rtol=1e-5)
        back = registry.deserialize_keras_object(real.saving.serialize_keras_object(theirs))
        back.update_state(*sample())
        if name != "CosineSimilarity":  # Keras does not write its axis
            assert back.get_config() == ours.get_config()
        battery.same(back.result(), ours.result(), rtol=0)

    def test_round_trip(self, name, settings, sample):
        battery.check_round_trip(getattr(keras.metrics, name)(name="mine", **settings), *sample())

    def test_batches(self, name, settings, sample):
        battery.check_batches(lambda: getattr(keras.metrics, name)(**settings), *sample())

    def test_weights(self, name, settings, sample):
        battery.check_weights(lambda: getattr(keras.metrics, name)(**settings), *sample())

    def test_compiled(self, name, settings, sample):
        battery.check_compiled(lambda: getattr(keras.metrics, name)(**settings), *sample())


@pytest.mark.parametrize("sample", [samples.numbers])
def test_r2_and_its_adjustment_as_scikit_learn_says(sample):
    sklearn = pytest.importorskip("sklearn.metrics")
    y_true, y_pred = sample()
    score = keras.metrics.R2Score()
    score.update_state(y_true, y_pred, sample_weight=battery.WEIGHTS)
    battery.same(score.result(), sklearn.r2_score(y_true, y_pred, sample_weight=battery.WEIGHTS), rtol=1e-5)
    adjusted = keras.metrics.R2Score(num_regressors=2)
    plain = sklearn.r2_score(y_true, y_pred)
    battery.same(adjusted(y_true, y_pred), 1 - (1 - plain) * (6 - 1) / (6 - 2 - 1), rtol=1e-5)


def test_areas_and_shares_as_scikit_learn_says():
    sklearn = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(3)
    y_true = random.integers(0, 2, 400).astype("float32")
    y_pred = np.clip(y_true * 0.3 + random.uniform(0, 0.7, 400), 0, 1).astype("float32")
    area = keras.metrics.AUC(num_thresholds=1000)(y_true, y_pred)
    np.testing.assert_allclose(np.asarray(area), sklearn.roc_auc_score(y_true, y_pred), atol=2e-3)
    area = keras.metrics.AUC(num_thresholds=1000, curve="PR")(y_true, y_pred)
    np.testing.assert_allclose(np.asarray(area), sklearn.average_precision_score(y_true, y_pred), atol=5e-3)
    battery.same(keras.metrics.Precision()(y_true, y_pred), sklearn.precision_score(y_true, y_pred > 0.5))
    battery.same(keras.metrics.Recall()(y_true, y_pred), sklearn.recall_score(y_true, y_pred > 0.5))


# ---- Mean, Sum, functions


def test_mean_and_sum_against_keras():
    real = reference.keras()
    values = np.arange(12, dtype="float32").reshape(3, 4)
    for name in ("Mean", "Sum"):
        for weights in (None, np.array([1.0, 0.0, 3.0], "f"), np.arange(12, dtype="float32").reshape(3, 4)):
            ours, theirs = getattr(keras.metrics, name)(), getattr(real.metrics, name)()
            for metric in (ours, theirs):
                metric.update_state(values, sample_weight=weights)
                metric.update_state(7.0)
            battery.same(ours.result(), theirs.result())
            assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
        battery.check_round_trip(getattr(keras.metrics, name)(), np.ones(3, "f"), None)


def test_ignored_classes_do_not_count():
    y_true, y_pred = samples.classes()
    kept = y_true != 1
    metric, plain = (
        keras.metrics.SparseCategoricalCrossentropy(ignore_class=1),
        keras.metrics.SparseCategoricalCrossentropy(),
    )
    battery.same(metric(y_true, y_pred), plain(y_true[kept], y_pred[kept]))


def test_mean_of_nothing_is_zero():
    assert np.asarray(keras.metrics.Mean().result()) == 0.0


def test_values_that_a_mask_leaves_out_do_not_count():
    values = tf.constant([1.0, 5.0, 3.0])
    values._keras_mask = tf.constant([True, False, True])
    mean, total = keras.metrics.Mean(), keras.metrics.Sum()
    assert (np.asarray(mean(values)), np.asarray(total(values))) == (2.0, 4.0)
    predictions = tf.constant([[1.0], [5.0], [3.0]])
    predictions._keras_mask = values._keras_mask
    error = keras.metrics.MeanAbsoluteError()
    assert np.asarray(error(np.zeros((3, 1), "f"), predictions, sample_weight=[1.0, 1.0, 3.0])) == (1 + 9) / 4


def test_a_function_is_averaged_over_samples_not_batches():
    def off_by(y_true, y_pred):
        return y_pred - y_true

    metric = keras.metrics.MeanMetricWrapper(off_by)
    metric.update_state([[0.0]] * 3, [[1.0]] * 3)
    metric.update_state([[0.0]], [[9.0]])
    assert metric.name == "off_by" and np.asarray(metric.result()) == (3 * 1 + 9) / 4
    config = registry.serialize_keras_object(metric)
    again = registry.deserialize_keras_object(config, custom_objects={"off_by": off_by})
    assert np.asarray(again([0.0], [[2.0]])) == 2.0
    text = registry.deserialize_keras_object(
        {"class_name": "MeanMetricWrapper", "config": {"name": "off_by", "dtype": "float32", "fn": "off_by"}},
        custom_objects={"off_by": off_by},
        kind="metric",
    )
    assert np.asarray(text([0.0], [[2.0]])) == 2.0


def test_a_wrapped_built_in_function_keeps_its_settings():
    metric = keras.metrics.MeanMetricWrapper(keras.losses.huber, name="near", delta=0.5)
    assert metric.get_config() == {"name": "near", "dtype": "float32", "fn": "huber", "delta": 0.5}
    battery.check_round_trip(metric, *samples.numbers())


# ---- names


def test_names_of_metrics():
    for name, kind in (
        ("mae", "MeanAbsoluteError"),
        ("MSE", "MeanSquaredError"),
        ("auc", "AUC"),
        ("AUC", "AUC"),
        ("binary_accuracy", "BinaryAccuracy"),
        ("Precision", "Precision"),
        ("r2_score", "R2Score"),
        ("kld", "KLDivergence"),
    ):
        assert type(keras.metrics.get(name)).__name__ == kind
    assert keras.metrics.get("huber") is keras.losses.huber
    assert keras.metrics.deserialize("mae").name == "mean_absolute_error"
    assert keras.metrics.serialize(keras.metrics.mean_absolute_error) == "mean_absolute_error"
    with pytest.raises(ValueError) as caught:
        keras.metrics.get("Precison")
    assert str(caught.value) == (
        "keras.metric: unknown metric 'Precison'. Did you mean 'Precision'? "
        'If it is your own, give custom_objects={"Precison": Precison}.'
    )


def test_names_of_variables_and_of_several_metrics():
    first, second = keras.metrics.Precision(), keras.metrics.Precision()
    assert (first.name, second.name) == ("precision", "precision_1")
    assert [v.path for v in second.variables] == ["precision_1/true_positives", "precision_1/false_positives"]


# ---- users' metrics, in both dialects


def create_huber(threshold=1.0):
    def huber_fn(y_true, y_pred):
        error = y_true - y_pred
        small = tf.abs(error) < threshold
        return tf.where(small, tf.square(error) / 2, threshold * tf.abs(error) - threshold**2 / 2)

    return huber_fn


class HuberMetric(keras.metrics.Metric):
    def __init__(self, threshold=1.0, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold
        self.huber_fn = create_huber(threshold)
        self.total = self.add_weight("total", initializer="zeros")
        self.count = self.add_weight("count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        metric = self.huber_fn(y_true, y_pred)
        self.total.assign_add(tf.reduce_sum(metric))
        self.count.assign_add(tf.cast(tf.size(y_true), tf.float32))

    def result(self):
        return self.total / self.count

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def test_the_streaming_metric_of_the_chapter():
    metric = HuberMetric(2.0)
    assert np.asarray(metric(tf.constant([[2.0]]), tf.constant([[10.0]]))) == 14.0
    assert np.asarray(metric(tf.constant([[0.0], [5.0]]), tf.constant([[1.0], [9.25]]))) == 7.0
    assert [v.numpy() for v in metric.variables] == [21.0, 3.0]
    metric.reset_states()
    assert [v.numpy() for v in metric.variables] == [0.0, 0.0]
    config = registry.serialize_keras_object(metric)
    again = registry.deserialize_keras_object(config, custom_objects={"HuberMetric": HuberMetric})
    assert again.threshold == 2.0
    battery.check_compiled(lambda: HuberMetric(2.0), *samples.numbers())


@pytest.mark.parametrize(
    "make",
    [
        lambda metric: metric.add_weight("w", (2,), initializer="ones"),
        lambda metric: metric.add_weight("w", shape=(2,), initializer="ones"),
        lambda metric: metric.add_weight(name="w", shape=[2], initializer=keras.initializers.Ones()),
        lambda metric: metric.add_weight((2,), "ones", name="w"),
        lambda metric: metric.add_weight(shape=(2,), initializer="ones", dtype="float32", name="w"),
        lambda metric: metric.add_weight("w", (2,), None, None, "ones", tf.float32),
        lambda metric: metric.add_variable(shape=2, initializer=lambda shape, dtype: np.ones(shape), name="w"),
    ],
)
def test_every_way_to_add_a_weight(make):
    metric = keras.metrics.Metric(name="m")
    weight = make(metric)
    assert (weight.name, weight.path, tuple(weight.shape), weight.dtype.name) == ("w", "m/w", (2,), "float32")
    assert weight.numpy().tolist() == [1.0, 1.0] and not weight.trainable
    assert metric.variables == [weight] or metric.variables[0] is weight


def test_add_weight_with_arguments_that_do_not_fit():
    with pytest.raises(TypeError) as caught:
        keras.metrics.Metric().add_weight("w", name="v", size=3)
    assert str(caught.value) == (
        "Metric.add_weight: arguments name do not fit; it takes name, shape, aggregation, synchronization, initializer, dtype."
    )


def test_an_unknown_argument_of_a_metric():
    with pytest.raises(TypeError) as caught:
        HuberMetric(thresold=2.0)
    assert str(caught.value) == "HuberMetric() got unexpected arguments 'thresold'; a metric takes name and dtype."


class Count(keras.metrics.Metric):
    """Counts calls; says who reset it."""

    def __init__(self):
        super().__init__()
        self.calls, self.resets = self.add_weight(name="calls"), []

    def update_state(self):
        self.calls.assign_add(1.0)

    def result(self):
        return self.calls.value()


class OldReset(Count):
    def reset_states(self):
        self.resets.append("old")
        super().reset_states()


class NewReset(Count):
    def reset_state(self):
        self.resets.append("new")
        super().reset_state()


class NewOverOld(OldReset):
    def reset_state(self):
        self.resets.append("newer")
        super().reset_state()


class OldOverNew(NewReset):
    def reset_states(self):
        self.resets.append("older")
        super().reset_states()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Count, []),
        (OldReset, ["old"]),
        (NewReset, ["new"]),
        (NewOverOld, ["newer", "old"]),
        (OldOverNew, ["older"]),
    ],
)
@pytest.mark.parametrize("spelling", ["reset_state", "reset_states"])
def test_the_reset_that_a_subclass_writes_is_the_one_that_runs(kind, told, spelling):
    metric = kind()
    metric()
    getattr(metric, spelling)()
    assert metric.resets == told and metric.result().numpy() == 0.0


def test_metrics_inside_metrics_are_part_of_them():
    class Pair(keras.metrics.Metric):
        def __init__(self):
            super().__init__()
            self.parts = {"mean": keras.metrics.Mean(), "others": [keras.metrics.Sum()]}
            self.own = self.add_weight("own")
            self.plain = tf.Variable(0.0, trainable=False)

        def update_state(self, values):
            self.parts["mean"].update_state(values)
            self.parts["others"][0].update_state(values)
            self.plain.assign_add(1.0)

        def result(self):
            return self.parts["mean"].result() + self.parts["others"][0].result() + self.plain

    metric = Pair()
    assert [v.name for v in metric.variables] == ["own", "total", "count", "total", "Variable:0"]
    assert np.asarray(metric([1.0, 3.0])) == 2.0 + 4.0 + 1.0
    metric.reset_state()
    assert [v.numpy() for v in metric.variables] == [0.0] * 5


def test_a_metric_without_its_methods():
    for method in ("update_state", "result"):
        with pytest.raises(NotImplementedError, match=rf"^Metric must write {method}\(self"):
            getattr(keras.metrics.Metric(), method)()


def test_values_instead_of_state():
    metric = keras.metrics.Mean()
    metric.update_state([8.0])
    new = metric.stateless_update_state([0.0, 0.0], [1.0, 3.0])
    assert [np.asarray(value) for value in new] == [4.0, 2.0]
    assert np.asarray(metric.stateless_result(new)) == 2.0
    assert [np.asarray(value) for value in metric.stateless_reset_state()] == [0.0, 0.0]
    assert np.asarray(metric.result()) == 8.0
    with pytest.raises(ValueError) as caught:
        metric.stateless_result([1.0])
    assert str(caught.value) == "mean: there must be one value for each variable (values=1, variables=2)."


def test_a_metric_in_double_precision():
    metric = keras.metrics.Mean(dtype="float64")
    metric.update_state(np.full(3, 0.1))
    assert metric.result().dtype == "float64" and np.asarray(metric.result()) == np.full(3, 0.1).sum() / 3


# ---- what a user does wrong


def test_a_function_that_broadcasts_over_the_batch():
    def squeezing(y_true, y_pred):
        return tf.squeeze(y_true, -1) - y_pred

    with pytest.raises(ValueError) as caught:
        keras.metrics.MeanMetricWrapper(squeezing)(np.ones((4, 1), "f"), np.ones((4, 1), "f"))
    assert str(caught.value) == (
        "metric 'squeezing': its values are of every target against every prediction (y_true=float32(4, 1), "
        "y_pred=float32(4, 1), values=(4, 4)); y_true and y_pred were broadcast over each other. Give them one shape "
        "before they are combined: y_true = tf.reshape(y_true, tf.shape(y_pred))."
    )


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: keras.metrics.Precision(thresholds=1.5),
            "thresholds: thresholds must be between 0 and 1 (given=1.5).",
        ),
        (lambda: keras.metrics.AUC(curve="ROK"), "AUC: 'ROK' is no curve; it is one of ROC, PR."),
        (lambda: keras.metrics.AUC(num_thresholds=1), "AUC: num_thresholds must be above 1 (num_thresholds=1)."),
        (
            lambda: keras.metrics.AUC(label_weights=[1.0]),
            "AUC: label_weights need multi_label=True (label_weights=[1.0]).",
        ),
        (
            lambda: keras.metrics.F1Score(average="mean"),
            "FBetaScore: 'mean' is no average; it is micro, macro, weighted or None.",
        ),
        (lambda: keras.metrics.FBetaScore(beta=0), "FBetaScore: beta must be above 0 (beta=0)."),
        (
            lambda: keras.metrics.R2Score(class_aggregation="sum"),
            "R2Score: 'sum' is no class_aggregation; it is uniform_average, variance_weighted_average or None.",
        ),
        (
            lambda: keras.metrics.PrecisionAtRecall(2.0),
            "PrecisionAtRecall: the value to reach must be between 0 and 1 (given=2.0).",
        ),
    ],
)
def test_settings_that_make_no_sense(make, text):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == text


def test_a_state_that_appears_at_the_first_batch_is_made_in_a_trace_too():
    y_true, y_pred = samples.numbers()
    metric = keras.metrics.R2Score()
    compiled.run(metric.update_state, y_true, y_pred)
    other = keras.metrics.R2Score()
    other.update_state(y_true, y_pred)
    battery.same(metric.result(), other.result(), rtol=1e-5)
