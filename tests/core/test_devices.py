"""Texts of devices."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorsmith as tf

PARTS = {
    "job": st.none() | st.sampled_from(["ps", "worker"]),
    "replica": st.none() | st.integers(0, 9),
    "task": st.none() | st.integers(0, 9),
    "device_type": st.sampled_from(["CPU", "GPU", "TPU"]),
    "device_index": st.none() | st.integers(0, 9),
}


@given(st.fixed_dictionaries(PARTS))
def test_a_text_says_what_the_parts_say(parts) -> None:
    spec = tf.DeviceSpec(**parts)
    again = tf.DeviceSpec.from_string(spec.to_string())
    assert again == spec
    assert hash(again) == hash(spec)
    assert {name: getattr(again, name) for name in parts} == parts


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("/job:ps/gpu:3", "/job:ps/device:GPU:3"),
        ("/cpu:*", "/device:CPU:*"),
        ("cpu:0", "/device:CPU:0"),
        ("", ""),
        ("/task:2", "/task:2"),
    ],
)
def test_short_forms(text: str, means: str) -> None:
    assert tf.DeviceSpec.from_string(text).to_string() == means
    with tf.device(tf.DeviceSpec.from_string(text)):
        pass


def test_specs_are_merged_and_replaced_and_never_changed() -> None:
    spec = tf.DeviceSpec(job="a", task=3)
    assert spec.make_merged_spec(tf.DeviceSpec(task=4, device_type="GPU")).to_string() == "/job:a/task:4/device:GPU:*"
    assert spec.replace(task=None, device_type="tpu").to_string() == "/job:a/device:TPU:*"
    assert spec.parse_from_string("/gpu:0").to_string() == "/device:GPU:0"
    assert repr(spec) == "<DeviceSpec(job=a, replica=None, task=3, device_type=None, device_index=None)>"
    with pytest.raises(AttributeError, match=r"use spec\.replace\(task=4\)"):
        spec.task = 4
    with pytest.raises(TypeError):
        spec.replace(colour="red")


@pytest.mark.parametrize(
    ("text", "message"),
    [("/foo:1", r"says nothing \(part=foo:1"), ("/cpu:0/gpu:1", "two types of device"), ("/task:x", "invalid literal")],
)
def test_texts_that_say_something_else(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tf.DeviceSpec.from_string(text)


def test_no_memory_is_pinned_and_there_is_a_log() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="not in pinned memory"):
        tf.check_pinned(tf.constant(1.0))
    assert tf.get_logger() is logging.getLogger("tensorsmith")
