"""The public namespace `tf.math`."""

from tensorsmith.ops.activations import log_sigmoid, log_softmax, sigmoid, softmax, softplus, softsign
from tensorsmith.ops.comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
)
from tensorsmith.ops.complex_numbers import angle, conj, imag, real
from tensorsmith.ops.cumulative import cumprod, cumsum, cumulative_logsumexp
from tensorsmith.ops.elementwise import (
    abs,
    add,
    add_n,
    divide,
    divide_no_nan,
    exp,
    expm1,
    floordiv,
    floormod,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    multiply_no_nan,
    negative,
    pow,
    reciprocal,
    rsqrt,
    sign,
    sqrt,
    square,
    squared_difference,
    subtract,
    truediv,
    xdivy,
    xlog1py,
    xlogy,
)
from tensorsmith.ops.elementwise import floormod as mod
from tensorsmith.ops.reductions import (
    argmax,
    argmin,
    count_nonzero,
    reduce_all,
    reduce_any,
    reduce_euclidean_norm,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_std,
    reduce_sum,
    reduce_variance,
)
from tensorsmith.ops.rounding import ceil, floor, is_finite, is_inf, is_nan, round_ as round, round_ as rint
from tensorsmith.ops.special import bessel_i0, bessel_i1, digamma, erf, erfc, erfinv, lgamma, ndtri
from tensorsmith.ops.trigonometry import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    sin,
    sinh,
    tan,
    tanh,
)

__all__ = [
    "abs", "acos", "acosh", "add", "add_n", "angle", "argmax", "argmin", "asin", "asinh", "atan", "atan2", "atanh",
    "bessel_i0", "bessel_i1", "ceil", "conj", "cos", "cosh", "count_nonzero", "cumprod", "cumsum",
    "cumulative_logsumexp", "digamma", "divide", "divide_no_nan", "equal", "erf", "erfc", "erfinv", "exp", "expm1",
    "floor", "floordiv", "floormod", "greater", "greater_equal", "imag", "is_finite", "is_inf", "is_nan", "less",
    "less_equal", "lgamma", "log", "log1p", "log_sigmoid", "log_softmax", "logical_and", "logical_not", "logical_or",
    "logical_xor", "maximum", "minimum", "mod", "multiply", "multiply_no_nan", "ndtri", "negative", "not_equal", "pow",
    "real", "reciprocal", "reduce_all", "reduce_any", "reduce_euclidean_norm", "reduce_logsumexp", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "rint", "round", "rsqrt",
    "sigmoid", "sign", "sin", "sinh", "softmax", "softplus", "softsign", "sqrt", "square", "squared_difference",
    "subtract", "tan", "tanh", "truediv", "xdivy", "xlog1py", "xlogy",
]  # fmt: skip
