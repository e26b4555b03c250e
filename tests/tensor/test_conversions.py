"""Users' own classes as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core import ports
from tensorsmith.tensor import conversions


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "_registered", [])
    monkeypatch.setattr(ports, "converters", dict(ports.converters))


class Metres:
    def __init__(self, n: float) -> None:
        self.n = n


class Miles(Metres):
    pass


def as_given(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> tf.Tensor:
    return tf.constant(value.n, dtype)


def test_a_value_is_a_tensor_wherever_one_is_taken() -> None:
    tf.register_tensor_conversion_function(Metres, as_given)
    assert float(tf.convert_to_tensor(Metres(2.0))) == 2.0
    assert tf.convert_to_tensor(Metres(2.0), tf.float64).dtype == tf.float64
    np.testing.assert_array_equal(tf.constant([1.0, 2.0]) + Metres(2.0), [3, 4])
    np.testing.assert_array_equal(Miles(3.0) * tf.constant([1.0, 2.0]), [3, 6])
    compiled = tf.function(lambda x: tf.square(x) + Metres(1.0))
    assert float(compiled(tf.constant(2.0))) == 5.0


def test_the_lower_priority_is_asked_first_and_may_pass() -> None:
    asked = []

    def passes(value, dtype=None, name=None, as_ref=False):
        asked.append("passes")
        return NotImplemented

    tf.register_tensor_conversion_function(Metres, as_given, priority=100)
    tf.register_tensor_conversion_function((Metres, list), passes, priority=50)
    assert float(tf.convert_to_tensor(Metres(2.0))) == 2.0
    assert asked == ["passes"]
    conversions._registered.pop()
    with pytest.raises(TypeError, match="every registered conversion function gave NotImplemented"):
        tf.convert_to_tensor(Metres(2.0))


def test_what_gives_no_tensor_or_another_dtype() -> None:
    tf.register_tensor_conversion_function(Metres, lambda v, dtype=None, name=None, as_ref=False: v.n)
    with pytest.raises(RuntimeError, match="it must give a tensor"):
        tf.convert_to_tensor(Metres(2.0))
    tf.register_tensor_conversion_function(Miles, lambda v, dtype=None, name=None, as_ref=False: tf.constant(1), 1)
    with pytest.raises(RuntimeError, match="it gave a tensor of another dtype"):
        tf.convert_to_tensor(Miles(2.0), tf.float32)


@pytest.mark.parametrize("kind", [int, np.ndarray, (Metres, float), "Metres", ()])
def test_classes_that_have_a_conversion(kind) -> None:
    with pytest.raises(TypeError, match=r"^register_tensor_conversion_function: "):
        tf.register_tensor_conversion_function(kind, as_given)
    with pytest.raises(TypeError, match="must be a function"):
        tf.register_tensor_conversion_function(Metres, 3)
