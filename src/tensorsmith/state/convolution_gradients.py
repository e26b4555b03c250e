"""What flows back through a convolution, to its input and to its filters, as functions of their own."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.ops.convolution import conv2d
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _settings(strides: Any, padding: str, explicit_paddings: Any, data_format: str, dilations: Any) -> dict[str, Any]:
    pads: Any = padding
    if padding == "EXPLICIT":
        flat = list(plain(explicit_paddings, "explicit_paddings"))
        pads = list(zip(flat[::2], flat[1::2]))
    return {"strides": strides, "padding": pads, "data_format": data_format, "dilations": dilations}


def _flowing_back(who: str, x: Any, filters: Any, flow: Any, settings: dict[str, Any]) -> tuple[Tensor, Tensor]:
    x = convert(x)
    filters, flow = (convert(value, None, x.dtype.numpy_dtype) for value in (filters, flow))
    with GradientTape() as tape:
        tape.watch([x, filters])
        y = conv2d(x, filters, **settings)
    if not y.shape.is_compatible_with(flow.shape):
        raise ValueError(
            explain(who, "out_backprop is not of the result's shape", {"out_backprop": flow.shape, "result": y.shape})
        )
    to_x, to_filters = tape.gradient(y, [x, filters], output_gradients=flow)
    return to_x, to_filters


def conv2d_backprop_input_v2(
    input: Any, filter: Any, out_backprop: Any, strides: Any, padding: str, use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = (), data_format: str = "NHWC", dilations: Any = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """What flows back to the input of `tf.nn.conv2d(input, filter, ...)`, of what flows back to its result.

    >>> import tensorsmith as tf
    >>> x, w, g = tf.zeros([1, 1, 3, 1]), tf.constant([[[[1.0]], [[2.0]]]]), tf.ones([1, 1, 2, 1])
    >>> tf.conv2d_backprop_input_v2(x, w, g, [1, 1, 1, 1], "VALID").numpy().ravel()
    array([1., 3., 2.], dtype=float32)
    """
    settings = _settings(strides, padding, explicit_paddings, data_format, dilations)
    return _flowing_back("conv2d_backprop_input_v2", input, filter, out_backprop, settings)[0]


def conv2d_backprop_filter_v2(
    input: Any, filter: Any, out_backprop: Any, strides: Any, padding: str, use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = (), data_format: str = "NHWC", dilations: Any = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """What flows back to the filters of `tf.nn.conv2d(input, filter, ...)`, of what flows back to its result.

    >>> import tensorsmith as tf
    >>> x, w, g = tf.ones([1, 1, 3, 1]), tf.zeros([1, 2, 1, 1]), tf.ones([1, 1, 2, 1])
    >>> tf.conv2d_backprop_filter_v2(x, w, g, [1, 1, 1, 1], "VALID").numpy().ravel()
    array([2., 2.], dtype=float32)
    """
    settings = _settings(strides, padding, explicit_paddings, data_format, dilations)
    return _flowing_back("conv2d_backprop_filter_v2", input, filter, out_backprop, settings)[1]
