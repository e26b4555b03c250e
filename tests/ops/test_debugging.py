"""Checks of values that are known."""

from __future__ import annotations

import pytest

import tensorsmith as tf

CHECKS = [
    ("assert_equal", [1, 2], [1, 2], [1, 3], "x == y"), ("assert_none_equal", [1, 2], [3, 4], [1, 4], "x != y"),
    ("assert_less", [1, 2], [2, 3], [2, 2], "x < y"), ("assert_less_equal", [1, 2], [1, 3], [0, 2], "x <= y"),
    ("assert_greater", [1, 2], [0, 1], [0, 2], "x > y"), ("assert_greater_equal", [1, 2], [1, 1], [2, 2], "x >= y"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "x", "fits", "clashes", "rule"), CHECKS)
def test_comparisons_that_must_hold(name: str, x: list, fits: list, clashes: list, rule: str) -> None:
    check = getattr(tf.debugging, name)
    check(x, fits)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        check(x, clashes, message="look here")
    assert str(caught.value) == f"{name}: look here (x={x}, y={clashes}); {rule} must hold everywhere."


def test_other_checks() -> None:
    tf.debugging.assert_positive([1, 2])
    tf.debugging.assert_non_negative([0, 2])
    tf.debugging.assert_near([1.0], [1.0 + 1e-7])
    tf.debugging.assert_shapes([(tf.ones([2, 3]), ("N", 3)), (tf.ones([2]), ("N",))])
    tf.debugging.assert_rank([[1]], 2)
    tf.debugging.assert_type(1, tf.int32)
    tf.debugging.assert_near(tf.constant([1, 2]), [1, 3], atol=1)
    tf.debugging.assert_shapes([(tf.ones([2, 3, 4]), ("...", 4)), (tf.ones([4]), "N")])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^assert_positive: "):
        tf.debugging.assert_positive([0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"^assert_near: "):
        tf.debugging.assert_near([1.0], [1.1])
    with pytest.raises(ValueError, match=r"^assert_shapes: a size differs"):
        tf.debugging.assert_shapes([(tf.ones([2, 3]), ("N", 3)), (tf.ones([3]), ("N",))])
    with pytest.raises(ValueError, match=r"^assert_rank: the rank differs"):
        tf.debugging.assert_rank([1], 2)
    with pytest.raises(TypeError, match=r"^assert_type: the dtype differs"):
        tf.debugging.assert_type(1.0, tf.int32)


@pytest.mark.parametrize(("value", "kind"), [(float("nan"), "NaN"), (float("inf"), "Inf")])
def test_numbers_must_be_finite(value: float, kind: str) -> None:
    assert tf.debugging.check_numerics([1.0], "x").numpy().tolist() == [1]
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.debugging.check_numerics([1.0, value], "the loss")
    assert str(caught.value) == f"check_numerics: the loss : Tensor had {kind} values (x=float32(2,))."


def test_what_is_a_tensor() -> None:
    assert tf.is_tensor(tf.Variable(1.0))
    assert tf.is_tensor(tf.ragged.constant([[1]]))
    assert not tf.is_tensor([1.0])
    assert tf.get_static_value([1, 2]).tolist() == [1, 2]
    assert tf.debugging.is_numeric_tensor(tf.constant(1))
    assert not tf.debugging.is_numeric_tensor(tf.constant("a"))


@pytest.mark.parametrize(
    ("check", "fits", "clashes", "kind", "text"),
    [
        ("assert_negative", [-1.0], [0.0], tf.errors.InvalidArgumentError, "x < 0 must hold everywhere"),
        ("assert_non_positive", [0.0], [1.0], tf.errors.InvalidArgumentError, "x <= 0 must hold everywhere"),
        ("assert_scalar", 1.0, [1.0], ValueError, "it is no single value"),
        ("assert_integer", [1], [1.0], TypeError, "it is not of an integer dtype .dtype=float32."),
        ("assert_proper_iterable", [1], tf.constant([1]), TypeError, "it is no collection"),
    ],
)
def test_checks_of_one_value(check: str, fits: object, clashes: object, kind: type, text: str) -> None:
    getattr(tf.debugging, check)(fits)
    with pytest.raises(kind, match=text):
        getattr(tf.debugging, check)(clashes)


def test_ranks_and_dtypes() -> None:
    tf.debugging.assert_rank_at_least([[1]], 1)
    tf.debugging.assert_rank_in([[1]], (0, 2))
    with pytest.raises(ValueError, match=r"there are too few axes \(shape=\(1,\), at least=2\)"):
        tf.debugging.assert_rank_at_least([1], 2)
    with pytest.raises(ValueError, match="the rank is none of those wanted"):
        tf.debugging.assert_rank_in([1], (0, 2))
    assert tf.debugging.assert_same_float_dtype([tf.constant(1.0, tf.float64)]) == tf.float64
    with pytest.raises(ValueError, match=r"the dtypes differ \(dtypes=\['float32', 'float64'\]\)"):
        tf.debugging.assert_same_float_dtype([tf.constant(1.0), tf.constant(1.0, tf.float64)])
    with pytest.raises(ValueError, match=r"'...' stands for axes in front only"):
        tf.debugging.assert_shapes([(tf.ones([2, 9]), ("N", "..."))])


def test_assert_tells_its_data() -> None:
    tf.debugging.Assert(True, [])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.debugging.Assert(False, ["why", tf.range(20), 3.5], summarize=2)
    assert str(caught.value) == "Assert: why (data[0]=int32(20,) [0, 1, ...] from 0 to 19, data[1]=3.5)."
