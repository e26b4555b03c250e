"""Moments from sums, weighted ones; normalisation by moments that are given, or by neighbouring channels."""

from __future__ import annotations

from typing import Any

from tensorsmith.ops.casting import cast
from tensorsmith.ops.elementwise import add, divide, multiply, square, subtract
from tensorsmith.ops.elementwise import pow as power
from tensorsmith.ops.normalization import batch_normalization
from tensorsmith.ops.reductions import reduce_sum
from tensorsmith.ops.repeating import pad
from tensorsmith.ops.shaping import broadcast_to, shape, size, squeeze
from tensorsmith.tensor.apply import plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """(count, sum of x - shift, sum of (x - shift)**2, shift) over `axes`: what `normalize_moments` takes.

    >>> import tensorsmith as tf
    >>> count, total, squares, _ = tf.nn.sufficient_statistics([1.0, 3.0], [0])
    >>> count.numpy().item(), total.numpy().item(), squares.numpy().item()
    (2.0, 4.0, 10.0)
    """
    x = convert(x)
    axes = plain(axes, "axes")
    sizes = [x.shape[axis] for axis in axes]
    if None in sizes:
        count: Any = divide(cast(size(x), x.dtype), cast(size(reduce_sum(x, axis=axes)), x.dtype))
    else:
        total = 1
        for each in sizes:
            total *= each  # type: ignore[operator]
        count = convert(float(total), x.dtype)
    if shift is not None:
        shift = convert(shift, None, x.dtype.numpy_dtype)
        x = subtract(x, shift)
    return (
        count,
        reduce_sum(x, axis=axes, keepdims=keepdims),
        reduce_sum(square(x), axis=axes, keepdims=keepdims),
        shift,
    )


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance from `sufficient_statistics`: m = s / n, v = q / n - m**2, the shift added to the mean.

    >>> import tensorsmith as tf
    >>> mean, variance = tf.nn.normalize_moments(2.0, 4.0, 10.0, None)
    >>> mean.numpy().item(), variance.numpy().item()
    (2.0, 1.0)
    """
    inner = divide(mean_ss, counts)
    variance = subtract(divide(variance_ss, counts), square(inner))
    return (inner if shift is None else add(inner, shift)), variance


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance over `axes`, each element counted `frequency_weights` times (broadcast to x).

    >>> import tensorsmith as tf
    >>> mean, variance = tf.nn.weighted_moments([1.0, 4.0], [0], [2.0, 1.0])
    >>> mean.numpy().item(), variance.numpy().item()
    (2.0, 2.0)
    """
    x = convert(x)
    weights = convert(frequency_weights, None, x.dtype.numpy_dtype)
    axes = plain(axes, "axes")
    if weights.dtype is not x.dtype:
        weights = cast(weights, x.dtype)
    weights = broadcast_to(weights, shape(x))
    total = reduce_sum(weights, axis=axes, keepdims=True)
    mean = divide(reduce_sum(multiply(weights, x), axis=axes, keepdims=True), total)
    variance = divide(reduce_sum(multiply(weights, square(subtract(x, mean))), axis=axes, keepdims=True), total)
    if keepdims:
        return mean, variance
    return squeeze(mean, axes), squeeze(variance, axes)


def batch_norm_with_global_normalization(
    input: Any, mean: Any, variance: Any, beta: Any, gamma: Any, variance_epsilon: float, scale_after_normalization: bool,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """`batch_normalization` under the names of its first version; gamma counts if scale_after_normalization.

    >>> import tensorsmith as tf
    >>> tf.nn.batch_norm_with_global_normalization([1.0, 3.0], [2.0], [1.0], [0.5], [9.0], 0.0, False).numpy()
    array([-0.5,  1.5], dtype=float32)
    """
    scale = gamma if scale_after_normalization else None
    return batch_normalization(input, mean, variance, beta, scale, variance_epsilon)


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Tensor:
    """x / (bias + alpha * sum over |d| <= depth_radius of x[..., c + d]**2) ** beta, along channels [B, H, W, C].

    Source: Krizhevsky et al. (2012), ImageNet classification with deep convolutional neural networks.

    >>> import tensorsmith as tf
    >>> tf.nn.local_response_normalization([[[[3.0, 4.0]]]], depth_radius=1, bias=0.0).numpy()
    array([[[[0.6, 0.8]]]], dtype=float32)
    """
    x = convert(input)
    radius, depth = plain(depth_radius, "depth_radius"), x.shape[-1]
    squares = pad(square(x), [(0, 0), (0, 0), (0, 0), (radius, radius)])
    total: Any = None
    for at in range(2 * radius + 1):
        part = squares[..., at : at + depth]  # type: ignore[operator]
        total = part if total is None else add(total, part)
    return divide(x, power(add(multiply(total, alpha), bias), beta))


def lrn(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Tensor:
    """`local_response_normalization`.

    >>> import tensorsmith as tf
    >>> tf.nn.lrn([[[[3.0, 4.0]]]], depth_radius=1, bias=0.0).numpy()
    array([[[[0.6, 0.8]]]], dtype=float32)
    """
    return local_response_normalization(input, depth_radius, bias, alpha, beta)
