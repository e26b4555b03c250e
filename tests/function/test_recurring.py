"""Calls of built-in parts that come again run as one line of NumPy calls: the same bits, and never unasked for a user's own."""

import copy
import threading

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.function.recurring import recurring
from tensorsmith.keras.optimizers import schedules
from tensorsmith.keras.variable import Variable
from tests.support.batteries import metrics as metric_battery
from tests.support.batteries import optimizers as optimizer_battery

FURTHER = [
    ("Adam", {"weight_decay": 0.1, "global_clipnorm": 0.5, "use_ema": True, "ema_overwrite_frequency": 2}),
    ("Nadam", {"learning_rate": schedules.ExponentialDecay(0.1, 2, 0.5), "clipvalue": 0.2}),
    ("SGD", {"learning_rate": schedules.PiecewiseConstantDecay([2, 3], [0.3, 0.2, 0.1]), "momentum": 0.9}),
    ("RMSprop", {"gradient_accumulation_steps": 2, "clipnorm": 0.3}),
]
OPTIMIZERS = optimizer_battery.ROWS + FURTHER


@pytest.fixture
def as_it_is():
    """Within it, every call runs operation by operation."""

    class Switch:
        def __enter__(self):
            tf.config.run_functions_eagerly(True)

        def __exit__(self, *exc):
            tf.config.run_functions_eagerly(False)

    yield Switch()
    tf.config.run_functions_eagerly(False)


def straight(part):
    """How many kinds of its calls run as one line."""
    return sum(callable(form) for form in part._calls._forms.values())


