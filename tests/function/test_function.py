"""tf.function: one trace a signature, variables by reference, gradients, errors."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.state import random_generator


def counted(body):
    """A traced function and the list that grows with each trace."""
    traces = []

    @tf.function
    def function(*args, **kwargs):
        traces.append(1)
        return body(*args, **kwargs)

    return function, traces


def test_one_trace_for_each_dtype_shape_and_python_value():
    f, traces = counted(lambda x, k=1: x * tf.cast(k, x.dtype))
    for x, k, count in [
        (tf.constant(1.0), 1, 1), (tf.constant(5.0), 1, 1), (tf.constant(1), 1, 2), (tf.constant([1.0]), 1, 3),
        (tf.constant([7.0]), 1, 3), (np.float32(2.0), 1, 3), (tf.constant(1.0), 2, 4), (tf.constant(1.0), 2.0, 5),
    ]:  # fmt: skip
        assert np.asarray(f(x, k)).tolist() == (np.asarray(x) * k).tolist()
        assert len(traces) == count, (x, k)


def test_a_keyword_and_a_position_are_one_signature():
    traces = []

    @tf.function
    def f(x, k=2.0):
        traces.append(1)
        return x * k

    assert {f(tf.constant(3.0)).numpy(), f(x=tf.constant(3.0)).numpy(), f(tf.constant(3.0), k=2.0).numpy()} == {6.0}
    assert len(traces) == 1


def test_variables_are_read_when_it_is_called_and_written_when_it_returns():
    v = tf.Variable(1.0)

    @tf.function
    def f(by):
        v.assign_add(by)
        return v * 2.0

    assert f(tf.constant(2.0)).numpy() == 6.0
    v.assign(10.0)
    assert f(tf.constant(2.0)).numpy() == 24.0 and v.numpy() == 12.0


def test_nothing_is_written_when_it_fails():
    v = tf.Variable(1.0)

    @tf.function
    def f(i):
        v.assign(5.0)
        return tf.TensorArray(tf.float32, size=0, dynamic_size=True).unstack([1.0, 2.0]).write(i, 1.0).stack()

    with pytest.raises(tf.errors.OutOfRangeError, match=r"the index lies outside the array .index=-3"):
        f(tf.constant(-3))
    assert v.numpy() == 1.0


def test_variables_are_made_in_the_first_call_only():
    class Model:
        v = None

        @tf.function
        def __call__(self, x):
            if self.v is None:
                self.v = tf.Variable(2.0)
            return self.v.assign_add(x)

    model = Model()
    assert (model(tf.constant(1.0)).numpy(), model(tf.constant(1.0)).numpy()) == (3.0, 4.0)
    with pytest.raises(ValueError, match="it makes variables each time it is traced"):
        tf.function(lambda x: tf.Variable(1.0) * x)(tf.constant(1.0))


def test_methods_are_traced_for_each_object_and_let_it_go():
    class Model:
        def __init__(self):
            self.v, self.traces = tf.Variable(1.0), 0

        @tf.function
        def step(self, x):
            self.traces += 1
            return self.v.assign_add(x)

    a, b = Model(), Model()
    a.step(tf.constant(1.0)), a.step(tf.constant(1.0)), b.step(tf.constant(5.0))
    assert (a.v.numpy(), a.traces, b.v.numpy(), b.traces) == (3.0, 1, 6.0, 1)
    gone = weakref.ref(b)
    del b
    gc.collect()
    assert gone() is None


def test_nested_results_keep_their_form():
    f = tf.function(lambda x: {"a": (x, [x + 1.0, None]), "b": 3})
    result = f(tf.constant(1.0))
    assert result["a"][0].numpy() == 1.0 and result["a"][1][0].numpy() == 2.0 and result["a"][1][1] is None
    assert isinstance(result["b"], tf.Tensor) and result["b"].numpy() == 3


def test_ragged_sparse_and_strings_go_in_and_out():
    ragged = tf.ragged.constant([[1, 2], [3], []])
    total, wide = tf.function(lambda r: (tf.reduce_sum(r, axis=1), r * 2))(ragged)
    assert total.numpy().tolist() == [3, 3, 0] and wide.to_list() == [[2, 4], [6], []]
    sparse = tf.SparseTensor([[0, 1]], [3.0], [2, 2])
    assert tf.function(lambda s: tf.sparse.to_dense(s * 2.0))(sparse).numpy().tolist() == [[0, 6], [0, 0]]
    assert tf.function(tf.strings.length)(tf.constant(["ab", "c"])).numpy().tolist() == [2, 1]
    assert tf.function(lambda r: r.to_tensor())(ragged).numpy().tolist() == [[1, 2], [3, 0], [0, 0]]


def test_an_inner_function_is_traced_once_and_put_into_the_outer_program():
    v = tf.Variable(1.0)
    g, traces = counted(lambda x: v.assign_add(x) * x)
    f = tf.function(lambda x: g(x) + g(x * 2.0))
    # 1 + 3 = 4, times 3; 4 + 6 = 10, times 6
    assert f(tf.constant(3.0)).numpy() == 4 * 3 + 10 * 6 and v.numpy() == 10.0
    g(tf.constant(1.0))
    assert len(traces) == 1


@pytest.mark.parametrize("inside", [True, False])
def test_gradients(inside):
    w = tf.Variable([1.0, 2.0])

    def loss(x):
        return tf.reduce_sum(tf.square(w * x))

    def gradients(x, f=loss):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, [w, x])

    run = tf.function(gradients) if inside else lambda x: gradients(x, tf.function(loss))
    x = np.array([3.0, -1.0], "float32")
    by_w, by_x = run(tf.constant(x))
    np.testing.assert_allclose(by_w, 2 * w.numpy() * x * x)
    np.testing.assert_allclose(by_x, 2 * w.numpy() ** 2 * x)


@pytest.mark.parametrize("inside", [True, False])
def test_gradient_of_a_loop_whose_length_is_known_at_run_time(inside):
    def power(x, n):
        for _ in tf.range(n):
            x = x * x
        return x

    def derivative(x, n, f=power):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x, n)
        return tape.gradient(y, x)

    run = tf.function(derivative) if inside else lambda x, n: derivative(x, n, tf.function(power))
    for n in (0, 1, 3):
        assert run(tf.constant(2.0), tf.constant(n)).numpy() == 2**n * 2.0 ** (2**n - 1)


def test_refusals_come_while_it_is_traced():
    with pytest.raises(tf.errors.InvalidArgumentError, match="reshape"):
        tf.function(lambda x: tf.reshape(x, [7]))(tf.constant([1.0, 2.0]))


def test_eight_threads_trace_once():
    f, traces = counted(lambda x: x * 2.0)
    results, barrier = [], threading.Barrier(8)

    def work(k):
        barrier.wait()
        results.append((k, float(f(tf.constant(float(k))))))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(k, 2.0 * k) for k in range(8)] and len(traces) == 1


def test_run_functions_eagerly_runs_the_python_code_each_time():
    f, traces = counted(lambda x: x + 1.0)
    from tensorsmith.function.function import run_functions_eagerly

    run_functions_eagerly(True)
    try:
        f(tf.constant(1.0)), f(tf.constant(1.0))
    finally:
        run_functions_eagerly(False)
    assert len(traces) == 2


def test_the_streams_of_the_process_are_no_variables_of_the_function_that_draws_first(monkeypatch):
    monkeypatch.setattr(random_generator, "_global", None)
    monkeypatch.setattr(random_generator, "_by_seed", {})
    traces = []

    @tf.function
    def draw(x, how):
        traces.append(how)
        if how == "plain":
            return x
        return x + tf.random.normal([1], seed=3 if how == "seeded" else None)

    for how in ("plain", "global", "seeded"):
        draw(tf.constant([1.0]), how)
    assert traces == ["plain", "global", "seeded"]


@pytest.mark.parametrize("kind", [TypeError, ValueError])
def test_code_of_both_times_catches_what_does_not_fit_the_signature(kind):
    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def rows(x):
        return x

    with pytest.raises(kind, match="the argument 'x' does not fit the input_signature"):
        rows(tf.ones([3]))
