"""Name scopes and unique names."""

from __future__ import annotations

import threading

import pytest

import tensorsmith as tf
from tensorsmith.core import naming


@pytest.mark.parametrize(
    ("name", "snake"),
    [("Dense", "dense"), ("MyDense", "my_dense"), ("ReLU", "re_lu"), ("Conv2DTranspose", "conv2d_transpose"),
     ("HuberLoss", "huber_loss"), ("LSTM", "lstm"), ("<lambda>", "lambda")],
)  # fmt: skip
def test_names_of_classes_as_variables_are_written(name: str, snake: str) -> None:
    assert naming.snake_case(name) == snake


def test_names_count_up_on_each_thread_until_forgotten() -> None:
    naming.forget()
    assert [naming.unique("dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    others: list[str] = []
    thread = threading.Thread(target=lambda: others.append(naming.unique("dense")))
    thread.start()
    thread.join()
    assert others == ["dense"]
    naming.forget()
    assert naming.unique("dense") == "dense"


def test_scopes_stand_before_the_names_of_variables() -> None:
    with tf.name_scope("outer"), tf.name_scope("inner") as scope:
        assert scope == "outer/inner/"
        assert tf.Variable(1.0, name="w").name == "outer/inner/w:0"
    assert tf.Variable(1.0, name="w").name == "w:0"


def test_a_scope_closes_when_its_block_fails() -> None:
    with pytest.raises(KeyError), tf.name_scope("outer"):
        raise KeyError
    assert naming.scoped("w") == "w"


def test_scopes_are_opened_again_and_left() -> None:
    name_scope, get_current_name_scope = naming.name_scope, naming.get_current_name_scope
    with name_scope("a") as outer, name_scope("b") as inner:
        assert (inner, get_current_name_scope()) == ("a/b/", "a/b")
        with name_scope(outer):
            assert get_current_name_scope() == "a"
        for none in (None, ""):
            with name_scope(none) as root:
                assert (root, get_current_name_scope()) == ("", "")
        assert get_current_name_scope() == "a/b"
    assert get_current_name_scope() == ""
