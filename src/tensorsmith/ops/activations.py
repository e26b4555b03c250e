"""relu, selu, gelu, softmax and the rest, as plain functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.ops.elementwise import negative
from tensorsmith.ops.precise import expm1_of, gated, gelu_of, mish_of
from tensorsmith.ops.reductions import still
from tensorsmith.ops.shaping import concat
from tensorsmith.program.op import Array, elementwise
from tensorsmith.tensor.apply import op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

_ONE = np.float64(1)


def sigmoid_of(xp: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)) to full precision on both sides."""
    if xp is np:
        if x.dtype.itemsize < 4:
            # exp(-x) overflows float16 from -11 on
            return sigmoid_of(np, x.astype(np.float32)).astype(x.dtype)
        # where exp(-x) overflows the result has no digits left
        return np.reciprocal(np.exp(-x) + x.dtype.type(1))
    from tensorsmith.program.execute import jax

    return jax().nn.sigmoid(x)


def softplus_of(xp: Any, x: Any) -> Any:
    """log(1 + exp(x)) without overflow: exp overflows float32 above x = 88."""
    return np.logaddexp(x, x.dtype.type(0)) if xp is np else xp.logaddexp(x, xp.zeros_like(x))


@op(kinds="f", shapes=elementwise, quiet=True)
def sigmoid(xp, x: Array):
    """1 / (1 + exp(-x)), elementwise.

    >>> import tensorsmith as tf
    >>> tf.sigmoid([0.0]).numpy()
    array([0.5], dtype=float32)
    """
    return sigmoid_of(xp, x)


@op(kinds="f", shapes=elementwise, quiet=True)
def log_sigmoid(xp, x: Array):
    """log(sigmoid(x)), elementwise, without overflow.

    >>> import tensorsmith as tf
    >>> tf.math.log_sigmoid([-1000.0]).numpy()
    array([-1000.], dtype=float32)
    """
    return -softplus_of(xp, -x)


@op(kinds="f", shapes=elementwise, quiet=True)
def softplus(xp, features: Array):
    """log(1 + exp(x)), elementwise, without overflow.

    >>> import tensorsmith as tf
    >>> tf.nn.softplus([1000.0]).numpy()
    array([1000.], dtype=float32)
    """
    return softplus_of(xp, features)


@op(kinds="f", shapes=elementwise)
def softsign(xp, features: Array):
    """x / (1 + |x|), elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.softsign([1.0, -3.0]).numpy()
    array([ 0.5 , -0.75], dtype=float32)
    """
    return features / (1 + xp.abs(features))


def relu_of(xp: Any, x: Any) -> Any:
    """The greater of x and 0; at 0 the derivative is 0, which JAX's maximum would make a half."""
    # x <= 0 and not x > 0, so that NaN passes
    return np.maximum(x, 0) if xp is np else xp.where(x <= 0, xp.zeros_like(x), x)


@op(kinds="fiu", shapes=elementwise)
def relu(xp, features: Array):
    """The greater of x and 0, elementwise; the derivative at 0 is 0.

    >>> import tensorsmith as tf
    >>> tf.nn.relu([-1.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """
    return relu_of(xp, features)


@op(kinds="fiu", shapes=elementwise)
def relu6(xp, features: Array):
    """x cut off below 0 and above 6, elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.relu6([-1.0, 2.0, 9.0]).numpy()
    array([0., 2., 6.], dtype=float32)
    """
    if xp is np:
        return np.minimum(np.maximum(features, 0), features.dtype.type(6))
    six = xp.full_like(features, 6)
    return xp.where(features >= six, six, relu_of(xp, features))


@op(kinds="f", shapes=elementwise)
def leaky_relu(xp, features: Array, alpha: float = 0.2):
    """x above 0, alpha * x below, elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.leaky_relu([-1.0, 2.0], alpha=0.5).numpy()
    array([-0.5,  2. ], dtype=float32)
    """
    below = features * np.asarray(alpha, features.dtype)
    if xp is np and 0 <= alpha <= 1:
        return np.maximum(features, below)
    return xp.where(features > 0, features, below)


def elu_of(xp: Any, x: Any, alpha: float, scale: float = 1.0) -> Any:
    """scale * x above 0, scale * alpha * (exp(x) - 1) below; the side not taken is kept from overflowing, in value and
    derivative."""
    alpha = alpha * scale
    if xp is np:
        # each side is 0 where the other counts
        zero = x.dtype.type(0)
        above, below = np.maximum(x, zero), np.expm1(np.minimum(x, zero))
        if scale != 1.0:
            above = above * np.asarray(scale, x.dtype)
        return above + (below if alpha == 1.0 else below * np.asarray(alpha, x.dtype))
    above = x > 0
    below = expm1_of(xp, xp.where(above, np.zeros((), x.dtype), x))
    return xp.where(above, x if scale == 1.0 else x * np.asarray(scale, x.dtype), below * np.asarray(alpha, x.dtype))


