"""One call of an operation: its arguments, its refusals, who hears of it."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import context
from tensorsmith.program.op import Array, Op
from tensorsmith.tensor.apply import op, plain


@op(register_op=False, kinds="f")
def halved(xp, x: Array, by: int = 2, turns: int = 1):
    """x over by, several times."""
    for _ in range(turns):
        x = x / np.asarray(by, x.dtype)
    return x


def refusal(call: object) -> str:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call()  # type: ignore[operator]
    return str(caught.value)


def test_dtypes_never_mix_silently() -> None:
    assert refusal(lambda: tf.constant(2.0) + tf.constant(40)) == (
        "add: cannot mix float32 and int32 (x=float32(), y=int32()); tensors are never converted silently. "
        "Convert: tf.cast(y, tf.float32)."
    )
    assert refusal(lambda: tf.constant(2.0) + tf.constant([40.0], tf.float64)) == (
        "add: cannot mix float32 and float64 (x=float32(), y=float64(1,)); tensors are never converted silently. "
        "Convert: tf.cast(x, tf.float64)."
    )
    assert refusal(lambda: tf.concat([tf.constant([1]), tf.constant(["a"])], 0)) == (
        "concat: cannot mix int32 and string (values=[int32(1,), string(1,)]); tensors are never converted silently. "
        "Convert: tf.strings.to_number(values, tf.int32)."
    )


def test_a_dtype_that_an_operation_does_not_take() -> None:
    assert refusal(lambda: tf.sqrt(tf.constant([4, 9]))) == (
        "sqrt: it does not take int32 (x=int32(2,)); it takes floats, complex numbers. Convert: tf.cast(x, tf.float32)."
    )


def test_shapes_that_do_not_fit() -> None:
    assert refusal(lambda: tf.ones([2, 3]) + tf.ones([4])) == (
        "add: operands could not be broadcast together with shapes (2,3) (4,) (x=float32(2, 3), y=float32(4,))."
    )
    assert refusal(lambda: tf.reduce_sum(tf.ones([2]), axis=3)) == (
        "reduce_sum: axis 3 is out of bounds for array of dimension 1 "
        "(input_tensor=float32(2,), axis=3, keepdims=False)."
    )


def test_arguments_are_bound_as_python_does() -> None:
    assert halved([4.0]).numpy().tolist() == [2.0]
    assert halved(tf.constant([4.0]), 4).numpy().tolist() == [1.0]
    assert halved(turns=2, x=[4.0]).numpy().tolist() == [1.0]
    assert halved([4.0], 2, 1, None).numpy().tolist() == [2.0]
    assert halved([4.0], name="a name").numpy().tolist() == [2.0]
    assert tf.square([2.0], "a name").numpy().tolist() == [4.0]
    assert tf.add(y=1.0, x=[2.0]).numpy().tolist() == [3.0]
    assert tf.subtract(tf.constant(3.0), y=1.0).numpy() == tf.subtract(y=1.0, x=tf.constant(3.0)).numpy() == 2.0
    assert tf.nn.relu(features=tf.constant([-1.0])).numpy().tolist() == [0.0]
    assert tf.math.igamma(x=tf.constant(1.0), a=tf.constant(2.0)) == tf.math.igamma(tf.constant(2.0), tf.constant(1.0))
    with pytest.raises(TypeError, match=r"^square\(\) got an unexpected keyword argument 'z'$"):
        tf.square(tf.constant(1.0), z=2)
    with pytest.raises(TypeError, match=r"^square\(\) is missing the argument 'x'$"):
        tf.square()
    with pytest.raises(TypeError, match=r"^subtract\(\) is missing the argument 'x'$"):
        tf.subtract(y=1.0)
    with pytest.raises(TypeError, match=r"^halved\(\) got an unexpected keyword argument 'z'; it takes x, by, turns$"):
        halved([4.0], z=1)
    with pytest.raises(TypeError, match=r"^halved\(\) got several values for argument 'by'"):
        halved([4.0], 2, by=2)
    with pytest.raises(TypeError, match=r"^halved\(\) is missing the argument 'x'$"):
        halved(by=2)
    with pytest.raises(TypeError, match=r"^add\(\) is missing the argument 'y'$"):
        tf.add(1.0)
    with pytest.raises(TypeError, match=r"^halved\(\) takes 3 arguments but 5 were given$"):
        halved([4.0], 1, 1, 1, 1)


def test_the_public_function_shows_its_own_signature() -> None:
    assert list(inspect.signature(halved).parameters) == ["x", "by", "turns", "name"]
    assert inspect.signature(halved).parameters["by"].default == 2
    assert halved.__doc__ == "x over by, several times."
    assert list(inspect.signature(tf.matmul).parameters)[:4] == ["a", "b", "transpose_a", "transpose_b"]


def test_settings_become_plain_values() -> None:
    assert plain([tf.constant(1), np.int64(2), (3.5, None)]) == (1, 2, (3.5, None))
    assert halved([4.0], by=tf.constant(4)).numpy().tolist() == [1.0]
    assert tf.reduce_sum([[1, 2]], axis=tf.constant([0, 1])).numpy() == 3
    assert tf.argmax([1, 2], output_type="int32").dtype is tf.int32


def test_an_operation_knows_its_parameters_without_a_signature() -> None:
    class Holder:
        def kernel(self, xp, a: Array, b: Array | None = None, *, deep: int = 3):
            """A kernel bound to an object."""

    made = Op("held", Holder().kernel)
    assert made.arrays == ("a", "b")
    assert made.optional == {"b"}
    assert made.settings == {"deep": 3}
    assert made.order == ("a", "b", "deep")


def test_open_tapes_hear_of_calls_and_closed_ones_do_not() -> None:
    x = tf.constant([1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * 3.0
    z = y * 5.0
    assert tape.gradient(y, x).numpy().tolist() == [3.0]
    with tf.GradientTape() as tape:
        tape.watch(x)
    assert tape.gradient(z, x) is None
    assert not context.busy


def test_a_direct_kernel_stands_for_the_kernel_on_float32_alone() -> None:
    def direct(xp, x):
        assert xp is np and x.dtype == np.float32
        return x * np.float32(2)

    @op(register_op=False, kinds="fi", direct=direct)
    def doubled(xp, x: Array):
        return x + x + 1

    @op(register_op=False, kinds="f", direct=direct)
    def times(xp, x: Array, by: int = 3):
        return x * np.asarray(by, x.dtype)

    assert doubled(tf.constant(2.0)).numpy() == 4.0
    assert doubled(tf.constant(2)).numpy() == doubled(tf.constant(2.0, tf.float64)).numpy() == 5
    assert times(tf.constant(2.0)).numpy() == 4.0
    assert times(tf.constant(2.0), 3).numpy() == times(tf.constant(2.0, tf.float64)).numpy() == 6.0


def test_otherwise_takes_all_but_plain_tensors_of_the_kinds() -> None:
    calls: list[object] = []

    @op(register_op=False, kinds="f", otherwise=lambda made, arguments, settings: calls.append((made.name, arguments)))
    def halves(xp, x: Array):
        return x / 2

    assert halves(tf.constant(3.0)).numpy() == 1.5
    whole = tf.constant(3)
    assert halves(whole) is None and halves("x") is None
    assert calls == [("halves", (whole,)), ("halves", ("x",))]
