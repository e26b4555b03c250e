"""Variables found in the attributes of modules."""

from __future__ import annotations

import tensorsmith as tf


class Line(tf.Module):
    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        with self.name_scope:
            self.slope = tf.Variable(2.0, name="slope")
        self.at_zero = tf.Variable(1.0, trainable=False, name="at_zero")


class Many(tf.Module):
    def __init__(self) -> None:
        self.lines = [Line("a"), Line("b")]
        self.by_name = {"again": self.lines[0], "own": tf.Variable(0.0, name="own")}
        self.number = 3


def test_variables_are_found_once_wherever_they_are() -> None:
    many = Many()
    assert [v.name for v in many.variables] == ["at_zero:0", "a/slope:0", "own:0", "at_zero:0", "b/slope:0"]
    assert len(many.trainable_variables) == 3
    assert len(many.non_trainable_variables) == 2
    assert set(many.submodules) == set(many.lines)


def test_a_module_has_a_name() -> None:
    assert Line().name == "line"
    assert Many().name == "many"
    assert Line("x").slope.name == "x/slope:0"
