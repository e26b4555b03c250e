"""Checks of values, and what printing shows."""

from __future__ import annotations

import io
from pathlib import Path

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


def test_printing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tf.print("a", tf.constant([1.0, 2.0]), {"b": tf.constant(3)}, sep=", ")
    assert capsys.readouterr().err == "a, [1. 2.], {'b': 3}\n"
    tf.print(tf.range(20), summarize=2)
    assert capsys.readouterr().err == "[ 0  1 ... 18 19]\n"
    tf.print(tf.constant("é"), tf.Variable(1.5), end="")
    assert capsys.readouterr().err == "é 1.5"
    stream = io.StringIO()
    tf.print(1, output_stream=stream)
    assert stream.getvalue() == "1\n"
    file = tmp_path / "out.txt"
    tf.print(2, output_stream=f"file://{file}")
    tf.print(3, output_stream=f"file://{file}")
    assert file.read_text() == "2\n3\n"


def test_what_is_a_tensor() -> None:
    assert tf.is_tensor(tf.Variable(1.0))
    assert tf.is_tensor(tf.ragged.constant([[1]]))
    assert not tf.is_tensor([1.0])
    assert tf.get_static_value([1, 2]).tolist() == [1, 2]
    assert tf.debugging.is_numeric_tensor(tf.constant(1))
    assert not tf.debugging.is_numeric_tensor(tf.constant("a"))
