"""relu, selu, gelu, softmax and the rest, as plain functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorsmith.ops.bare import clip
from tensorsmith.ops.constants import Ready
from tensorsmith.ops.elementwise import negative
from tensorsmith.ops.precise import expm1_of, gated, gelu_of, mish_of
from tensorsmith.ops.reductions import still
from tensorsmith.ops.shaping import concat
from tensorsmith.program.op import Array, elementwise
from tensorsmith.program.quiet import unless_invalid, unless_overflow
from tensorsmith.tensor.apply import op
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor

# To NumPy a call on a small array is 0.2 µs, whatever it does: formulas here make few of them, each into the result of
# the one before (which a scalar, that cannot be written into, refuses with a TypeError). Names bound here save 30 ns each.
_exp, _expm1, _log1p, _logaddexp, _tanh = np.exp, np.expm1, np.log1p, np.logaddexp, np.tanh
_add, _multiply, _divide, _negative = np.add, np.multiply, np.divide, np.negative
_absolute, _minimum, _fmin, _maximum = np.absolute, np.minimum, np.fmin, np.maximum

_ZERO, _ONE, _SIX = Ready(0), Ready(1), Ready(6)
# of wide floats; these numbers are exact in all of them
_zero, _one, _three, _six = (np.array(number, "float32") for number in (0, 1, 3, 6))


def sigmoid_of(xp: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)) to full precision on both sides."""
    return sigmoid.op.kernel(xp, x)


def softplus_of(xp: Any, x: Any) -> Any:
    """log(1 + exp(x)) without overflow: exp overflows float32 above x = 88."""
    if xp is np:
        return _logaddexp(x, _zero if x.itemsize >= 4 else _ZERO[x.dtype])
    return xp.logaddexp(x, xp.zeros_like(x))


def _sigmoid(xp: Any, x: Any) -> Any:
    e = _exp(x)
    below = _add(e, _one)
    try:
        return unless_invalid(_divide, e, below, below)
    except (FloatingPointError, RuntimeError, TypeError):
        # where e is infinite the quotient is 1
        e = np.asarray(e)
        np.minimum(e, np.finfo(x.dtype).max, out=e)
        return _divide(e, _add(e, _one), e)


@op(kinds="f", shapes=elementwise, quiet=True, direct=_sigmoid)
def sigmoid(xp, x: Array):
    """1 / (1 + exp(-x)), elementwise.

    >>> import tensorsmith as tf
    >>> tf.sigmoid([0.0]).numpy()
    array([0.5], dtype=float32)
    """
    if xp is not np:
        from tensorsmith.program.execute import jax

        return jax().nn.sigmoid(x)
    if x.itemsize < 4:
        # at its edges exp overflows float16, or has few digits left
        return _sigmoid(np, x.astype(np.float32)).astype(x.dtype)
    return _sigmoid(np, x)


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
    return _maximum(x, _ZERO[x.dtype]) if xp is np else xp.where(x <= 0, xp.zeros_like(x), x)


@op(kinds="fiu", shapes=elementwise)
def relu(xp, features: Array):
    """The greater of x and 0, elementwise; the derivative at 0 is 0.

    >>> import tensorsmith as tf
    >>> tf.nn.relu([-1.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """
    return _maximum(features, _ZERO[features.dtype]) if xp is np else relu_of(xp, features)


@op(kinds="fiu", shapes=elementwise)
def relu6(xp, features: Array):
    """x cut off below 0 and above 6, elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.relu6([-1.0, 2.0, 9.0]).numpy()
    array([0., 2., 6.], dtype=float32)
    """
    if xp is np:
        zero, six = _ZERO[features.dtype], _SIX[features.dtype]
        return clip(features, zero, six) if features.itemsize >= 4 else _minimum(_maximum(features, zero), six)
    six = xp.full_like(features, 6)
    return xp.where(features >= six, six, relu_of(xp, features))


@op(kinds="f", shapes=elementwise)
def leaky_relu(xp, features: Array, alpha: float = 0.2):
    """x above 0, alpha * x below, elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.leaky_relu([-1.0, 2.0], alpha=0.5).numpy()
    array([-0.5,  2. ], dtype=float32)
    """
    below = features * np.array(alpha, features.dtype)
    if xp is np and 0 <= alpha <= 1:
        return _maximum(features, below)
    return xp.where(features > 0, features, below)


def elu_of(xp: Any, x: Any, alpha: float, scale: float = 1.0) -> Any:
    """scale * x above 0, scale * alpha * (exp(x) - 1) below; the side not taken is kept from overflowing, in value and
    derivative."""
    if xp is np:
        return _elu(x, alpha, scale)
    alpha = alpha * scale
    above = x > 0
    below = expm1_of(xp, xp.where(above, np.zeros((), x.dtype), x))
    return xp.where(above, x if scale == 1.0 else x * np.asarray(scale, x.dtype), below * np.asarray(alpha, x.dtype))


def _elu(x: Any, alpha: float, scale: float) -> Any:
    if alpha >= 1:
        # above 0 the curve lies over the line, and below 0 under it
        found = _minimum(_absolute(x), _expm1(x) if alpha == 1 else _expm1(x) * np.array(alpha, x.dtype))
    elif alpha >= 0:
        found = _maximum(x, _expm1(_minimum(x, _ZERO[x.dtype])) * np.array(alpha, x.dtype))
    else:
        found = np.where(x > 0, x, _expm1(_minimum(x, _ZERO[x.dtype])) * np.array(alpha, x.dtype))
    return found if scale == 1.0 else found * np.array(scale, x.dtype)


