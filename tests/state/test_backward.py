"""First sight: gradients from pieces, with work that is bounded and shared, and no JAX where none is needed."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.program import execute, pieces
from tensorsmith.state import replay
from tensorsmith.state import tape as tapes
from tests.support.process import python


@pytest.fixture(autouse=True)
def nothing_seen():
    tapes._forms.clear()
    replay._families.clear()
    pieces._pieces.clear()


def worked(function):
    """How often JAX traced and XLA compiled meanwhile."""
    before = execute.work.copy()
    function()
    return execute.work["traced"] - before["traced"], execute.work["compiled"] - before["compiled"]


def unrolled(w, rounds, step):
    with tf.GradientTape() as tape:
        h = tf.ones((4, 3))
        for _ in range(rounds):
            h = step(h, w)
        loss = tf.reduce_mean(tf.square(h))
    return tape.gradient(loss, w)


def test_a_loop_that_grows_costs_nothing_but_its_arithmetic():
    w = tf.Variable(np.eye(3, dtype="f") * 0.9)
    assert worked(lambda: [unrolled(w, n, lambda h, w: tf.tanh(h @ w)) for n in range(1, 12)]) == (0, 0)


def test_pieces_that_jax_derives_are_derived_once_for_all_lengths():
    w = tf.Variable(np.eye(3, dtype="f") * 0.9)

    def step(h, w):
        return tf.cumsum(tf.concat([h[:, :1], h[:, 1:]], axis=1) @ w, axis=1)

    unrolled(w, 1, step)
    unrolled(w, 2, step)
    unrolled(w, 3, step)
    assert worked(lambda: [unrolled(w, n, step) for n in range(4, 12)]) == (0, 0)


def test_sizes_that_change_at_every_step_cost_nothing_but_their_arithmetic():
    w = tf.Variable(np.arange(12.0, dtype="f").reshape(4, 3))

    def step(n):
        words = tf.constant(np.arange(n) % 4)
        with tf.GradientTape() as tape:
            rows = tf.stack([tf.gather(w, words), tf.ones((n, 3))])
            loss = tf.reduce_sum(tf.nn.softmax(tf.concat([rows[0], rows[1] * w[0]], axis=0)) ** 2.0)
        return tape.gradient(loss, w)

    step(5)
    # a place is not among the stored derivatives: it is derived once for all sizes
    assert worked(lambda: [step(n) for n in range(6, 40)]) == (0, 0)


@pytest.mark.parametrize("cut", ["slice", "split", "pad", "segments", "getitem", "scatter"])
def test_settings_that_are_sizes_may_change_too(cut):
    x = tf.Variable(np.linspace(-1.0, 1.0, 60, dtype="f").reshape(20, 3))
    ids = tf.constant(np.arange(20) % 2)
    cuts = {
        "slice": lambda n: tf.slice(x, [n, 0], [20 - n - 3, 3]),
        "split": lambda n: tf.split(x, [n, 20 - n])[0],
        "pad": lambda n: tf.pad(x, [[n, 30 - n], [0, 0]]) * tf.reshape(tf.range(150.0), (50, 3)),
        "segments": lambda n: tf.math.unsorted_segment_sum(x, ids, n),
        "getitem": lambda n: x[n : n + 2],
        "scatter": lambda n: tf.scatter_nd(ids[:, None], x, (n + 3, 3)),
    }
    expected = {
        "slice": lambda n, g: np.where((np.arange(20) >= n)[:, None] & (np.arange(20) < 17)[:, None], 2 * g, 0),
        "split": lambda n, g: np.where((np.arange(20) < n)[:, None], 2 * g, 0),
        "pad": lambda n, g: 2 * g * np.arange(150.0).reshape(50, 3)[n : n + 20] ** 2,
        "segments": lambda n, g: 2 * np.stack([g[::2].sum(0), g[1::2].sum(0)])[np.arange(20) % 2],
        "getitem": lambda n, g: np.where((np.arange(20) >= n)[:, None] & (np.arange(20) < n + 2)[:, None], 2 * g, 0),
        "scatter": lambda n, g: 2 * np.stack([g[::2].sum(0), g[1::2].sum(0)])[np.arange(20) % 2],
    }

    def step(n):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(cuts[cut](n) ** 2.0)
        found = tape.gradient(loss, x).numpy()
        np.testing.assert_allclose(found, expected[cut](n, x.numpy().astype(float)), rtol=1e-4, atol=1e-5)

    step(5)
    # none of these makes two sizes equal that were not before
    assert worked(lambda: [step(n) for n in (4, 6, 7, 8, 9, 11, 12)]) == (0, 0)


def test_a_piece_that_numpy_has_not_is_compiled_alone():
    x = tf.Variable(np.array([[0.3, 0.1], [0.1, 0.2]], "f"))

    def gradient():
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.tanh(tf.linalg.inv(x)))
        return tape.gradient(y, x).numpy()

    first = []
    assert worked(lambda: first.append(gradient()))[1] == 1
    inverse = np.linalg.inv(x.numpy().astype(float))
    np.testing.assert_allclose(first[0], -(inverse.T @ (1 / np.cosh(inverse) ** 2) @ inverse.T), rtol=1e-3)
    np.testing.assert_allclose(first[0], gradient(), rtol=1e-5)
    assert worked(gradient) == (0, 0)


def test_shapes_that_come_again_by_chance_do_not_storm_the_compiler():
    w = tf.Variable(np.linspace(-1.0, 1.0, 100_000, dtype="f").reshape(500, 200))

    def step(n):
        words = tf.constant(np.arange(n) * 7 % 500)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(w, words) ** 2.0)
        return tape.gradient(loss, w).numpy()

    sizes = [*range(250, 290)]
    first = [step(n) for n in sizes]
    assert worked(lambda: [step(n) for n in sizes] * 2) == (0, 0)
    for n, gradient in zip(sizes, first, strict=True):
        np.testing.assert_array_equal(gradient, step(n))
        np.testing.assert_allclose(gradient.sum(), 2 * w.numpy()[np.arange(n) * 7 % 500].sum(), rtol=1e-2, atol=1e-2)


def test_loops_of_other_lengths_do_not_storm_the_compiler():
    w = tf.Variable(np.eye(200, dtype="f") * 0.9)

    def step(n):
        return unrolled(w, n, lambda h, w: tf.tanh(tf.pad(h, [[0, 0], [0, 200 - h.shape[1]]]) @ w))

    for n in range(1, 9):
        step(n)
    assert worked(lambda: [step(n) for n in range(1, 9)])[1] == 0


def test_many_operations_side_by_side_are_not_compiled_when_they_come_a_second_time():
    w = tf.Variable(np.eye(250, dtype="f") * 0.9)

    def gradient():
        return unrolled(w, 60, lambda h, w: tf.tanh(tf.pad(h, [[0, 0], [0, 250 - h.shape[1]]]) @ w))

    gradient()
    assert worked(lambda: [gradient() for _ in range(3)]) == (0, 0)


def test_gradients_by_several_sources_keep_their_order_at_other_sizes():
    w, b, other = tf.Variable([[1.0, 2.0]]), tf.Variable([3.0, -1.0]), tf.Variable(1.0)
    for n in (3, 4, 5, 4, 3, 4):
        x = np.linspace(0.0, 1.0, n, dtype="f")[:, None]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((x @ w) * tf.constant([1.0, 10.0]) + b * 2.0)
        by_b, nothing, by_w = tape.gradient(loss, [b, other, w])
        assert nothing is None and by_b.numpy().tolist() == [2.0 * n, 2.0 * n]
        np.testing.assert_allclose(by_w.numpy(), [[x.sum(), 10 * x.sum()]], rtol=1e-5)


def test_sums_of_what_flows_are_quiet_about_infinity():
    x = tf.Variable(1e-10)
    for _ in range(3):
        with tf.GradientTape() as tape:
            y = x * 3e38 + x * 3e38
        assert tape.gradient(y, x).numpy() == np.inf


def test_of_a_few_shapes_each_is_made_whole_when_it_comes_again():
    w = tf.Variable(np.ones((300, 200), "f"))

    def step(n):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.tanh(tf.ones((n, 300)) @ w))
        return tape.gradient(loss, w).numpy()

    step(32), step(7)
    assert worked(lambda: step(32)) == (1, 1)
    assert worked(lambda: step(7)) == (1, 1)
    assert worked(lambda: [step(32), step(7)]) == (0, 0)


def test_replays_of_ever_new_shapes_are_forgotten():
    w = tf.Variable(np.ones(3, "f"))
    for n in range(1, 620):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.ones((n, 3)) * w)
        tape.gradient(loss, w)
    (form,) = tapes._forms.values()
    assert len(form.replays) == 512
    # none but the first has a program, of which there is need when one is compiled
    assert not any(replay._built for replay in form.replays.values())


@pytest.mark.parametrize("size", [3, 300])
def test_first_sight_and_later_ones_agree(size):
    rng = np.random.default_rng(0)
    w = tf.Variable(rng.normal(size=(size, size)))
    b = tf.Variable(rng.normal(size=(size,)))

    def gradient():
        with tf.GradientTape() as tape:
            h = tf.nn.softmax(w @ w + b)
            parts = tf.split(h, 3, axis=1)
            y = tf.reduce_max(parts[0], axis=1) * tf.reduce_sum(parts[2] * b[:1], axis=1)
        return [g.numpy() for g in tape.gradient(y, [w, b])]

    first, second, third = gradient(), gradient(), gradient()
    for a, b_, c in zip(first, second, third, strict=True):
        np.testing.assert_allclose(a, b_, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(b_, c)


def test_what_nothing_flows_into_does_not_meet_an_infinite_slope():
    @tf.custom_gradient
    def first(a, b):
        return a + b, lambda upstream: (upstream, None)

    x = tf.Variable([0.0, 4.0])

    def gradient():
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(first(x * 3.0, tf.sqrt(x)))
        return tape.gradient(y, x).numpy().tolist()

    assert [gradient(), gradient(), gradient()] == [[3.0, 3.0]] * 3


def test_loops_whose_length_hangs_on_values():
    x = tf.Variable(1.5)

    def gradient():
        with tf.GradientTape() as tape:
            y = tf.while_loop(lambda v: v < 100.0, lambda v: [v * v], [x * 1.0])[0]
        return tape.gradient(y, x).numpy().item()

    # squared until it is over 100: x**16
    assert gradient() == gradient() == pytest.approx(16 * 1.5**15)


def test_the_first_gradients_of_a_learner_need_no_jax(tmp_path):
    code = """
import sys
import numpy as np
import tensorsmith as tf

w1, w2 = tf.Variable(5.0), tf.Variable(3.0)
for _ in range(3):
    with tf.GradientTape() as tape:
        z = 3 * w1**2 + 2 * w1 * w2
    print([g.numpy().item() for g in tape.gradient(z, [w1, w2])])
x = tf.constant(np.arange(6.0).reshape(3, 2))
w, b = tf.Variable(np.zeros((2, 1))), tf.Variable(np.zeros(1))
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w + b - 1.0))
    for v, g in zip([w, b], tape.gradient(loss, [w, b])):
        v.assign_sub(0.05 * g)
print("jax" in sys.modules)
"""
    done = python("-c", code, cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["[36.0, 10.0]"] * 3 + ["False", ""]
