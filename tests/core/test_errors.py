"""The classes of errors, and the one form of their texts."""

from __future__ import annotations

import pytest

import tensorsmith as tf
from tensorsmith.core.errors import explain


def test_explain_puts_five_parts_in_one_line() -> None:
    text = explain(
        "matmul", "inner sizes differ", {"a": (1, 3), "b": (1, 3)}, "they must be equal", "Did you mean b.T?"
    )
    assert text == "matmul: inner sizes differ (a=(1, 3), b=(1, 3)); they must be equal. Did you mean b.T?"
    assert explain("who", "wrong") == "who: wrong."
    assert explain("who", "wrong", "as it is") == "who: wrong (as it is)."


def test_errors_take_a_message_or_three_arguments() -> None:
    assert tf.errors.NotFoundError("gone").message == "gone"
    error = tf.errors.InvalidArgumentError("node", "op", "no")
    assert (error.node_def, error.op, error.message, str(error)) == ("node", "op", "no", "no")


@pytest.mark.parametrize(
    "name", ["AbortedError", "CancelledError", "InvalidArgumentError", "OutOfRangeError", "ResourceExhaustedError"]
)
def test_every_error_of_an_operation_is_an_op_error(name: str) -> None:
    kind = getattr(tf.errors, name)
    assert issubclass(kind, tf.errors.OpError)
    assert isinstance(kind.error_code, int)


def test_codes_have_names() -> None:
    named = {name: code for name, code in vars(tf.errors).items() if name.isupper() and name != "OK"}
    assert sorted(named.values()) == list(range(1, 17))
    assert tf.errors.OK == 0
    for name, code in named.items():
        kind = getattr(tf.errors, "".join(word.capitalize() for word in name.split("_")) + "Error")
        assert kind.error_code == code


def test_what_python_asks_of_a_symbolic_tensor_in_vain() -> None:
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(lambda x: bool(x))(tf.constant(True))


def test_an_invalid_argument_is_a_value_error_to_python() -> None:
    with pytest.raises(ValueError, match="cannot reshape"):
        tf.reshape([1, 2, 3], [2])
