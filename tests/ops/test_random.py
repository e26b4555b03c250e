"""Draws: one seed, one stream, at once or compiled; the distributions they promise."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import scipy.stats

import tensorsmith as tf
from tensorsmith.function.trace import trace
from tensorsmith.ops.philox import bits32, bits64
from tensorsmith.program import execute
from tensorsmith.program.execute import guard, jax

STATE = np.array([1, 2**64 - 1, 7], "uint64")


@pytest.fixture(autouse=True)
def seeded() -> None:
    tf.random.set_seed(1)


def run_compiled(draw: Any, generator: tf.random.Generator) -> list[np.ndarray]:
    """What a traced draw gives, the state written back as a compiled step does."""
    program = trace(lambda graph: draw()).program
    captured = [source.numpy() for source, _ in program.captures]
    outputs, updates = execute.run(program, [], captured)
    for (variable, _), value in zip(program.updates, updates, strict=True):
        assert variable is generator.state
        variable.assign(value)
    return [np.asarray(o) for o in outputs]


def test_the_bits_are_those_of_numpys_philox() -> None:
    expected = np.random.Philox(key=STATE[:2], counter=np.array([0, 0, 7, 0], "uint64")).random_raw(12)
    assert sorted(bits64(np, STATE, 12).tolist()) == sorted(expected.tolist())


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 9, 100])
def test_the_bits_are_the_same_under_xla(count: int) -> None:
    with guard():
        both = jax().jit(lambda s: (bits32(jax().numpy, s, count), bits64(jax().numpy, s, count)))(STATE)
    assert np.asarray(both[0]).tolist() == bits32(np, STATE, count).tolist()
    assert np.asarray(both[1]).tolist() == bits64(np, STATE, count).tolist()


def test_one_seed_one_stream() -> None:
    tf.random.set_seed(42)
    first = [tf.random.normal([3]), tf.random.uniform([2, 2]), tf.random.shuffle([1, 2, 3, 4])]
    tf.random.set_seed(42)
    again = [tf.random.normal([3]), tf.random.uniform([2, 2]), tf.random.shuffle([1, 2, 3, 4])]
    tf.random.set_seed(43)
    other = tf.random.normal([3])
    assert [a.numpy().tolist() for a in first] == [a.numpy().tolist() for a in again]
    assert first[0].numpy().tolist() != other.numpy().tolist()
    assert tf.random.normal([3]).numpy().tolist() != other.numpy().tolist()


def test_the_seed_of_a_call_has_a_stream_of_its_own() -> None:
    tf.random.set_seed(5)
    a = [tf.random.normal([2], seed=1).numpy().tolist() for _ in range(2)]
    tf.random.set_seed(5)
    tf.random.normal([9])
    b = [tf.random.normal([2], seed=1).numpy().tolist() for _ in range(2)]
    assert a == b
    assert a[0] != a[1]
    assert tf.random.normal([2], seed=2).numpy().tolist() not in a


@pytest.mark.parametrize(
    "draw",
    [lambda g: g.uniform([3, 5]), lambda g: g.normal([7], 1.0, 2.0), lambda g: g.truncated_normal([9]),
     lambda g: g.uniform([4], 0, 10, tf.int32), lambda g: g.shuffle(tf.range(6)), lambda g: g.categorical(tf.zeros([2, 3]), 4),
     lambda g: g.normal([4], dtype=tf.float64), lambda g: g.uniform([4], dtype=tf.float16)],
)  # fmt: skip
def test_compiled_draws_are_the_same_numbers(draw: Any) -> None:
    eager = tf.random.Generator.from_seed(3)
    compiled = tf.random.Generator.from_seed(3)
    for _ in range(2):
        right = draw(eager).numpy()
        (found,) = run_compiled(lambda: draw(compiled), compiled)
        assert found.dtype == right.dtype
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)
    assert compiled.state.numpy().tolist() == eager.state.numpy().tolist()


def test_two_draws_in_one_trace_differ() -> None:
    generator = tf.random.Generator.from_seed(0)
    a, b = run_compiled(lambda: (generator.normal([4]), generator.normal([4])), generator)
    assert (a != b).all()
    assert generator.state.numpy()[2] == 2


def test_a_draw_takes_a_shape_known_when_it_runs() -> None:
    generator = tf.random.Generator.from_seed(0)

    def body(graph):
        x = graph.input((None, 2), "float32")
        drawn = generator.uniform(tf.shape(x))
        assert drawn.shape == (None, 2)
        return drawn

    program = trace(body).program
    (drawn,), _ = execute.run(program, [np.zeros((5, 2), "float32")], [generator.state.numpy()])
    assert drawn.shape == (5, 2)
    np.testing.assert_array_equal(drawn, generator.uniform([5, 2]).numpy())


COUNT = 20_000


@pytest.mark.parametrize(
    ("draw", "distribution"),
    [
        (lambda: tf.random.uniform([COUNT]), scipy.stats.uniform()),
        (lambda: tf.random.uniform([COUNT], -2.0, 3.0, tf.float64), scipy.stats.uniform(-2, 5)),
        (lambda: tf.random.normal([COUNT]), scipy.stats.norm()),
        (lambda: tf.random.normal([COUNT], 3.0, 0.5, tf.float64), scipy.stats.norm(3, 0.5)),
        (lambda: tf.random.truncated_normal([COUNT], 1.0, 2.0), scipy.stats.truncnorm(-2, 2, 1, 2)),
        (lambda: tf.random.stateless_normal([COUNT], [3, 4]), scipy.stats.norm()),
    ],
)
def test_draws_follow_their_distribution(draw: Any, distribution: Any) -> None:
    assert scipy.stats.kstest(draw().numpy().astype("float64"), distribution.cdf).pvalue > 0.01


def test_whole_numbers_are_even_and_within_their_range() -> None:
    drawn = tf.random.uniform([6000], -3, 3, tf.int32).numpy()
    counts = np.bincount(drawn + 3, minlength=6)
    assert drawn.dtype == np.int32
    assert len(counts) == 6
    assert scipy.stats.chisquare(counts).pvalue > 0.01


def test_classes_come_with_their_probabilities() -> None:
    p = np.array([0.5, 0.3, 0.2])
    drawn = tf.random.categorical(np.log([p, p[::-1]]), 6000).numpy()
    assert drawn.dtype == np.int64
    for row, wanted in zip(drawn, (p, p[::-1]), strict=True):
        assert scipy.stats.chisquare(np.bincount(row, minlength=3), 6000 * wanted).pvalue > 0.01


def test_a_shuffle_keeps_the_rows() -> None:
    rows = np.arange(20).reshape(10, 2)
    shuffled = tf.random.shuffle(rows).numpy()
    assert sorted(shuffled.tolist()) == rows.tolist()
    assert shuffled.tolist() != rows.tolist()


def test_a_uniform_draw_never_reaches_one() -> None:
    for dtype in ("float16", "float32", "float64"):
        drawn = tf.random.uniform([50_000], dtype=dtype).numpy()
        assert drawn.dtype == dtype
        assert drawn.min() >= 0
        assert drawn.max() < 1


def test_generators_are_independent_and_can_be_set_back() -> None:
    a = tf.random.Generator.from_seed(1)
    first = a.normal([2]).numpy().tolist()
    a.reset_from_seed(1)
    assert a.normal([2]).numpy().tolist() == first
    copy = tf.random.Generator(copy_from=a)
    assert copy.normal([2]).numpy().tolist() == a.normal([2]).numpy().tolist()
    left, right = a.split(2)
    assert left.normal([2]).numpy().tolist() != right.normal([2]).numpy().tolist()
    assert tf.random.Generator.from_non_deterministic_state().uniform([1]).shape == (1,)
    assert a.make_seeds(3).shape == (2, 3)


def test_stateless_draws_repeat() -> None:
    draws = [
        lambda s: tf.random.stateless_uniform([3], s), lambda s: tf.random.stateless_truncated_normal([3], s),
        lambda s: tf.random.stateless_uniform([3], s, 0, 100, tf.int32),
        lambda s: tf.random.stateless_categorical([[0.0, 0.0]], 9, s),
    ]  # fmt: skip
    for draw in draws:
        assert draw([1, 2]).numpy().tolist() == draw([1, 2]).numpy().tolist() != draw([2, 1]).numpy().tolist()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a seed has shape \(2,\)"):
        tf.random.stateless_uniform([3], [1])


def test_derivatives_flow_to_a_mean_and_a_deviation() -> None:
    mean, deviation = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        drawn = tf.random.normal([2], mean, deviation)
        y = tf.reduce_sum(drawn)
    by_mean, by_deviation = tape.gradient(y, [mean, deviation])
    assert by_mean.numpy().tolist() == [1, 1]
    np.testing.assert_allclose(by_deviation.numpy(), ((drawn - mean) / 3.0).numpy().sum(), rtol=1e-5)


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match=r"^random\.uniform: maxval must be given for int32\.$"):
        tf.random.uniform([2], dtype=tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="minval must be below maxval"):
        tf.random.uniform([2], 3, 3, dtype=tf.int32)
    with pytest.raises(ValueError, match="dtype must be a float"):
        tf.random.normal([2], dtype=tf.int32)
    with pytest.raises(ValueError, match="a seed must be an integer, not 'a'"):
        tf.random.set_seed("a")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"logits must be floats \[batch, classes\]"):
        tf.random.categorical([0.0, 1.0], 3)


def test_draws_are_fast() -> None:
    def best(call: Any, repeats: int) -> float:
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(lambda: tf.random.normal([400, 600]), 10) < 0.030
    assert best(lambda: tf.random.normal([3]), 200) < 100e-6


def test_seeding_everything_seeds_python_and_numpy() -> None:
    import random

    tf.keras.utils.set_random_seed(3)
    first = random.random(), np.random.rand(), tf.random.normal([1]).numpy().item()
    tf.keras.utils.set_random_seed(3)
    assert (random.random(), np.random.rand(), tf.random.normal([1]).numpy().item()) == first


def same(a: tf.Tensor, b: tf.Tensor) -> bool:
    return a.numpy().tolist() == b.numpy().tolist()


def test_generators_go_on_where_they_are_set() -> None:
    ahead, behind = tf.random.Generator.from_seed(3), tf.random.Generator.from_seed(3)
    for _ in range(4):
        ahead.normal([2])
    assert same(behind.skip(4), tf.random.Generator.from_seed(3).state)
    assert same(ahead.normal([2]), behind.normal([2]))
    again = tf.random.Generator.from_key_counter(3, [5, 0])
    assert same(again.normal([2]), ahead.normal([2]))
    again.reset_from_key_counter(3, [5, 0])
    behind.normal([2])
    assert same(again.state, tf.random.Generator.from_key_counter(3, [5, 0], "philox").state)
    assert not same(again.normal([2]), tf.random.Generator.from_key_counter(3, [5, 1]).normal([2]))
    assert int(again.key) == 3
    assert again.algorithm == 1


def test_skipping_in_a_compiled_function() -> None:
    ahead, behind = tf.random.Generator.from_seed(3), tf.random.Generator.from_seed(3)

    @tf.function
    def skipped() -> Any:
        ahead.skip(2)
        return ahead.uniform([2])

    behind.normal([1])
    behind.normal([1])
    assert same(skipped(), behind.uniform([2]))


def test_seeds_of_two_words() -> None:
    one, two = tf.random.Generator.from_seed([1, 2]), tf.random.Generator.from_seed([1, 3])
    assert not same(one.normal([2]), two.normal([2]))
    assert same(tf.random.Generator.from_seed([1]).normal([2]), tf.random.Generator.from_seed(1).normal([2]))
    with pytest.raises(ValueError, match=r"^Generator\.from_seed: a seed is one integer or two, not 3\.$"):
        tf.random.Generator.from_seed([1, 2, 3])
    with pytest.raises(
        ValueError, match=r"^Generator: alg must be 'philox', 'threefry' or 'auto_select', not 'dice'\.$"
    ):
        tf.random.Generator.from_seed(1, alg="dice")


def test_shapes_and_ranges_at_the_edge() -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"^random_uniform: a size is below 0 \(shape=\(-1,\)\)\.$"
    ):
        tf.random.uniform([-1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="a size is below 0"):
        tf.random.stateless_normal([2, -1], seed=[1, 2])
    assert tf.random.shuffle(3).numpy() == 3
    bits = tf.random.stateless_uniform([2000], seed=[1, 2], minval=None, dtype=tf.int32).numpy()
    assert bits.dtype == np.int32
    assert bits.min() < -(2**30)
    assert bits.max() > 2**30
