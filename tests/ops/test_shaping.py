"""Shapes changed, joined and split, as users ask for it."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

X = np.arange(24, dtype="float32").reshape(2, 3, 4)


def refusal(call: object) -> str:
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)) as caught:
        call()  # type: ignore[operator]
    return str(caught.value)


@pytest.mark.parametrize(
    "shape", [[4, 6], (4, 6), tf.constant([4, 6]), np.array([4, 6]), [tf.constant(4), -1], tf.TensorShape([4, 6])]
)
def test_a_shape_is_given_in_any_form(shape: object) -> None:
    assert tf.reshape(X, shape).numpy().tolist() == X.reshape(4, 6).tolist()
    assert tf.reshape(tf.Variable(X), shape).shape == (4, 6)
    if -1 not in np.array(shape, object).tolist():
        assert tf.zeros(shape).shape == (4, 6)
        assert tf.random.uniform(shape).shape == (4, 6)


def test_shapes_that_do_not_fit() -> None:
    assert refusal(lambda: tf.reshape(X, [5, 5])).startswith(
        "reshape: cannot reshape array of size 24 into shape (5,5)"
    )
    assert refusal(lambda: tf.zeros(tf.TensorShape([None, 2]))) == (
        "zeros: the shape (None, 2) is not fully known; use tf.shape(x) for the sizes at run time, or -1 in reshape."
    )
    assert refusal(lambda: tf.reshape(X, [None, 2])) == (
        "reshape: the shape (None, 2) holds None; use tf.shape(x) for sizes at run time, or -1 in reshape."
    )
    assert refusal(lambda: tf.squeeze(X, axis=1)).startswith("squeeze: cannot select an axis to squeeze out")
    assert refusal(lambda: tf.transpose(X, [0, 1])).startswith("transpose: axes don't match array")


def test_an_empty_tensor_takes_a_shape_with_an_open_size() -> None:
    assert tf.reshape(tf.zeros([0, 3]), [-1, 3]).shape == (0, 3)
    # sizes of 0 on both sides say nothing of the open one
    assert tf.reshape(tf.zeros([0]), [-1, 0]).shape == (1, 0)
    assert tf.reshape(tf.zeros([0, 6]), [0, 2, -1]).shape == (0, 2, 3)
    assert tf.reshape(tf.zeros([0, 6]), [3, -1]).shape == (3, 0)
    specs = [tf.TensorSpec([0, 6])]
    assert tf.function(lambda x: tf.reshape(x, [0, -1]), specs).get_concrete_function().output_shapes == (0, 6)


def test_sizes_are_int32_and_also_int64() -> None:
    assert tf.shape(X).dtype is tf.int32
    assert tf.shape(X, out_type=tf.int64).numpy().tolist() == [2, 3, 4]
    assert tf.size(X).numpy() == 24
    assert tf.rank(X).numpy() == 3
    assert tf.shape("text").numpy().tolist() == []
    assert tf.shape(tf.Variable(X)).numpy().tolist() == [2, 3, 4]


def test_stacking_undoes_unstacking() -> None:
    for axis in (0, 1, -1):
        assert tf.stack(tf.unstack(X, axis=axis), axis=axis).numpy().tolist() == X.tolist()
    assert [t.shape for t in tf.unstack(X, num=3, axis=1)] == [(2, 4)] * 3
    assert refusal(lambda: tf.unstack(X, num=5)) == "unstack: num is 5, but axis 0 has size 2."


def test_concat_undoes_split() -> None:
    assert tf.concat(tf.split(X, 2, axis=2), axis=2).numpy().tolist() == X.tolist()
    assert tf.concat(tf.split(X, [1, -1], axis=1), axis=1).numpy().tolist() == X.tolist()
    assert [t.shape[2] for t in tf.split(X, [1, 3], axis=-1)] == [1, 3]
    assert tf.concat([[1, 2], tf.constant([3])], 0).numpy().tolist() == [1, 2, 3]
    assert refusal(lambda: tf.split(X, 5, axis=2)) == (
        "split: the axis does not divide into equal parts (axis size=4, parts=5)."
    )
    assert refusal(lambda: tf.split(X, [1, 1], axis=2)) == (
        "split: the sizes do not add up to the size of the axis (sizes=(1, 1), axis size=4)."
    )


def test_padding_says_what_is_wrong() -> None:
    assert tf.pad([[1]], [[0, 1], [1, 0]], constant_values=7).numpy().tolist() == [[7, 1], [7, 7]]
    assert refusal(lambda: tf.pad(X, [[1, 1]])).startswith("pad: one (before, after) is needed for each axis")
    assert (
        refusal(lambda: tf.pad(X, [[0, 0]] * 3, "WRAP"))
        == "pad: mode must be CONSTANT, REFLECT or SYMMETRIC, not 'WRAP'."
    )


def test_transposing_by_hand() -> None:
    assert tf.transpose(X).shape == (4, 3, 2)
    assert tf.transpose(X, perm=tf.constant([2, 0, 1])).shape == (4, 2, 3)
    assert tf.transpose([[1 + 2j]], conjugate=True).numpy() == 1 - 2j
    assert tf.linalg.matrix_transpose(X).shape == (2, 4, 3)


def test_repeating() -> None:
    assert tf.repeat([[1, 2], [3, 4]], [1, 2], axis=0).numpy().tolist() == [[1, 2], [3, 4], [3, 4]]
    assert tf.repeat([1, 2], [3]).numpy().tolist() == [1, 1, 1, 2, 2, 2]
    assert tf.tile([[1, 2]], [2, 2]).numpy().tolist() == [[1, 2, 1, 2]] * 2
    assert tf.tile([[1, 2]], tf.constant([1, 2])).shape == (1, 4)


def test_broadcasting() -> None:
    assert tf.broadcast_to([1, 2], [3, 2]).shape == (3, 2)
    assert tf.broadcast_static_shape(tf.TensorShape([2, 1]), tf.TensorShape([1, 3])) == (2, 3)
    assert refusal(lambda: tf.broadcast_to([1, 2], [3])).startswith("broadcast_to: operands could not be broadcast")


def test_a_shape_is_held_against_what_is_promised() -> None:
    assert tf.ensure_shape(X, [None, 3, 4]).shape == (2, 3, 4)
    assert (
        refusal(lambda: tf.ensure_shape(X, [None, 4]))
        == "ensure_shape: the shapes differ (x=(2, 3, 4), shape=(None, 4))."
    )


def test_results_are_read_only_views_or_copies_but_never_change_their_source() -> None:
    source = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    for view in (
        tf.reshape(source, [4]),
        tf.transpose(source),
        source[0],
        tf.expand_dims(source, 0),
        tf.identity(source),
    ):
        view.numpy()[...] = 9
    assert source.numpy().tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda x: tf.tile(x, [2]), "tile: one multiple is needed for each axis (input=(2, 2), multiples=(2,))."),
        (lambda x: tf.pad(x, [[2, 0], [0, 0]], "REFLECT"), "REFLECT has size - 1 to mirror."),
        (lambda x: tf.pad(x, [[3, 0], [0, 0]], "SYMMETRIC"), "SYMMETRIC has size to mirror."),
        (lambda x: tf.pad(x, [[-1, 0], [0, 0]]), "paddings are at least 0."),
        (
            lambda x: tf.searchsorted(x, [[1]]),
            "all axes of the sequences and of the values but the last must have the same",
        ),
    ],
)
def test_sizes_that_do_not_fit(ask, text: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        ask(tf.constant([[1, 2], [3, 4]]))
    assert text in str(caught.value)


def test_no_two_nans_are_equal() -> None:
    assert tf.unique([1.0, np.nan, np.nan]).idx.numpy().tolist() == [0, 1, 2]


def test_booleans_may_be_written_as_integers_in_a_mask() -> None:
    assert tf.boolean_mask([[1, 2], [3, 4]], [1, 0]).numpy().tolist() == [[1, 2]]


def test_a_shape_of_unknown_rank_broadcasts_to_an_unknown_one() -> None:
    assert tf.broadcast_static_shape(tf.TensorShape(None), tf.TensorShape([3])).rank is None


def test_the_shape_of_a_models_input() -> None:
    x = tf.keras.Input([None, 4])
    doubled = tf.reshape(x, [tf.shape(x)[0], -1, 2])
    assert tf.shape(x)[2].numpy() == 4
    assert tuple(doubled.shape) == (None, None, 2)
    model = tf.keras.Model(x, doubled)
    assert model(tf.zeros([3, 5, 4])).shape == (3, 10, 2)


def test_rank_and_shape_where_the_rank_is_not_known() -> None:
    @tf.function(input_signature=[tf.TensorSpec(None)])
    def told(x):
        return tf.rank(x), tf.shape(x), tf.size(x), tf.rank(x) > 1

    for sizes in ([], [3], [2, 3]):
        rank, shape, size, matrix = (part.numpy() for part in told(tf.ones(sizes)))
        assert (rank, shape.tolist(), size, matrix) == (len(sizes), sizes, int(np.prod(sizes)), len(sizes) > 1)
