"""Values that single calls refuse are refused by compiled programs too, at the user's line, with nothing committed."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.program.checks import CHECK

X = np.arange(12, dtype="float32").reshape(3, 4)


def at(*places: Any) -> np.ndarray:
    return np.array(places, "int32")


ROWS = at(0, 2)

# (operation, function of the arguments, arguments that fit, the argument that does not and its place among them)
CASES = {
    "getitem": (lambda x, i: x[i], (X, np.int32(2)), (1, np.int32(3))),
    "getitem from the end": (lambda x, i: x[1, i], (X, np.int32(-4)), (1, np.int32(-5))),
    "getitem of places": (lambda x, i: x[:, i], (X, ROWS), (1, at(0, 4))),
    "gather": (tf.gather, (X, ROWS), (1, at(0, 3))),
    "gather below 0": (tf.gather, (X, ROWS), (1, at(-1))),
    "gather along 1": (lambda x, i: tf.gather(x, i, axis=1), (X, at(3)), (1, at(4))),
    "gather in batches": (
        lambda x, i: tf.gather(x, i, batch_dims=1), (X, at([3], [0], [1])), (1, at([4], [0], [1]))),
    "gather_nd": (tf.gather_nd, (X, at([2, 3])), (1, at([2, 4]))),
    "scatter_nd": (lambda i: tf.scatter_nd(i, [1.0], [3]), (at([2]),), (0, at([3]))),
    "tensor_scatter_nd_update": (
        lambda x, i: tf.tensor_scatter_nd_update(x, i, [[0.0] * 4]), (X, at([2])), (1, at([3]))),
    "tensor_scatter_nd_add": (
        lambda x, i: tf.tensor_scatter_nd_add(x, i, [1.0]), (X, at([2, 3])), (1, at([2, -1]))),
    "slice": (lambda x, i: tf.slice(x, [i, 0], [2, 2]), (X, np.int32(1)), (1, np.int32(2))),
    "unsorted_segment_sum": (
        lambda x, i: tf.math.unsorted_segment_sum(x, i, 2), (X, at(0, -1, 1)), (1, at(0, 2, 1))),
    "sparse_softmax_cross_entropy_with_logits": (
        lambda x, i: tf.nn.sparse_softmax_cross_entropy_with_logits(i, x),
        (X, at(0, 3, 1)), (1, at(0, 4, 1))),
    "reverse_sequence": (
        lambda x, n: tf.reverse_sequence(x, n, seq_axis=1), (X, at(0, 4, 2)), (1, at(0, 5, 2))),
    "invert_permutation": (tf.math.invert_permutation, (at(1, 0, 2),), (0, at(1, 1, 2))),
    "confusion_matrix": (
        lambda y, p: tf.math.confusion_matrix(y, p, num_classes=2),
        (at(0, 1), at(1, 1)), (1, at(1, 2))),
    "embedding_lookup": (tf.nn.embedding_lookup, (X, ROWS), (1, at(3))),
    "floordiv": (lambda x, y: x // y, (at(5, 6), at(2, -3)), (1, at(2, 0))),
    "floormod": (lambda x, y: x % y, (at(5, 6), at(2, -3)), (1, at(2, 0))),
    "truncatediv": (tf.truncatediv, (at(5, 6), at(2, -3)), (1, at(0, 1))),
    "truncatemod": (tf.truncatemod, (at(5, 6), at(2, -3)), (1, at(0, 1))),
    "pow": (tf.pow, (at(5, 6), at(2, 0)), (1, at(2, -1))),
}  # fmt: skip


def given(case: str, bad: bool) -> tuple[Any, list[Any]]:
    function, good, (place, wrong) = CASES[case]
    arrays = [wrong if bad and number == place else array for number, array in enumerate(good)]
    return function, [tf.constant(array) for array in arrays]


def traced(function: Any, arguments: list[Any], known: bool) -> Any:
    """The function compiled for the shapes of the arguments, or for their ranks alone, counting what it has done."""
    done = tf.Variable(0)
    specs = [tf.TensorSpec(a.shape if known else [None] * a.ndim, a.dtype) for a in arguments]

    @tf.function(input_signature=specs)
    def compiled(*args: Any) -> Any:
        done.assign_add(1)
        return function(*args)

    return compiled, done


# where the rank of the result hangs on the shape of the argument, the shape must be known
RANKED = [case for case in CASES if case not in ("gather_nd", "scatter_nd") and "scatter" not in case]


@pytest.mark.parametrize(("case", "known"), [(c, True) for c in CASES] + [(c, False) for c in RANKED])
def test_a_program_refuses_what_a_single_call_refuses(case: str, known: bool) -> None:
    function, fits = given(case, False)
    wrong = given(case, True)[1]
    with pytest.raises(tf.errors.InvalidArgumentError) as single:
        function(*wrong)
    compiled, done = traced(function, fits, known)
    np.testing.assert_allclose(compiled(*fits).numpy(), function(*fits).numpy())
    assert done.numpy() == 1
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        # another shape of the wrong argument is another program, of the same function
        traced(function, wrong, known)[0](*wrong) if known else compiled(*wrong)
    # who refuses it, and what is wrong; the values that are told may be fewer
    assert str(caught.value).partition(" (")[0].partition(". Checked")[0] == str(single.value).partition(" (")[0]
    assert done.numpy() == 1, "a run that was refused has assigned"
    assert traceback.extract_tb(caught.value.__traceback__)[-1].filename == __file__


def checks_of(program: Any) -> list[Any]:
    found = [node.settings["who"] for node in program.nodes if node.op is CHECK]
    return found + [name for node in program.nodes for part in node.programs for name in checks_of(part)]


def test_what_is_known_to_be_there_is_not_asked() -> None:
    @tf.function
    def total(x: Any) -> Any:
        result = x[0] + x[-1] + tf.gather(x, [0, 2])[0] + tf.slice(x, [0, 0], [1, 4])[0]
        for i in tf.range(3):
            result += x[i] * 2.0
        for row in x:
            result += row
        for i, row in enumerate(x):
            result += row * tf.cast(i // 2, tf.float32) + tf.gather(x, i)
        return result

    x = tf.constant(X)
    concrete = total.get_concrete_function(x)
    expected = X[0] + X[-1] + X[0] + X[0] + 2 * X.sum(0) + X.sum(0) + sum(X[i] * (i // 2) + X[i] for i in range(3))
    np.testing.assert_allclose(concrete(x).numpy(), expected)
    assert checks_of(concrete._program) == []
    asked = tf.function(lambda x, i: x[i + 1]).get_concrete_function(x, tf.constant(0))
    assert checks_of(asked._program) == ["getitem"]


def test_a_range_that_goes_too_far_is_asked() -> None:
    @tf.function
    def total(x: Any) -> Any:
        result = tf.zeros([4])
        for i in tf.range(4):
            result += x[i]
        return result

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^getitem: index 3 is out of bounds"):
        total(tf.constant(X))


INSIDE = {
    "a loop": lambda x, places: tf.scan(lambda total, i: total + tf.gather(x, i), places, tf.zeros([4])),
    "a while loop": lambda x, places: tf.while_loop(
        lambda n, total: n < 2, lambda n, total: (n + 1, total + tf.gather(x, places[n])), [0, tf.zeros([4])])[1],
    "a branch": lambda x, places: tf.cond(
        places[0] >= 0, lambda: tf.gather(x, places), lambda: tf.zeros_like(tf.gather(x, [0, 0]))),
    "map_fn": lambda x, places: tf.map_fn(lambda i: tf.gather(x, i), places, fn_output_signature=tf.float32),
    "vectorized_map": lambda x, places: tf.vectorized_map(lambda i: tf.gather(x, i) * 2.0, places),
    "another function": lambda x, places: tf.function(tf.gather)(x, places),
    "a recomputed part": lambda x, places: tf.recompute_grad(lambda v: tf.gather(v, places))(x),
}  # fmt: skip


@pytest.mark.parametrize("place", INSIDE)
def test_it_is_found_inside_of(place: str) -> None:
    def gradient(x: Any, places: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = INSIDE[place](x, places)
        return result, tape.gradient(result, x)

    x, fits, wrong = tf.constant(X), tf.constant(ROWS), tf.constant([0, 5])
    compiled = tf.function(gradient)
    for one, other in zip(compiled(x, fits), gradient(x, fits)):
        np.testing.assert_allclose(tf.convert_to_tensor(one), tf.convert_to_tensor(other))
    # derivatives are JAX's, which cannot tell the values
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"^gather: a place is out of range.* Checked at .*guards.py"
    ):
        compiled(x, wrong)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"^gather: a place is out of range \((place|indices)=.*5.*\)"
    ):
        tf.function(INSIDE[place])(x, wrong)


def test_rows_computed_at_once_tell_it_also_where_nothing_is_traced() -> None:
    x = tf.constant(X)
    assert tf.vectorized_map(lambda i: tf.gather(x, i), tf.constant(ROWS)).shape == (2, 4)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^gather: a place is out of range \(place=5, size=3\)"):
        tf.vectorized_map(lambda i: tf.gather(x, i), tf.constant([0, 5]))


def test_fit_tells_the_label_that_is_no_class_and_keeps_the_steps_before() -> None:
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(64, 5)).astype("float32"), rng.integers(0, 3, 64)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="sgd", loss=loss)
    model.fit(inputs, labels, batch_size=16, shuffle=False, verbose=0)
    labels[40] = 3
    before = model.get_weights()[0]
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"^sparse_categorical_crossentropy: a target is no class .* targets go from 0 to 2",
    ):
        model.fit(inputs, labels, batch_size=16, shuffle=False, verbose=0)
    assert model.optimizer.iterations.numpy() == 4 + 2
    assert np.isfinite(model.get_weights()[0]).all() and not np.array_equal(before, model.get_weights()[0])


def test_lines_above_do_not_make_it_another_program() -> None:
    def program(source: str) -> Any:
        names: dict[str, Any] = {"tf": tf}
        exec(compile(source, "moved.py", "exec"), names)
        return tf.function(names["f"], autograph=False).get_concrete_function(tf.constant(X), tf.constant(0))._program

    text = "def f(x, i):\n    return tf.gather(x, i)\n"
    assert program(text).signature() == program("\n\n" + text).signature()


def test_what_is_never_run_may_be_wrong() -> None:
    @tf.function
    def chosen(x: Any, first: Any) -> Any:
        for _ in tf.range(0):
            x += tf.gather(x, 7)
        return tf.cond(first, lambda: x, lambda: tf.cast(tf.cast(x, tf.int32) // 0, tf.float32))

    x = tf.constant([1.0])
    assert chosen(x, tf.constant(True)).numpy().tolist() == [1.0]
    at = np.zeros(1, "int32")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^floordiv: integer division by zero"):
        tf.function(lambda n: n // at)(tf.constant([3]))