@op(kinds="f", shapes=elementwise, quiet=True)
def elu(xp, features: Array, alpha: float = 1.0):
    """x above 0, alpha * (exp(x) - 1) below, elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.elu([-1000.0, 2.0]).numpy()
    array([-1.,  2.], dtype=float32)
    """
    if xp is np and alpha == 1.0:
        # (see `_elu`)
        return _minimum(_absolute(features), _expm1(features))
    return elu_of(xp, features, alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_SELU = Ready(SELU_ALPHA, SELU_SCALE)
_alpha, _scale = _SELU[np.dtype("float32")]


def _selu(xp: Any, x: Any) -> Any:
    found = _expm1(x)
    try:
        # (see `_elu`; fmin is minimum with a place for the result)
        return _multiply(_fmin(_absolute(x), _multiply(found, _alpha, found), found), _scale, found)
    except TypeError:
        return _minimum(_absolute(x), found * _alpha) * _scale


@op(kinds="f", shapes=elementwise, quiet=True, direct=_selu)
def selu(xp, features: Array):
    """scale * elu(x, alpha) with the constants that keep mean 0 and variance 1 from layer to layer.

    Source: Klambauer et al. (2017), Self-Normalizing Neural Networks; alpha = 1.67326..., scale = 1.05070...

    >>> import tensorsmith as tf
    >>> tf.nn.selu([0.0, 1.0]).numpy()
    array([0.       , 1.050701], dtype=float32)
    """
    if xp is not np:
        return elu_of(xp, features, SELU_ALPHA, SELU_SCALE)
    if features.itemsize == 4:
        return _selu(np, features)
    alpha, scale = _SELU[features.dtype]
    return _minimum(_absolute(features), _expm1(features) * alpha) * scale


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


def _far_below(x: Any, far: Any, found: Any) -> Any:
    """What was found, and x * exp(x) where x is far below 0: exp(x) is too small for all digits of float32, the product
    is not."""
    wide = x[far].astype(np.float64)
    found[far] = wide * _exp(wide)
    return found


def _silu(xp: Any, x: Any) -> Any:
    e = _negative(x)
    try:
        unless_overflow(_exp, e, e)
        return _divide(x, _add(e, _one, e), e)
    except (FloatingPointError, RuntimeError, TypeError):
        e = _exp(_negative(x))
        # where that is infinite the result is not yet 0
        return _far_below(x, e == np.inf, np.asarray(x / (e + _one)))


@op(name="silu", kinds="f", shapes=elementwise, quiet=True, direct=_silu)
def silu(xp, features: Array, beta: float = 1.0):
    """x * sigmoid(beta * x), elementwise.

    >>> import tensorsmith as tf
    >>> tf.nn.silu([0.0]).numpy()
    array([0.], dtype=float32)
    """
    if xp is np and beta == 1.0:
        if features.itemsize < 4:
            return _silu(np, features.astype(np.float32)).astype(features.dtype)
        return _silu(np, features)
    if beta == 1.0:
        return gated(xp, features, lambda x: x, lambda x: 1)
    return gated(xp, features, lambda x: x * beta, lambda x: beta)


swish = silu


def _mish(xp: Any, x: Any) -> Any:
    e = _exp(x)
    try:
        _log1p(e, e)
        _tanh(e, e)
        _multiply(e, x, e)
        if x.item(x.argmin()) > -87.0:
            return e
    except (TypeError, ValueError):
        # a scalar, or no elements
        e = np.asarray(x * _tanh(_log1p(_exp(x))))
    return _far_below(x, x < -87, e)


@op(kinds="f", shapes=elementwise, quiet=True, direct=_mish)
def mish(xp, x: Array):
    """x * tanh(softplus(x)), elementwise.

    >>> from tensorsmith.ops.activations import mish
    >>> mish([0.0]).numpy()
    array([0.], dtype=float32)
    """
    if xp is not np:
        return mish_of(xp, x)
    if x.itemsize < 4:
        return _mish(np, x.astype(np.float32)).astype(x.dtype)
    return _mish(np, x)


def _hard_sigmoid(xp: Any, x: Any) -> Any:
    line = _add(x, _three)
    try:
        return _divide(clip(line, _zero, _six, line), _six, line)
    except TypeError:
        return clip(line, _zero, _six) / _six


@op(kinds="f", shapes=elementwise, direct=_hard_sigmoid)
def hard_sigmoid(xp, x: Array):
    """x / 6 + 0.5 cut off below 0 and above 1, elementwise.

    >>> from tensorsmith.ops.activations import hard_sigmoid
    >>> hard_sigmoid([-9.0, 0.0, 9.0]).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    # x / 6 + 1 / 2 would lose its digits near -3
    if xp is np and x.itemsize >= 4:
        return _hard_sigmoid(np, x)
    line = (x + np.asarray(3, x.dtype)) / np.asarray(6, x.dtype)
    if xp is np:
        return _minimum(_maximum(line, _ZERO[x.dtype]), _ONE[x.dtype])
    one = xp.ones_like(x)
    return xp.where(line >= one, one, xp.where(line <= 0, xp.zeros_like(x), line))


def _hard_silu(xp: Any, x: Any) -> Any:
    line = _add(x, _three)
    try:
        return _multiply(_divide(clip(line, _zero, _six, line), _six, line), x, line)
    except TypeError:
        return clip(line, _zero, _six) / _six * x


@op(kinds="f", shapes=elementwise, quiet=True, direct=_hard_silu)
def hard_silu(xp, x: Array):
    """x * hard_sigmoid(x), elementwise.

    >>> from tensorsmith.ops.activations import hard_silu
    >>> hard_silu([-9.0, 0.0, 9.0]).numpy()
    array([-0.,  0.,  9.], dtype=float32)
    """
    if xp is np and x.itemsize >= 4:
        return _hard_silu(np, x)
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
