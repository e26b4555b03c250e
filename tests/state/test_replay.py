"""The gradients of small recordings, run on NumPy, equal those of compiled programs."""

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.program import small
from tensorsmith.state import tape as tapes

RNG = np.random.default_rng(0)
X = tf.constant(RNG.normal(size=(6, 4)).astype("float32"))


def variables():
    rng = np.random.default_rng(1)
    return [tf.Variable(rng.normal(size=s).astype("float32")) for s in ((4, 5), (5,), (5, 2), (2,))]


def huber(v):
    error = 1.0 - (tf.nn.selu(X @ v[0] + v[1]) @ v[2] + v[3])
    return tf.reduce_mean(tf.where(tf.abs(error) < 1, tf.square(error) / 2, tf.abs(error) - 0.5))


def softmax(v):
    return -tf.reduce_sum(tf.math.log(tf.nn.softmax(X @ v[0] + v[1], axis=-1) + 1e-3))


def mixture(v):
    h = tf.tanh(X @ v[0]) * tf.sigmoid(v[1]) / (1.0 + tf.exp(-tf.abs(v[1])))
    return tf.reduce_max(tf.sqrt(tf.square(h @ v[2]) + 0.1), axis=None) + tf.reduce_sum(v[3] ** 3)


def shapes(v):
    joined = tf.concat([tf.reshape(v[0], (5, 4)), tf.transpose(v[0])], axis=1)
    return tf.reduce_sum(tf.square(joined)) + tf.reduce_sum(tf.expand_dims(v[1], 0) * tf.maximum(X @ v[0], 0.0))


def gradients(function, v):
    with tf.GradientTape() as tape:
        loss = function(v)
    return [g if g is None else g.numpy() for g in tape.gradient(loss, v)]


def last_replay():
    return list(list(tapes._forms.values())[-1].replays.values())[-1]


@pytest.mark.parametrize("function", [huber, softmax, mixture, shapes])
def test_numpy_and_xla_agree(function, monkeypatch):
    v = variables()
    tapes._forms.clear()
    in_pieces, on_numpy = gradients(function, v), gradients(function, v)
    assert last_replay()._small, "it should have been run on NumPy"
    monkeypatch.setattr(small, "LIMIT", 0)
    tapes._forms.clear()
    gradients(function, v)
    compiled = gradients(function, v)
    assert last_replay()._small is None
    for a, b, c in zip(on_numpy, compiled, in_pieces, strict=True):
        assert (a is None) == (b is None) == (c is None)
        if a is not None:
            np.testing.assert_array_equal(a, c)
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
            assert a.dtype == b.dtype and a.shape == b.shape


def test_the_second_recording_of_a_form_uses_its_own_values():
    v = variables()
    first = gradients(huber, v)
    for variable in v:
        variable.assign(variable * 0.5)
    second = gradients(huber, v)
    tapes._forms.clear()
    for a, b, c in zip(second, gradients(huber, v), first, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
        assert np.abs(a - c).max() > 1e-4


def test_a_form_that_was_seen_is_not_traced_again():
    v = variables()
    gradients(huber, v)
    plans = len(tapes._forms)
    gradients(huber, v)
    assert len(tapes._forms) == plans


def test_large_values_go_to_xla():
    w = tf.Variable(np.ones((300, 300), "float32"))
    tapes._forms.clear()
    for _ in range(2):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.square(w))
        np.testing.assert_allclose(tape.gradient(y, w).numpy(), 2 * np.ones((300, 300)), rtol=1e-6)
    assert last_replay()._small is None


def test_a_gradient_that_is_handed_out_can_be_changed_without_harm():
    w = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(w * 3.0)
    gradient = tape.gradient(y, w)
    array = gradient.numpy()
    array[:] = 0
    assert gradient.numpy().tolist() == [3.0, 3.0]


def test_a_recording_of_another_size_has_a_replay_of_its_own():
    w = tf.Variable([2.0, 3.0])

    def gradient(n):
        x = tf.ones((n, 2))
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(x * w)
        return tape.gradient(y, w).numpy().tolist()

    tapes._forms.clear()
    assert [gradient(n) for n in (4, 7, 4)] == [[4.0, 4.0], [7.0, 7.0], [4.0, 4.0]]
    assert [len(form.replays) for form in tapes._forms.values()] == [2]


def test_lists_of_tensors_and_absent_arrays_are_told_apart():
    a, b = tf.Variable([1.0]), tf.Variable([2.0])

    def gradient(parts):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(
                tf.square(tf.concat(parts, axis=0)) * tf.stack([tf.constant(k + 1.0) for k in range(len(parts))])
            )
        return [None if g is None else g.numpy().tolist() for g in tape.gradient(y, [a, b])]

    assert gradient([a, b]) == [[2.0], [8.0]]
    assert gradient([b, a]) == [[4.0], [4.0]]
    assert gradient([a, a, b]) == [[2.0 + 4.0], [12.0]]
    assert gradient([a]) == [[2.0], None]


def test_settings_that_are_equal_but_not_the_same_are_told_apart():
    x = tf.Variable([-1.0])
    tapes._forms.clear()
    for alpha in (0.0, -0.0, 0.0):
        with tf.GradientTape() as tape:
            y = tf.nn.leaky_relu(x, alpha=alpha)
        tape.gradient(y, x)
    assert len(tapes._forms) == 2
