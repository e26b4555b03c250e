"""Python's operators on tensors and variables."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import tensorsmith as tf

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
X = np.array([[1.5, 2.0, 3.25], [4.0, 5.5, 6.0]], "float32")
Y = np.array([[2.0, 2.0, 0.5], [3.0, 6.0, 1.5]], "float32")
KINDS = [tf.constant, tf.Variable]


class Foreign:
    """Something that means nothing to a tensor, and knows itself what to do with one."""

    def __radd__(self, other: object) -> str:
        return "mine"

    __rmatmul__ = __rtruediv__ = __rand__ = __rpow__ = __radd__

    def __add__(self, other: object) -> str:
        return "mine first"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [*ARITHMETIC, *COMPARISONS])
def test_operators_do_what_numpy_does(kind: type, sign: object) -> None:
    expected = sign(X, Y)
    for result in (sign(kind(X), kind(Y)), sign(kind(X), tf.constant(Y)), sign(kind(X), Y), sign(X, kind(Y))):
        assert isinstance(result, tf.Tensor)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)
        assert result.numpy().dtype == expected.dtype


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [*ARITHMETIC, *COMPARISONS])
@pytest.mark.parametrize("number", [2, 3.0, np.float32(2), np.float64(2)])
def test_numbers_stand_on_either_side(kind: type, sign: object, number: float) -> None:
    same = np.float32(number)
    for result, expected in [(sign(kind(X), number), sign(X, same)), (sign(number, kind(X)), sign(same, X))]:
        assert isinstance(result, tf.Tensor)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)
        assert result.numpy().dtype == expected.dtype


@pytest.mark.parametrize("kind", KINDS)
def test_the_matrix_product(kind: type) -> None:
    np.testing.assert_allclose((kind(X) @ kind(Y.T)).numpy(), X @ Y.T)
    np.testing.assert_allclose((X @ kind(Y.T)).numpy(), X @ Y.T)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        kind(X) @ kind(Y)
    assert str(caught.value) == (
        "matmul: inner sizes differ (a=(2, 3), b=(2, 3)); a.shape[-1] must equal b.shape[-2]. "
        "Did you mean matmul(a, b, transpose_b=True)?"
    )


def test_signs_in_front() -> None:
    assert (-tf.constant([1.0, -2.0])).numpy().tolist() == [-1, 2]
    assert abs(tf.constant([1, -2])).numpy().tolist() == [1, 2]
    assert (+tf.constant([1.0])).numpy().tolist() == [1]
    assert (~tf.constant([True, False])).numpy().tolist() == [False, True]
    assert (~tf.constant([0, 5])).numpy().tolist() == [-1, -6]
    assert (-tf.Variable(2.0)).numpy() == -2


def test_integers_divide_as_in_tensorflow() -> None:
    ints = tf.constant([7, -7])
    assert (ints / 2).dtype is tf.float64
    assert (ints / 2).numpy().tolist() == [3.5, -3.5]
    assert (tf.constant([7], tf.int8) / tf.constant([2], tf.int8)).dtype is tf.float32
    assert (ints // 2).numpy().tolist() == [3, -4]
    assert (ints % 3).numpy().tolist() == [1, 2]
    assert (1 / tf.constant(4)).numpy() == 0.25
    assert (ints / 0).numpy().tolist() == [np.inf, -np.inf]


@pytest.mark.parametrize(("sign", "name"), [(operator.floordiv, "floordiv"), (operator.mod, "floormod")])
def test_integer_division_by_zero_is_refused(sign: object, name: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        sign(tf.constant([7, 8]), tf.constant([1, 0]))
    assert str(caught.value) == f"{name}: integer division by zero (y=[1, 0])."
    assert np.isnan(sign(tf.constant(0.0), 0.0).numpy())


def test_powers() -> None:
    assert (tf.constant([3, 4]) ** 2).numpy().tolist() == [9, 16]
    assert (2 ** tf.constant([3, 4])).numpy().tolist() == [8, 16]
    assert (tf.constant([4.0]) ** 0.5).numpy().tolist() == [2]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^pow: an integer to a negative power"):
        tf.constant([2]) ** tf.constant([-1])


def test_bits_of_integers_and_truth_of_booleans() -> None:
    a, b = tf.constant([True, True, False]), tf.constant([True, False, False])
    assert (a & b).numpy().tolist() == [True, False, False]
    assert (a | b).numpy().tolist() == [True, True, False]
    assert (a ^ b).numpy().tolist() == [False, True, False]
    assert (True & a).numpy().tolist() == [True, True, False]
    assert (tf.constant([6]) & 3).numpy().tolist() == [2]
    assert (6 | tf.constant([3])).numpy().tolist() == [7]
    assert (tf.constant([6]) ^ tf.constant([3])).numpy().tolist() == [5]


def test_equality_of_what_cannot_be_equal() -> None:
    tensor = tf.constant([1, 2])
    assert (tensor == None) is False  # noqa: E711
    assert (tensor != None) is True  # noqa: E711
    assert not (tensor == tf.constant([1, 2, 3]))  # noqa: SIM201
    assert tensor != tf.constant([1, 2, 3])
    assert (tensor == object()) is False
    assert (tensor == 2).numpy().tolist() == [False, True]
    assert (tensor != [1, 3]).numpy().tolist() == [False, True]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^equal: cannot mix int32 and float32"):
        tensor == tf.constant([1.0, 2.0])  # noqa: B015


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_objects_get_their_turn(kind: type) -> None:
    tensor = kind([1.0])
    for sign in (operator.add, operator.matmul, operator.truediv, operator.pow):
        assert sign(tensor, Foreign()) == "mine"
    assert Foreign() + tensor == "mine first"
    with pytest.raises(TypeError, match="unsupported operand type"):
        tensor + object()
    with pytest.raises(TypeError, match="unsupported operand type"):
        object() - tensor
    with pytest.raises(TypeError, match="not supported between"):
        tensor < object()  # noqa: B015


def test_operators_are_differentiated() -> None:
    v = tf.Variable([2.0, 3.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(2 * v**3 - v / 4 + 1 / v)
    np.testing.assert_allclose(tape.gradient(y, v).numpy(), 6 * v.numpy() ** 2 - 0.25 - 1 / v.numpy() ** 2, rtol=1e-6)


def test_indexing_with_brackets() -> None:
    t = tf.constant(X)
    assert t[:, 1:].numpy().tolist() == X[:, 1:].tolist()
    assert t[..., 1, tf.newaxis].shape == (2, 1)
    assert t[-1][0].numpy() == 4
    assert t[tf.constant(1), ::2].numpy().tolist() == [4, 6]
    assert t[t > 3].numpy().tolist() == [3.25, 4, 5.5, 6]
    assert t[np.array([1, 0])].numpy().tolist() == X[[1, 0]].tolist()
    assert tf.Variable(X)[0, 1].numpy() == 2
