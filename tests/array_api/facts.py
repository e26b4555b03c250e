"""Names, signatures and dtypes of the array API standard, edition 2024.12."""

from __future__ import annotations

# name and parameters as Python writes them; a default of `...` may be anything
FUNCTIONS = """
    abs(x, /)
    acos(x, /)
    acosh(x, /)
    add(x1, x2, /)
    all(x, /, *, axis=None, keepdims=False)
    any(x, /, *, axis=None, keepdims=False)
    arange(start, /, stop=None, step=1, *, dtype=None, device=None)
    argmax(x, /, *, axis=None, keepdims=False)
    argmin(x, /, *, axis=None, keepdims=False)
    argsort(x, /, *, axis=-1, descending=False, stable=True)
    asarray(obj, /, *, dtype=None, device=None, copy=None)
    asin(x, /)
    asinh(x, /)
    astype(x, dtype, /, *, copy=True, device=None)
    atan(x, /)
    atan2(x1, x2, /)
    atanh(x, /)
    bitwise_and(x1, x2, /)
    bitwise_invert(x, /)
    bitwise_left_shift(x1, x2, /)
    bitwise_or(x1, x2, /)
    bitwise_right_shift(x1, x2, /)
    bitwise_xor(x1, x2, /)
    broadcast_arrays(*arrays)
    broadcast_to(x, /, shape)
    can_cast(from_, to, /)
    ceil(x, /)
    clip(x, /, min=None, max=None)
    concat(arrays, /, *, axis=0)
    conj(x, /)
    copysign(x1, x2, /)
    cos(x, /)
    cosh(x, /)
    count_nonzero(x, /, *, axis=None, keepdims=False)
    cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
    cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
    diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
    divide(x1, x2, /)
    empty(shape, *, dtype=None, device=None)
    empty_like(x, /, *, dtype=None, device=None)
    equal(x1, x2, /)
    exp(x, /)
    expand_dims(x, /, axis)
    expm1(x, /)
    eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)
    finfo(type, /)
    flip(x, /, *, axis=None)
    floor(x, /)
    floor_divide(x1, x2, /)
    from_dlpack(x, /, *, device=None, copy=None)
    full(shape, fill_value, *, dtype=None, device=None)
    full_like(x, /, fill_value, *, dtype=None, device=None)
    greater(x1, x2, /)
    greater_equal(x1, x2, /)
    hypot(x1, x2, /)
    iinfo(type, /)
    imag(x, /)
    isdtype(dtype, kind)
    isfinite(x, /)
    isinf(x, /)
    isnan(x, /)
    less(x1, x2, /)
    less_equal(x1, x2, /)
    linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True)
    log(x, /)
    log10(x, /)
    log1p(x, /)
    log2(x, /)
    logaddexp(x1, x2, /)
    logical_and(x1, x2, /)
    logical_not(x, /)
    logical_or(x1, x2, /)
    logical_xor(x1, x2, /)
    matmul(x1, x2, /)
    matrix_transpose(x, /)
    max(x, /, *, axis=None, keepdims=False)
    maximum(x1, x2, /)
    mean(x, /, *, axis=None, keepdims=False)
    meshgrid(*arrays, indexing='xy')
    min(x, /, *, axis=None, keepdims=False)
    minimum(x1, x2, /)
    moveaxis(x, source, destination, /)
    multiply(x1, x2, /)
    negative(x, /)
    nextafter(x1, x2, /)
    nonzero(x, /)
    not_equal(x1, x2, /)
    ones(shape, *, dtype=None, device=None)
    ones_like(x, /, *, dtype=None, device=None)
    permute_dims(x, /, axes)
    positive(x, /)
    pow(x1, x2, /)
    prod(x, /, *, axis=None, dtype=None, keepdims=False)
    real(x, /)
    reciprocal(x, /)
    remainder(x1, x2, /)
    repeat(x, repeats, /, *, axis=None)
    reshape(x, /, shape, *, copy=None)
    result_type(*arrays_and_dtypes)
    roll(x, /, shift, *, axis=None)
    round(x, /)
    searchsorted(x1, x2, /, *, side='left', sorter=None)
    sign(x, /)
    signbit(x, /)
    sin(x, /)
    sinh(x, /)
    sort(x, /, *, axis=-1, descending=False, stable=True)
    sqrt(x, /)
    square(x, /)
    squeeze(x, /, axis)
    stack(arrays, /, *, axis=0)
    std(x, /, *, axis=None, correction=0.0, keepdims=False)
    subtract(x1, x2, /)
    sum(x, /, *, axis=None, dtype=None, keepdims=False)
    take(x, indices, /, *, axis=None)
    take_along_axis(x, indices, /, *, axis=-1)
    tan(x, /)
    tanh(x, /)
    tensordot(x1, x2, /, *, axes=2)
    tile(x, repetitions, /)
    tril(x, /, *, k=0)
    triu(x, /, *, k=0)
    trunc(x, /)
    unique_all(x, /)
    unique_counts(x, /)
    unique_inverse(x, /)
    unique_values(x, /)
    unstack(x, /, *, axis=0)
    var(x, /, *, axis=None, correction=0.0, keepdims=False)
    vecdot(x1, x2, /, *, axis=-1)
    where(condition, x1, x2, /)
    zeros(shape, *, dtype=None, device=None)
    zeros_like(x, /, *, dtype=None, device=None)
    __array_namespace_info__()
    linalg.cholesky(x, /, *, upper=False)
    linalg.cross(x1, x2, /, *, axis=-1)
    linalg.det(x, /)
    linalg.diagonal(x, /, *, offset=0)
    linalg.eigh(x, /)
    linalg.eigvalsh(x, /)
    linalg.inv(x, /)
    linalg.matmul(x1, x2, /)
    linalg.matrix_norm(x, /, *, keepdims=False, ord='fro')
    linalg.matrix_power(x, n, /)
    linalg.matrix_rank(x, /, *, rtol=None)
    linalg.matrix_transpose(x, /)
    linalg.outer(x1, x2, /)
    linalg.pinv(x, /, *, rtol=None)
    linalg.qr(x, /, *, mode='reduced')
    linalg.slogdet(x, /)
    linalg.solve(x1, x2, /)
    linalg.svd(x, /, *, full_matrices=True)
    linalg.svdvals(x, /)
    linalg.tensordot(x1, x2, /, *, axes=2)
    linalg.trace(x, /, *, offset=0, dtype=None)
    linalg.vecdot(x1, x2, /, *, axis=-1)
    linalg.vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
    fft.fft(x, /, *, n=None, axis=-1, norm='backward')
    fft.fftfreq(n, /, *, d=1.0, dtype=None, device=None)
    fft.fftn(x, /, *, s=None, axes=None, norm='backward')
    fft.fftshift(x, /, *, axes=None)
    fft.hfft(x, /, *, n=None, axis=-1, norm='backward')
    fft.ifft(x, /, *, n=None, axis=-1, norm='backward')
    fft.ifftn(x, /, *, s=None, axes=None, norm='backward')
    fft.ifftshift(x, /, *, axes=None)
    fft.ihfft(x, /, *, n=None, axis=-1, norm='backward')
    fft.irfft(x, /, *, n=None, axis=-1, norm='backward')
    fft.irfftn(x, /, *, s=None, axes=None, norm='backward')
    fft.rfft(x, /, *, n=None, axis=-1, norm='backward')
    fft.rfftfreq(n, /, *, d=1.0, dtype=None, device=None)
    fft.rfftn(x, /, *, s=None, axes=None, norm='backward')
"""