def same_bits(ours, others):
    for one, other in zip(ours, others, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
        assert np.asarray(one).dtype == np.asarray(other).dtype and np.asarray(one).shape == np.asarray(other).shape


class TestOptimizers:
    @pytest.mark.parametrize(("name", "settings"), OPTIMIZERS, ids=[f"{n}-{list(s)}" for n, s in OPTIMIZERS])
    def test_the_bits_of_single_operations(self, name, settings, as_it_is):
        make = getattr(keras.optimizers, name)
        ours, plain = make(**settings), make(**settings)
        first, second = optimizer_battery.variables(), optimizer_battery.variables()
        for at in range(6):
            optimizer_battery.step(ours, first, at)
            with as_it_is:
                optimizer_battery.step(plain, second, at)
            same_bits([*first, *ours.variables], [*second, *plain.variables])
        assert straight(ours) == 1 and straight(plain) == 0

    def test_double_precision(self, as_it_is):
        ours, plain = keras.optimizers.Nadam(), keras.optimizers.Nadam()
        first, second = optimizer_battery.variables("float64"), optimizer_battery.variables("float64")
        for at in range(4):
            optimizer_battery.step(ours, first, at)
            with as_it_is:
                optimizer_battery.step(plain, second, at)
        same_bits([*first, *ours.variables], [*second, *plain.variables])
        assert straight(ours) == 1

    @pytest.mark.parametrize("change", [
        lambda o: setattr(o, "learning_rate", 0.5),
        lambda o: o.learning_rate.assign(0.25),
        lambda o: setattr(o, "momentum", 0.1),
        lambda o: setattr(o, "clipvalue", 0.01),
        lambda o: o.exclude_from_weight_decay(var_names=["a"]),
        lambda o: o.iterations.assign(7),
        lambda o: setattr(o, "learning_rate", schedules.ExponentialDecay(0.5, 1, 0.5)) ,
    ])  # fmt: skip
    def test_what_is_changed_between_steps_counts(self, change, as_it_is):
        def make():
            return keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1)

        ours, plain = make(), make()
        first, second = optimizer_battery.variables(), optimizer_battery.variables()
        for at in range(6):
            if at == 3:
                assert straight(ours) == 1
                change(ours)
                change(plain)
            optimizer_battery.step(ours, first, at)
            with as_it_is:
                optimizer_battery.step(plain, second, at)
            same_bits(first, second)

    def test_settings_of_a_schedule_count(self):
        schedule = schedules.ExponentialDecay(1.0, 1000, 1.0)
        optimizer, variable = keras.optimizers.SGD(schedule), Variable(np.zeros(1, "f"))
        for _ in range(3):
            optimizer.apply([tf.constant([1.0])], [variable])
        assert straight(optimizer) == 1
        schedule.initial_learning_rate = 10.0
        optimizer.apply([tf.constant([1.0])], [variable])
        assert variable.numpy() == -13.0

    def test_a_schedule_of_the_users_own_is_asked_at_each_step(self):
        asked = []

        class Halving(schedules.LearningRateSchedule):
            def __call__(self, step):
                asked.append(int(step))
                return 0.5 ** tf.cast(step, "float32")

        optimizer, variable = keras.optimizers.SGD(Halving()), Variable(np.zeros(1, "f"))
        for _ in range(4):
            optimizer.apply([tf.constant([1.0])], [variable])
        assert asked == [0, 1, 2, 3] and straight(optimizer) == 1
        assert variable.numpy() == -(1 + 0.5 + 0.25 + 0.125)

    def test_constraints_built_in_and_own(self):
        calls = []

        def halved(w):
            calls.append(float(w[0]))
            return w * 0.5

        own = Variable(np.ones(2, "f"), constraint=halved)
        # halves what the length is beyond 1
        shorter = Variable(np.array([17.0, 0.0], "f"), constraint=keras.constraints.MinMaxNorm(0.0, 1.0, rate=0.5))
        optimizer = keras.optimizers.SGD(1.0)
        for _ in range(4):
            optimizer.apply([tf.zeros(2), tf.zeros(2)], [own, shorter])
        assert calls == [1.0, 0.5, 0.25, 0.125] and straight(optimizer) == 1
        assert own.numpy().tolist() == [0.0625] * 2
        np.testing.assert_allclose(shorter, [1 + 16 / 2**4, 0.0], rtol=1e-5)

    def test_an_optimizer_of_the_users_own_runs_as_it_is(self):
        seen = []

        class Noting(keras.optimizers.SGD):
            def update_step(self, gradient, variable, learning_rate):
                seen.append(gradient.numpy().item())
                super().update_step(gradient, variable, learning_rate)

        optimizer, variable = Noting(1.0), Variable(np.zeros(1, "f"))
        for at in range(4):
            optimizer.apply([tf.constant([float(at)])], [variable])
        assert seen == [0.0, 1.0, 2.0, 3.0] and straight(optimizer) == 0

    def test_a_derivative_ends_at_a_step(self):
        optimizer, w = keras.optimizers.SGD(0.5), Variable(np.array([3.0], "f"))
        for _ in range(3):
            optimizer.apply([tf.constant([0.0])], [w])
        assert straight(optimizer) == 1
        rate = tf.constant([2.0])
        with tf.GradientTape() as tape:
            tape.watch(rate)
            optimizer.apply([rate * rate], [w])
            loss = tf.reduce_sum(w * w)
        by_rate, by_w = tape.gradient(loss, [rate, w])
        # w = 3 - rate**2 / 2 = 1
        assert by_rate is None
        np.testing.assert_allclose(by_w, [2.0])

    def test_other_variables_and_missing_gradients_have_their_own_form(self):
        optimizer, (a, b, c) = keras.optimizers.SGD(1.0), [Variable(np.zeros(1, "f")) for _ in range(3)]
        optimizer.build([a, b])
        for _ in range(3):
            optimizer.apply([tf.ones(1)], [a])
        for _ in range(3):
            optimizer.apply([tf.ones(1)], [b])
        assert straight(optimizer) == 2 and a.numpy() == b.numpy() == -3.0
        with pytest.raises(ValueError, match="built for other variables"):
            optimizer.apply([tf.ones(1)], [c])

    def test_steps_on_many_threads(self):
        parts = [(keras.optimizers.Nadam(), optimizer_battery.variables()) for _ in range(4)]

        def work(optimizer, changed):
            for at in range(30):
                optimizer_battery.step(optimizer, changed, at % 5)

        threads = [threading.Thread(target=work, args=part) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _, changed in parts[1:]:
            same_bits(changed, parts[0][1])


class TestMetrics:
    @pytest.mark.parametrize(
        ("name", "settings", "sample"), metric_battery.ROWS, ids=[f"{n}-{s}" for n, s, _ in metric_battery.ROWS]
    )
    def test_the_bits_of_single_operations(self, name, settings, sample, as_it_is):
        make = getattr(keras.metrics, name)
        ours, plain = make(**settings), make(**settings)
        y_true, y_pred = sample()
        weights = metric_battery.WEIGHTS
        batches = [(y_true, y_pred), (y_true[::-1].copy(), y_pred), (y_true[:2], y_pred[:2])] * 3
        for at, batch in enumerate([*batches, *[(*batches[0], weights), (*batches[1], weights[::-1].copy())] * 2]):
            found = ours(*batch)
            with as_it_is:
                expected = plain(*batch)
            same_bits([found, *ours.variables], [expected, *plain.variables])
            if at == 5:
                ours.reset_state()
                plain.reset_state()
        assert straight(ours) == 3, "whole batches, short ones, and those with weights"

    def test_mean_and_sum_of_tensors(self, as_it_is):
        for kind in (keras.metrics.Mean, keras.metrics.Sum):
            ours, plain = kind(), kind()
            for at in range(4):
                for value in (tf.constant(at + 0.1), tf.constant([[at, 0.3], [0.7, 2.0]]), at + 0.7, [at, 1.0]):
                    found = ours(value)
                    with as_it_is:
                        expected = plain(value)
                    same_bits([found, *ours.variables], [expected, *plain.variables])
            assert straight(ours) == 2

    def test_weights_by_name_and_none(self, as_it_is):
        ours, plain = keras.metrics.MeanAbsoluteError(), keras.metrics.MeanAbsoluteError()
        y, p, w = np.ones((3, 1), "f"), np.arange(3, dtype="f")[:, None], np.array([1.0, 0.0, 5.0], "f")
        for settings in [{"sample_weight": w}, {"sample_weight": None}, {}] * 3:
            found = ours(y, p, **settings)
            with as_it_is:
                expected = plain(y, p, **settings)
            same_bits([found], [expected])
        assert straight(ours) == 3

    def test_arguments_by_name_in_any_order(self):
        metric = keras.metrics.MeanAbsolutePercentageError()
        y, p = np.full((3, 1), 2.0, "f"), np.ones((3, 1), "f")
        for _ in range(3):
            metric(y_true=y, y_pred=p)
            assert metric(y_pred=p, y_true=y).numpy() == 50.0
        assert straight(metric) == 2

    def test_a_mask_is_seen_at_each_call(self):
        metric = keras.metrics.MeanAbsoluteError()
        y = np.zeros((2, 2), "f")
        for expected in (1.5, 1.5, 1.5):
            metric(y, tf.constant([[1.0, 1.0], [2.0, 2.0]]))
            assert metric.result().numpy() == expected
        metric.reset_state()
        masked = tf.constant([[1.0, 1.0], [2.0, 2.0]])
        masked._keras_mask = tf.constant([True, False])
        assert metric(y, masked).numpy() == 1.0

    def test_a_metric_of_the_users_own_runs_as_it_is(self):
        seen = []

        class Total(keras.metrics.Metric):
            def __init__(self):
                super().__init__()
                self.total = self.add_weight("total", initializer="zeros")

            def update_state(self, values, sample_weight=None):
                seen.append(float(values))
                self.total.assign_add(values)

            def result(self):
                return self.total.value()

        def off_by(y_true, y_pred):
            seen.append(float(y_pred[0]))
            return y_pred - y_true

        total, wrapped = Total(), keras.metrics.MeanMetricWrapper(off_by)
        for at in range(4):
            total(tf.constant(float(at)))
            wrapped(np.zeros(1, "f"), np.array([at], "f"))
        assert seen == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
        assert straight(total) == straight(wrapped) == 0

    def test_an_array_that_the_caller_changes_is_not_kept(self):
        class Last:
            # as if it were one of ours: those that stand here keep no batch
            __module__ = "tensorsmith.last"

            def __init__(self):
                self.values = tf.Variable([0.0, 0.0])

            def __call__(self, values):
                return recurring(self)(self.keep, (values,))

            def keep(self, values):
                self.values.assign(tf.reshape(values, (2,)))
                return tf.transpose(values)

        last, batch = Last(), np.ones((1, 2), "f")
        for _ in range(3):
            result = last(batch)
        assert straight(last) == 1
        batch[:] = 100.0
        assert result.numpy().tolist() == [[1.0], [1.0]] and last.values.numpy().tolist() == [1.0, 1.0]

    def test_a_loop_whose_shapes_always_change_traces_nothing_and_keeps_little(self, monkeypatch):
        metric = keras.metrics.Mean()
        metric(tf.ones(1))
        for n in range(2, 300):
            metric(tf.ones(n))
        assert straight(metric) == 0 and len(metric._calls._forms) <= 64

    def test_a_call_that_fails_leaves_the_metric_as_it_was(self):
        metric = keras.metrics.MeanAbsoluteError()
        y, p = np.ones((3, 1), "f"), np.zeros((3, 1), "f")
        for _ in range(3):
            metric(y, p)
        with pytest.raises(ValueError, match="differ in shape"):
            metric(np.ones((2, 1), "f"), p)
        assert metric.count.numpy() == 9.0 and metric(y, p).numpy() == 1.0

    def test_inside_a_traced_function(self):
        metric = keras.metrics.Mean()
        for _ in range(3):
            metric(tf.constant([2.0]))

        two = tf.constant([2.0])

        @tf.function
        def update(x):
            metric(two)
            return metric(x)

        for at in range(2):
            total, count = 6 + 8 * (at + 1), 3 + 2 * (at + 1)
            assert update(tf.constant([6.0])).numpy() == np.float32(total) / np.float32(count)
        assert metric(two).numpy() == np.float32(24.0) / 8

    def test_a_copy_has_forms_of_its_own(self):
        metric = keras.metrics.Mean()
        for _ in range(3):
            metric(tf.constant([2.0]))
        again = copy.deepcopy(metric)
        for _ in range(3):
            again(tf.constant([8.0]))
        assert metric.result().numpy() == 2.0 and again.result().numpy() == 5.0 and metric.count.numpy() == 3.0

    def test_settings_of_the_process_count(self):
        metric = keras.metrics.Mean()
        for _ in range(3):
            metric(tf.constant([2.0]))
        assert straight(metric) == 1
        keras.backend.set_epsilon(1e-3)
        try:
            metric(tf.constant([2.0]))
            assert straight(metric) == 0
        finally:
            keras.backend.set_epsilon(1e-7)
