"""What flows back through convolutions; convolutions with several leading axes."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf

RNG = np.random.default_rng(9)
X, W = RNG.normal(size=(2, 6, 5, 3)), RNG.normal(size=(3, 2, 3, 4))


@pytest.mark.parametrize(
    "how",
    [
        {"strides": [1, 1, 1, 1], "padding": "SAME"},
        {"strides": [1, 2, 1, 1], "padding": "VALID", "dilations": [1, 1, 2, 1]},
        {"strides": [1, 1, 1, 1], "padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 2, 0, 1, 0, 0]},
    ],
)
def test_they_are_what_differences_say(how) -> None:
    plain = {**how, "padding": how["padding"]}
    if "explicit_paddings" in plain:
        flat = plain.pop("explicit_paddings")
        plain["padding"] = list(zip(flat[::2], flat[1::2]))

    def total(x, w):
        return float(tf.reduce_sum(tf.nn.conv2d(x, w, **plain) * flow))

    flow = RNG.normal(size=tf.nn.conv2d(X, W, **plain).shape)
    for at, function in enumerate((tf.conv2d_backprop_input_v2, tf.conv2d_backprop_filter_v2)):
        found = function(X, W, flow, **how).numpy()
        for place in [(0, 1, 1, 2), (1, 0, 0, 0)]:
            step = np.zeros_like(found)
            step[place] = 1e-5
            moved = [(X + s * step, W) if at == 0 else (X, W + s * step) for s in (1, -1)]
            difference = (total(*moved[0]) - total(*moved[1])) / 2e-5
            np.testing.assert_allclose(found[place], difference, rtol=1e-5, atol=1e-7)
        compiled = tf.function(lambda x, w, g, function=function: function(x, w, g, **how))
        np.testing.assert_allclose(compiled(X, W, flow), found, rtol=1e-9)


def test_a_flow_of_another_shape() -> None:
    with pytest.raises(ValueError, match="out_backprop is not of the result's shape"):
        tf.conv2d_backprop_input_v2(X, W, np.ones((1, 1, 1, 4)), [1] * 4, "SAME")


def test_several_leading_axes_groups_and_explicit_paddings() -> None:
    x = RNG.normal(size=(2, 3, 6, 5, 4))
    w = RNG.normal(size=(3, 2, 2, 6))
    found = tf.conv(x, w, [1, 2, 1, 1], "SAME", batch_dims=2, groups=2)
    flat = tf.nn.conv2d(x.reshape(6, 6, 5, 4), w, [1, 2, 1, 1], "SAME")
    np.testing.assert_allclose(found, flat.numpy().reshape(2, 3, *flat.shape[1:]))
    around = tf.conv(X, W, [1] * 4, "EXPLICIT", explicit_paddings=[0, 0, 1, 1, 2, 2, 0, 0])
    np.testing.assert_allclose(around, tf.nn.conv2d(np.pad(X, [(0, 0), (1, 1), (2, 2), (0, 0)]), W, 1, "VALID"))
    first = tf.conv(X.transpose(0, 3, 1, 2), W, [1] * 4, "VALID", data_format="CHANNELS_FIRST")
    np.testing.assert_allclose(first.numpy().transpose(0, 2, 3, 1), tf.nn.conv2d(X, W, 1, "VALID"))
    unknown = tf.function(
        lambda x: tf.conv(x, w, [1] * 4, "VALID", batch_dims=2, groups=2),
        input_signature=[tf.TensorSpec([None, None, 6, 5, 4], tf.float64)],
    )
    assert unknown(x).shape == (2, 3, 4, 4, 6)
    for call, message in (
        (lambda: tf.conv(X, W, [1] * 4, "VALID", batch_dims=2), "the ranks do not fit"),
        (lambda: tf.conv(X, W, [1] * 4, "VALID", groups=2), "the channels do not fit"),
        (lambda: tf.conv(X, W, [1] * 4, "VALID", data_format="NHWC"), "no data format"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