CONSTANTS = ["e", "inf", "nan", "newaxis", "pi"]

ATTRIBUTES = ["dtype", "device", "mT", "ndim", "shape", "size", "T"]

_BINARY = "add and floordiv lshift matmul mod mul or pow rshift sub truediv xor".split()
# parameters behind `self`
METHODS = {
    **{f"__{name}__": "" for name in "abs bool complex float index int invert neg pos dlpack_device".split()},
    **{f"__{name}__": "other, /" for name in [*_BINARY, *"eq ge gt le lt ne".split()]},
    **{f"__{prefix}{name}__": "other, /" for name in _BINARY for prefix in "ir"},
    "__array_namespace__": "*, api_version=None",
    "__dlpack__": "*, stream=None, max_version=None, dl_device=None, copy=None",
    "__getitem__": "key, /",
    "__setitem__": "key, value, /",
    "to_device": "device, /, *, stream=None",
}

INFO = {
    "capabilities": "",
    "default_device": "",
    "default_dtypes": "*, device=None",
    "devices": "",
    "dtypes": "*, device=None, kind=None",
}

SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
INTEGER = SIGNED + UNSIGNED
REAL_FLOATING = ["float32", "float64"]
COMPLEX = ["complex64", "complex128"]
FLOATING = REAL_FLOATING + COMPLEX
REAL = INTEGER + REAL_FLOATING
NUMERIC = REAL + COMPLEX
ALL = ["bool", *NUMERIC]
KINDS = {
    "bool": ["bool"],
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": INTEGER,
    "real floating": REAL_FLOATING,
    "complex floating": COMPLEX,
    "numeric": NUMERIC,
}

