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
    accumulate_n,
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
    polyval,
    pow,
    reciprocal,
    reciprocal_no_nan,
    rsqrt,
    scalar_mul,
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
from tensorsmith.ops.gamma_functions import (
    betainc,
    igamma,
    igammac,
    lbeta,
    polygamma,
    zeta,
)
from tensorsmith.ops.normalization import (
    l2_normalize,
    zero_fraction,
)
from tensorsmith.ops.orders import (
    approx_max_k,
    approx_min_k,
    invert_permutation,
    is_non_decreasing,
    is_strictly_increasing,
)
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
from tensorsmith.ops.rounding import (
    ceil,
    floor,
    is_finite,
    is_inf,
    is_nan,
    nextafter,
)
from tensorsmith.ops.rounding import round_ as rint
from tensorsmith.ops.rounding import round_ as round
from tensorsmith.ops.segments import (
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
    unsorted_segment_max,
    unsorted_segment_mean,
    unsorted_segment_min,
    unsorted_segment_prod,
    unsorted_segment_sqrt_n,
    unsorted_segment_sum,
)
from tensorsmith.ops.sequences import (
    confusion_matrix,
)
from tensorsmith.ops.sobol import (
    sobol_sample,
)
from tensorsmith.ops.sorting import (
    bincount,
    in_top_k,
    top_k,
)
from tensorsmith.ops.special import (
    bessel_i0,
    bessel_i0e,
    bessel_i1,
    bessel_i1e,
    digamma,
    erf,
    erfc,
    erfcinv,
    erfinv,
    lgamma,
    ndtri,
)
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
from tensorsmith.public import math_special as special

__all__ = [
    "abs", "accumulate_n", "acos", "acosh", "add", "add_n", "angle", "approx_max_k", "approx_min_k", "argmax",
    "argmin", "asin", "asinh", "atan", "atan2", "atanh", "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e",
    "betainc", "bincount", "ceil", "confusion_matrix", "conj", "cos", "cosh", "count_nonzero", "cumprod", "cumsum",
    "cumulative_logsumexp", "digamma", "divide", "divide_no_nan", "equal", "erf", "erfc", "erfcinv", "erfinv", "exp",
    "expm1", "floor", "floordiv", "floormod", "greater", "greater_equal", "igamma", "igammac", "imag", "in_top_k",
    "invert_permutation", "is_finite", "is_inf", "is_nan", "is_non_decreasing", "is_strictly_increasing",
    "l2_normalize", "lbeta", "less", "less_equal", "lgamma", "log", "log1p", "log_sigmoid", "log_softmax",
    "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply",
    "multiply_no_nan", "ndtri", "negative", "nextafter", "not_equal", "polygamma", "polyval", "pow", "real",
    "reciprocal", "reciprocal_no_nan", "reduce_all", "reduce_any", "reduce_euclidean_norm", "reduce_logsumexp",
    "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance", "rint",
    "round", "rsqrt", "scalar_mul", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sum",
    "sigmoid", "sign", "sin", "sinh", "sobol_sample", "softmax", "softplus", "softsign", "special", "sqrt", "square",
    "squared_difference", "subtract", "tan", "tanh", "top_k", "truediv", "unsorted_segment_max",
    "unsorted_segment_mean", "unsorted_segment_min", "unsorted_segment_prod", "unsorted_segment_sqrt_n",
    "unsorted_segment_sum", "xdivy", "xlog1py", "xlogy", "zero_fraction", "zeta",
]  # fmt: skip
