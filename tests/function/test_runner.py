"""Compiled functions between calls: variables that stay on the device are what they would be anywhere else."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.program import execute, xla
from tensorsmith.program.words import empty
from tensorsmith.tensor.held import Window


@pytest.fixture(params=["own device", "JAX's device"])
def device(request, monkeypatch):
    """Once as it is, once where the interface below JAX has gone."""
    if request.param == "JAX's device":

        def gone():
            raise AttributeError("gone")

        monkeypatch.setattr(xla, "synchronous_device", gone)
    monkeypatch.setattr(execute, "_device", [])
    execute.forget()
    yield request.param
    execute.forget()


def counter(**kinds):
    """A traced function that adds to variables of several kinds, and the variables."""
    variables = {
        "small": tf.Variable([1.0, 2.0]),
        "steps": tf.Variable(0, dtype=tf.int64),
        "wide": tf.Variable(np.zeros(3, "float64")),
        "flag": tf.Variable(False),
        "large": tf.Variable(np.zeros((70, 50), "float32")),
        "empty": tf.Variable(np.zeros((0, 2), "float32")),
    }

    @tf.function
    def add(x):
        variables["small"].assign_add(x)
        variables["steps"].assign_add(1)
        variables["wide"].assign_add(tf.cast([1.0, 2.0, 3.0], tf.float64))
        variables["flag"].assign(tf.logical_not(variables["flag"]))
        variables["large"].assign_add(tf.ones((70, 50)) * x[0])
        variables["empty"].assign(variables["empty"] * 2.0)
        return tf.reduce_sum(variables["small"])

    return add, variables


def test_variables_of_all_kinds_have_their_values_after_each_call(device):
    add, variables = counter()
    x = np.array([1.0, 10.0], "float32")
    for n in range(1, 4):
        assert add(x).numpy() == 3.0 + 11.0 * n
        assert variables["small"].numpy().tolist() == [1.0 + n, 2.0 + 10.0 * n]
        assert variables["steps"].numpy() == n and variables["steps"].numpy().dtype == np.int64
        assert variables["wide"].numpy().tolist() == [n, 2.0 * n, 3.0 * n]
        assert bool(variables["flag"]) is bool(n % 2)
        assert (variables["large"].numpy() == n).all() and variables["large"].shape == (70, 50)
        assert variables["empty"].shape == (0, 2)
    assert type(variables["small"]._stored) is Window


def test_what_was_read_stays_what_it_was():
    add, variables = counter()
    x = np.array([1.0, 1.0], "float32")
    add(x)
    tensor, view, again = variables["small"].value(), np.asarray(variables["small"]), copy.deepcopy(variables["small"])
    pickled = pickle.dumps(variables["small"]._tensor)
    large = variables["large"].value()
    result = add(x)
    add(x)
    assert tensor.numpy().tolist() == view.tolist() == again.numpy().tolist() == [2.0, 3.0]
    assert pickle.loads(pickled).numpy().tolist() == [2.0, 3.0] and (large.numpy() == 1.0).all()
    assert result.numpy() == 7.0 and variables["small"].numpy().tolist() == [4.0, 5.0]
    again.assign([0.0, 0.0])
    assert variables["small"].numpy().tolist() == [4.0, 5.0]


def test_a_result_does_not_keep_the_whole_state():
    v = tf.Variable(np.ones(1000, "float32"))
    step = tf.function(lambda x: v.assign_add(x)[:2])
    one = np.ones(1000, "float32")
    assert step(one)._array.flags.owndata
    assert step(one).numpy().tolist() == [3.0, 3.0]


def test_large_arrays_of_64_bits_go_in_and_out(device):
    v = tf.Variable(np.arange(3000, dtype="int64"))

    @tf.function
    def step(x):
        return x * 2.0, v.assign_add(v)

    x = np.full(3000, 1.0 + 2.0**-40)
    double, value = step(x)
    assert double.dtype == tf.float64 and (double.numpy() == 2.0 * x).all()
    assert value.dtype == tf.int64 and (v.numpy() == 2 * np.arange(3000)).all()


def test_assignments_between_calls_are_seen(device):
    add, variables = counter()
    x = np.array([1.0, 1.0], "float32")
    add(x)
    variables["small"].assign([10.0, 10.0])
    variables["large"].assign(np.full((70, 50), 5.0, "float32"))
    assert add(x).numpy() == 22.0 and (variables["large"].numpy() == 6.0).all()
    variables["small"].assign_add([1.0, 0.0])
    assert add(x).numpy() == 25.0 and variables["steps"].numpy() == 3


def test_the_callers_array_may_change_after_the_call(device):
    v = tf.Variable(np.zeros(4, "float32"))

    @tf.function
    def keep(small, large):
        v.assign(small)
        return small, large, large * 1.0

    for size in (4, 5000):
        small, large = np.arange(4, dtype="float32"), empty(size).view("float32")
        large[:] = np.arange(size)  # where it stands XLA reads it without a copy
        a, b, c = keep(small, large)
        small[:], large[:] = -1.0, -1.0
        assert a.numpy().tolist() == v.numpy().tolist() == [0.0, 1.0, 2.0, 3.0]
        assert b.numpy().tolist() == c.numpy().tolist() == list(range(size))


def test_two_functions_share_variables():
    w, seen, rate = tf.Variable([1.0, 1.0]), tf.Variable(0.0), tf.Variable(0.5)
    train = tf.function(lambda x: w.assign_sub(rate * x))
    test = tf.function(lambda x: seen.assign_add(tf.reduce_sum(w * x)))
    halve = tf.function(lambda: w.assign(w * 0.5))
    expected_w, expected_seen, expected_rate = np.array([1.0, 1.0]), 0.0, 0.5
    rng = np.random.default_rng(0)
    for n in range(40):
        x = rng.integers(-3, 4, 2).astype("float32")
        kind = rng.integers(5)
        if kind == 0:
            expected_w = expected_w - expected_rate * x
            assert train(x).numpy().tolist() == expected_w.tolist()
        elif kind == 1:
            expected_seen += float(np.sum(expected_w * x))
            assert test(x).numpy() == expected_seen
        elif kind == 2:
            expected_w = expected_w * 0.5
            halve()
        elif kind == 3:
            expected_w = x.astype(float)
            w.assign(x)
        else:
            expected_rate = float(2.0 ** -rng.integers(3))
            rate.assign(expected_rate)
        assert w.numpy().tolist() == expected_w.tolist() and seen.numpy() == expected_seen, n


def test_a_call_that_fails_or_is_interrupted_changes_nothing(monkeypatch):
    add, variables = counter()
    x = np.array([1.0, 1.0], "float32")
    add(x), add(x)
    before = {name: v.numpy() for name, v in variables.items()}
    (form,) = add._forms.all()
    runner = form._runner
    real = runner._executable

    for error in (KeyboardInterrupt, RuntimeError):

        def broken(given, error=error):
            def run(*arrays):
                real(given)(*arrays)
                raise error

            return run

        monkeypatch.setattr(runner, "_executable", broken)
        variables["steps"].assign(variables["steps"] + 0)  # the state is gathered anew before it fails
        with pytest.raises(error):
            add(x)
        for name, v in variables.items():
            np.testing.assert_array_equal(v.numpy(), before[name])
    monkeypatch.setattr(runner, "_executable", real)
    assert add(x).numpy() == before["small"].sum() + 2.0 and variables["steps"].numpy() == 3


def test_no_call_of_eight_threads_is_lost():
    v, n = tf.Variable([0.0, 0.0]), tf.Variable(0, dtype=tf.int64)

    @tf.function
    def add(x):
        n.assign_add(1)
        return v.assign_add(x)

    add(np.ones(2, "float32"))
    barrier, wrong = threading.Barrier(8), []

    def work():
        barrier.wait()
        for _ in range(50):
            result = add(np.ones(2, "float32")).numpy()
            if result[0] != result[1]:
                wrong.append(result)

    threads = [threading.Thread(target=work) for _ in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not wrong and v.numpy().tolist() == [401.0, 401.0] and n.numpy() == 401


def test_an_assignment_while_a_call_runs_comes_before_it(monkeypatch):
    v = tf.Variable(1.0)
    add = tf.function(lambda x: v.assign_add(x))
    add(np.float32(1.0))
    (form,) = add._forms.all()
    real = form._runner._executable

    def slow(given):
        def run(*arrays):
            v.assign(100.0)
            return real(given)(*arrays)

        return run

    monkeypatch.setattr(form._runner, "_executable", slow)
    assert add(np.float32(1.0)).numpy() == 3.0 and v.numpy() == 3.0


def test_shapes_that_change_share_one_state():
    total, rows = tf.Variable(tf.zeros(2)), tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def add(x):
        total.assign_add(tf.reduce_sum(x, axis=0))
        rows.assign_add(tf.shape(x)[0])
        return x * 2.0

    for size in (3, 1, 3, 0, 5):
        x = np.ones((size, 2), "float32")
        assert add(x).shape == (size, 2)
        assert (add(x).numpy() == 2.0).all()
    assert total.numpy().tolist() == [24.0, 24.0] and rows.numpy() == 24
    assert add.experimental_get_tracing_count() == 1


def test_a_variable_of_open_shape_changes_its_shape():
    v = tf.Variable(np.zeros((1, 2), "float32"), shape=[None, 2])
    grow = tf.function(lambda x: v.assign(tf.concat([v, x], axis=0)))
    for n in (2, 3, 4):
        grow(np.full((1, 2), n, "float32"))
        assert v.numpy()[:, 0].tolist() == [0.0, *range(2, n + 1)]


def model_of_two_layers():
    tf.random.set_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="elu"), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Nadam(learning_rate=0.05)
    return model, optimizer, keras.metrics.Mean()


def one_step(model, optimizer, mean, x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x) - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    mean(loss)
    return loss


@pytest.mark.parametrize("traced", [False, True])
def test_a_training_loop_with_all_that_may_come_between(traced, tmp_path, device):
    """Train and test steps, assignments, a new rate, fit, saving: as plain Python has it, traced or not."""
    x = np.random.default_rng(1).standard_normal((32, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    outcomes = []
    for compiled in (False, traced):
        model, optimizer, mean = model_of_two_layers()
        optimizer.build(model.trainable_variables)
        tested = keras.metrics.MeanAbsoluteError()
        step, test = one_step, lambda m, x, y, tested=tested: tested(y, m(x))
        if compiled:
            step, test = tf.function(step), tf.function(test)
        log = []
        for n in range(12):
            log.append(float(step(model, optimizer, mean, x, y)))
            log.append(float(test(model, x, y)))
            if n == 3:
                model.layers[0].bias.assign_add(tf.ones(4))
            if n == 5:
                optimizer.learning_rate = 0.01
            if n == 7:
                model.compile(loss="mse", optimizer="sgd")
                model.fit(x, y, epochs=1, shuffle=False, verbose=0)
            if n == 8:
                mean.reset_state()
            if n == 9:
                path = tmp_path / f"{compiled}.weights.h5"
                model.save_weights(path)
                saved = model.predict(x, verbose=0)
            if n == 10:
                model.load_weights(path)
                np.testing.assert_allclose(model.predict(x, verbose=0), saved, rtol=1e-6)
        log += [float(mean.result()), float(tested.result()), float(optimizer.iterations)]
        log += np.concatenate([w.ravel() for w in model.get_weights()]).tolist()
        outcomes.append(log)
    np.testing.assert_allclose(outcomes[1], outcomes[0], rtol=2e-5, atol=1e-6)


def test_calls_of_the_usual_kind_mean_what_others_do():
    traces = []

    @tf.function
    def f(x, k, flag=None):
        traces.append((k, flag))
        return x * float(k)

    x = np.ones(2, "float32")
    for k, flag in [(0.0, None), (-0.0, None), (0, None), (False, None), (0.0, "a"), (0.0, None), (-0.0, None)]:
        result = f(x, k, flag).numpy()
        assert np.signbit(result).tolist() == [np.signbit(float(k))] * 2
    assert len(traces) == 5
    f(tf.constant(x), 0.0, None), f(x[::-1], 0.0, None), f(np.ones(2, ">f4"), 0.0, None)
    assert len(traces) == 5
    f(np.ones(2, "float64"), 0.0, None), f(np.ones((2, 1), "float32"), 0.0, None)
    assert len(traces) == 7
    assert f(np.ones(2, ">f4"), 2, None).numpy().tolist() == [2.0, 2.0]


def test_objects_are_known_by_identity_also_when_one_has_the_id_of_another():
    class Scale:
        def __init__(self, by):
            self.by = by

    f = tf.function(lambda scale, x: x * scale.by)
    x, ids = np.ones(2, "float32"), set()
    for n in range(200):
        scale = Scale(float(n))
        ids.add(id(scale))
        assert f(scale, x).numpy()[0] == f(scale, x).numpy()[0] == n
        if n > 3 and len(ids) <= n:
            break  # an id has come again, and its object was told apart
        del scale
    assert len(ids) <= n


def test_nested_and_named_arguments_mean_the_same_as_the_first_time():
    traces = []

    @tf.function
    def f(batch, by=1.0, training=False):
        traces.append(1)
        return (batch["x"] * by + batch["y"][0]) * (2.0 if training else 1.0)

    x, y = np.float32(3.0), np.full((), 4.0, "float32")
    for _ in range(3):
        assert f({"x": x, "y": (y,)}).numpy() == 7.0
        assert f({"y": (y,), "x": x}, training=True).numpy() == 14.0
        assert f({"x": x, "y": (y,)}, by=2.0).numpy() == 10.0
        assert f({"x": x, "y": (y,)}, training=False, by=2.0).numpy() == 10.0
        assert f(batch={"x": x, "y": (y,)}, by=y).numpy() == 16.0
    assert len(traces) == 4
    minus = tf.function(lambda a, b: a - b)
    of_dict = tf.function(lambda d: d["a"] - d["b"])
    scaled = tf.function(lambda x, up=1.0, down=1.0: x * up / down)
    for _ in range(2):
        assert of_dict({"b": x, "a": y}).numpy() == 1.0 and of_dict({"a": x, "b": y}).numpy() == -1.0
        assert scaled(y, up=2.0).numpy() == 8.0 and scaled(y, down=2.0).numpy() == 2.0
    for _ in range(2):
        assert minus(a=x, b=y).numpy() == -1.0 and minus(b=x, a=y).numpy() == 1.0 and minus(x, b=y).numpy() == -1.0
    assert f({"x": x, "y": [y]}).numpy() == 7.0 and f({"x": x, "y": (y, y)}).numpy() == 7.0 and len(traces) == 6


def test_what_an_object_holds_is_read_again_where_it_is_known_by_that():
    @dataclasses.dataclass(eq=False)
    class Factor:
        by: float

    f = tf.function(lambda x, factor: x * factor.by)
    factor, x = Factor(3.0), np.float32(2.0)
    assert f(x, factor).numpy() == f(x, factor).numpy() == 6.0
    factor.by = 4.0
    assert f(x, factor).numpy() == 8.0


def test_a_tape_outside_sees_the_variables_that_stay_on_the_device():
    w = tf.Variable([2.0, 3.0], trainable=False)
    train = tf.function(lambda x: w.assign_add(x))
    x = np.ones(2, "float32")
    train(x)
    with tf.GradientTape() as tape:
        tape.watch(w)
        loss = tf.reduce_sum(w * w)
    assert tape.gradient(loss, w).numpy().tolist() == [6.0, 8.0]
    loss_of = tf.function(lambda: tf.reduce_sum(w * w))
    with tf.GradientTape() as tape:
        tape.watch(w)
        loss = loss_of()
    assert tape.gradient(loss, w).numpy().tolist() == [6.0, 8.0]
    assert train(x).numpy().tolist() == [4.0, 5.0]


def primitives(jaxpr):
    """The names of all operations in a traced JAX function, those in its loops and branches included."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for part in equation.params.values():
            for inner in part if isinstance(part, (list, tuple)) else [part]:
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from primitives(inner)


def test_the_forward_part_of_a_recurrent_step_runs_once_and_its_values_are_kept():
    w = tf.Variable(np.eye(3, dtype="float32"))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            h = tf.zeros((2, 3))
            for t in tf.range(4):
                h = tf.tanh(tf.matmul(h, w) + x[:, t])
            loss = tf.reduce_sum(h)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    step(np.ones((2, 4, 3), "float32"))
    (form,) = step._forms.all()
    runner, found = form._runner, []
    real = runner._executable
    runner._executable = lambda given: found.append(given) or real(given)
    step(np.ones((2, 4, 3), "float32"))
    with execute.guard():
        names = list(primitives(execute.jax().make_jaxpr(runner._function())(*found[0]).jaxpr))
    # one loop ahead and one back; the product ahead, and by each of its factors back
    assert (names.count("scan"), names.count("while"), names.count("tanh"), names.count("dot_general")) == (2, 0, 1, 3)