@op(kinds="f", shapes=elementwise)
def elu(xp, features: Array, alpha: float = 1.0):
    """x above 0, alpha * (exp(x) - 1) below, elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.elu([-1000.0, 2.0]).numpy()
    array([-1.,  2.], dtype=float32)
    """
    return elu_of(xp, features, alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@op(kinds="f", shapes=elementwise)
def selu(xp, features: Array):
    """scale * elu(x, alpha) with the constants that keep mean 0 and variance 1 from layer to layer.

    Source: Klambauer et al. (2017), Self-Normalizing Neural Networks; alpha = 1.67326..., scale = 1.05070...

    >>> import tensorsmith as tf
    >>> tf.nn.selu([0.0, 1.0]).numpy()
    array([0.       , 1.050701], dtype=float32)
    """
    return elu_of(xp, features, SELU_ALPHA, SELU_SCALE)


@op(kinds="f", shapes=elementwise, quiet=True)
def gelu(xp, features: Array, approximate: bool = False):
    """x * P(X <= x) of a standard normal X, elementwise; `approximate` uses tanh instead of erf.

    Source: Hendrycks and Gimpel (2016), Gaussian Error Linear Units.

    >>> import tensorsmith as tf
    >>> tf.nn.gelu([0.0]).numpy()
    array([0.], dtype=float32)
    """
    x = features
    if approximate:
        # (1 + tanh(u)) / 2 is sigmoid(2 u), which keeps its digits far below 0
        a = math.sqrt(8 / math.pi)
        b = a * 0.044715
        return gated(xp, x, lambda x: x * (a + b * (x * x)), lambda x: a + 3 * b * (x * x))
    return gelu_of(xp, x)


@op(name="silu", kinds="f", shapes=elementwise, quiet=True)
def silu(xp, features: Array, beta: float = 1.0):
    """x * sigmoid(beta * x), elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.silu([0.0]).numpy()
    array([0.], dtype=float32)
    """
    if xp is np and beta == 1.0:
        # (see `gated`)
        e = np.exp(-features, dtype=np.float64)
        return (features / (e + _ONE)).astype(features.dtype)
    if beta == 1.0:
        return gated(xp, features, lambda x: x, lambda x: 1)
    return gated(xp, features, lambda x: x * beta, lambda x: beta)


swish = silu


@op(kinds="f", shapes=elementwise, quiet=True)
def mish(xp, x: Array):
    """x * tanh(softplus(x)), elementwise.

    >>> from tensorsmith.ops.activations import mish
    >>> mish([0.0]).numpy()
    array([0.], dtype=float32)
    """
    return mish_of(xp, x)


@op(kinds="f", shapes=elementwise)
def hard_sigmoid(xp, x: Array):
    """x / 6 + 0.5 cut off below 0 and above 1, elementwise.

    >>> from tensorsmith.ops.activations import hard_sigmoid
    >>> hard_sigmoid([-9.0, 0.0, 9.0]).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    # x / 6 + 1 / 2 would lose its digits near -3
    line = (x + np.asarray(3, x.dtype)) / np.asarray(6, x.dtype)
    if xp is np:
        return np.minimum(np.maximum(line, x.dtype.type(0)), x.dtype.type(1))
    one = xp.ones_like(x)
    return xp.where(line >= one, one, xp.where(line <= 0, xp.zeros_like(x), line))


@op(kinds="f", shapes=elementwise)
def hard_silu(xp, x: Array):
    """x * hard_sigmoid(x), elementwise.

    >>> from tensorsmith.ops.activations import hard_silu
    >>> hard_silu([-9.0, 0.0, 9.0]).numpy()
    array([-0.,  0.,  9.], dtype=float32)
    """
    return x * hard_sigmoid.op.kernel(xp, x)


def softmax_of(xp: Any, x: Any, axis: Any) -> Any:
    """exp(x) / sum(exp(x)), the greatest taken out first so that nothing overflows."""
    if x.size == 0:
        return x
    e = xp.exp(x - still(xp, xp.max(x, axis=axis, keepdims=True)))
    return e / xp.sum(e, axis=axis, keepdims=True)


def log_softmax_of(xp: Any, x: Any, axis: Any) -> Any:
    """x - log(sum(exp(x))); the greatest is taken out of both, as 1000 - log(2 e**1000) would keep three digits."""
    if x.size == 0:
        return x
    moved = x - still(xp, xp.max(x, axis=axis, keepdims=True))
    return moved - xp.log(xp.sum(xp.exp(moved), axis=axis, keepdims=True))


@op(kinds="f", shapes=elementwise, quiet=True)
def softmax(xp, logits: Array, axis: Any = -1):
    """exp(x) / sum(exp(x)) along `axis`.

    >>> import tensorsmith as tf
    >>> tf.nn.softmax([1000.0, 1000.0]).numpy()
    array([0.5, 0.5], dtype=float32)
    """
    return softmax_of(xp, logits, -1 if axis is None else axis)


@op(kinds="f", shapes=elementwise, quiet=True)
def log_softmax(xp, logits: Array, axis: Any = -1):
    """x - log(sum(exp(x))) along `axis`.

    >>> import tensorsmith as tf
    >>> tf.nn.log_softmax([[0.0]]).numpy()
    array([[0.]], dtype=float32)
    """
    return log_softmax_of(xp, logits, -1 if axis is None else axis)


def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """relu(x) and relu(-x), side by side along `axis`.

    Source: Shang et al. (2016), Concatenated rectified linear units.

    >>> import tensorsmith as tf
    >>> tf.nn.crelu([1.0, -2.0]).numpy()
    array([1., 0., 0., 2.], dtype=float32)
    """
    x = convert(features)
    return relu(concat([x, negative(x)], axis))