# the dtypes in which two meet: the rows of the standard's tables that are not symmetric, or not of one dtype
_MEETINGS = """
    int8 int16 int16, int8 int32 int32, int8 int64 int64, int16 int32 int32, int16 int64 int64, int32 int64 int64,
    uint8 uint16 uint16, uint8 uint32 uint32, uint8 uint64 uint64, uint16 uint32 uint32, uint16 uint64 uint64,
    uint32 uint64 uint64, int8 uint8 int16, int8 uint16 int32, int8 uint32 int64, int16 uint8 int16, int16 uint16 int32,
    int16 uint32 int64, int32 uint8 int32, int32 uint16 int32, int32 uint32 int64, int64 uint8 int64, int64 uint16 int64,
    int64 uint32 int64, float32 float64 float64, complex64 complex128 complex128, float32 complex64 complex64,
    float32 complex128 complex128, float64 complex64 complex128, float64 complex128 complex128
"""
PROMOTION = {(name, name): name for name in ALL}
for _row in _MEETINGS.split(","):
    _a, _b, _both = _row.split()
    PROMOTION[_a, _b] = PROMOTION[_b, _a] = _both

# what the elementwise functions take, and give: "same" (as the promoted argument), "bool", "real" (of a complex one)
UNARY = {
    "abs": (NUMERIC, "real"), "acos": (FLOATING, "same"), "acosh": (FLOATING, "same"), "asin": (FLOATING, "same"),
    "asinh": (FLOATING, "same"), "atan": (FLOATING, "same"), "atanh": (FLOATING, "same"),
    "bitwise_invert": (["bool", *INTEGER], "same"), "ceil": (REAL, "same"), "conj": (NUMERIC, "same"),
    "cos": (FLOATING, "same"), "cosh": (FLOATING, "same"), "exp": (FLOATING, "same"), "expm1": (FLOATING, "same"),
    "floor": (REAL, "same"), "imag": (COMPLEX, "real"), "isfinite": (NUMERIC, "bool"), "isinf": (NUMERIC, "bool"),
    "isnan": (NUMERIC, "bool"), "log": (FLOATING, "same"), "log1p": (FLOATING, "same"), "log2": (FLOATING, "same"),
    "log10": (FLOATING, "same"), "logical_not": (["bool"], "bool"), "negative": (SIGNED + FLOATING, "same"),
    "positive": (NUMERIC, "same"), "real": (NUMERIC, "real"), "reciprocal": (FLOATING, "same"), "round": (NUMERIC, "same"),
    "sign": (NUMERIC, "same"), "signbit": (REAL_FLOATING, "bool"), "sin": (FLOATING, "same"), "sinh": (FLOATING, "same"),
    "sqrt": (FLOATING, "same"), "square": (NUMERIC, "same"), "tan": (FLOATING, "same"), "tanh": (FLOATING, "same"),
    "trunc": (REAL, "same"),
}  # fmt: skip
BINARY = {
    "add": (NUMERIC, "same"), "atan2": (REAL_FLOATING, "same"), "bitwise_and": (["bool", *INTEGER], "same"),
    "bitwise_left_shift": (INTEGER, "same"), "bitwise_or": (["bool", *INTEGER], "same"),
    "bitwise_right_shift": (INTEGER, "same"), "bitwise_xor": (["bool", *INTEGER], "same"),
    "copysign": (REAL_FLOATING, "same"), "divide": (FLOATING, "same"), "equal": (ALL, "bool"),
    "floor_divide": (REAL, "same"), "greater": (REAL, "bool"), "greater_equal": (REAL, "bool"),
    "hypot": (REAL_FLOATING, "same"), "less": (REAL, "bool"), "less_equal": (REAL, "bool"),
    "logaddexp": (REAL_FLOATING, "same"), "logical_and": (["bool"], "bool"), "logical_or": (["bool"], "bool"),
    "logical_xor": (["bool"], "bool"), "maximum": (REAL, "same"), "minimum": (REAL, "same"),
    "multiply": (NUMERIC, "same"), "nextafter": (REAL_FLOATING, "same"), "not_equal": (ALL, "bool"),
    "pow": (NUMERIC, "same"), "remainder": (REAL, "same"), "subtract": (NUMERIC, "same"),
}  # fmt: skip

UNARY_OPERATORS = {"__abs__": "abs", "__invert__": "bitwise_invert", "__neg__": "negative", "__pos__": "positive"}
# by their names without underscores
BINARY_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}  # fmt: skip
COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip


def signatures() -> dict[str, str]:
    """The parameters of every function by its name, `linalg.` or `fft.` in front."""
    rows = [row.strip() for row in FUNCTIONS.strip().splitlines()]
    return {row[: row.index("(")]: row[row.index("(") + 1 : -1] for row in rows}
