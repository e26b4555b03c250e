"""Every elementwise operation of the registry, run at once on ten numbers, and of those with two arguments beside a scalar."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import Figure, Job, Share
from benchmarks.figures.entrants import at_once
from benchmarks.settings import Settings

# operation: what NumPy, PyTorch call it where that is another name; "" where they have none. SciPy's stand after "scipy:".
OTHER_NAMES: dict[str, tuple[str, str]] = {
    "acos": ("arccos", "acos"), "acosh": ("arccosh", "acosh"), "asin": ("arcsin", "asin"), "asinh": ("arcsinh", "asinh"),
    "atan": ("arctan", "atan"), "atan2": ("arctan2", "atan2"), "atanh": ("arctanh", "atanh"),
    "bessel_i0": ("scipy:i0", "special.i0"), "bessel_i0e": ("scipy:i0e", "special.i0e"),
    "bessel_i1": ("scipy:i1", "special.i1"), "bessel_i1e": ("scipy:i1e", "special.i1e"),
    "bessel_j0": ("scipy:j0", "special.bessel_j0"), "bessel_j1": ("scipy:j1", "special.bessel_j1"),
    "bessel_k0": ("scipy:k0", "special.modified_bessel_k0"), "bessel_k0e": ("scipy:k0e", "special.scaled_modified_bessel_k0"),
    "bessel_k1": ("scipy:k1", "special.modified_bessel_k1"), "bessel_k1e": ("scipy:k1e", "special.scaled_modified_bessel_k1"),
    "bessel_y0": ("scipy:y0", "special.bessel_y0"), "bessel_y1": ("scipy:y1", "special.bessel_y1"),
    "betainc": ("scipy:betainc", ""), "dawsn": ("scipy:dawsn", ""), "digamma": ("scipy:digamma", "digamma"),
    "divide_no_nan": ("", ""), "elu": ("", "nn.functional.elu"), "erf": ("scipy:erf", "erf"), "erfc": ("scipy:erfc", "erfc"),
    "equal": ("equal", "eq"),
    "erfcinv": ("scipy:erfcinv", ""), "erfinv": ("scipy:erfinv", "erfinv"), "expint": ("scipy:expi", ""),
    "floordiv": ("floor_divide", "floor_divide"), "floormod": ("remainder", "remainder"), "gelu": ("", "nn.functional.gelu"),
    "hard_sigmoid": ("", "nn.functional.hardsigmoid"), "hard_silu": ("", "nn.functional.hardswish"),
    "igamma": ("scipy:gammainc", "special.gammainc"), "igammac": ("scipy:gammaincc", "special.gammaincc"),
    "invert": ("invert", "bitwise_not"), "is_finite": ("isfinite", "isfinite"), "is_inf": ("isinf", "isinf"),
    "is_nan": ("isnan", "isnan"), "leaky_relu": ("", "nn.functional.leaky_relu"),
    "left_shift": ("left_shift", "bitwise_left_shift"), "lgamma": ("scipy:gammaln", "lgamma"),
    "log_sigmoid": ("scipy:log_expit", "nn.functional.logsigmoid"), "mish": ("", "nn.functional.mish"),
    "ndtri": ("scipy:ndtri", "special.ndtri"), "pow": ("power", "pow"), "realdiv": ("divide", "divide"),
    "relu": ("", "relu"), "relu6": ("", "nn.functional.relu6"), "right_shift": ("right_shift", "bitwise_right_shift"),
    "rsqrt": ("", "rsqrt"), "selu": ("", "selu"), "sigmoid": ("scipy:expit", "sigmoid"),
    "sigmoid_cross_entropy_with_logits": ("", ""), "silu": ("", "nn.functional.silu"), "softplus": ("", "nn.functional.softplus"),
    "softsign": ("", "nn.functional.softsign"), "spence": ("scipy:spence", ""), "truncatemod": ("fmod", "fmod"),
    "truncatediv": ("", ""), "xlogy": ("scipy:xlogy", "xlogy"), "xlog1py": ("scipy:xlog1py", "special.xlog1py"),
    "zeta": ("scipy:zeta", "special.zeta"), "polygamma": ("", ""), "clip_by_value": ("clip", ""),
}  # fmt: skip
# where TensorFlow has its names
SPACES = ("math", "", "nn", "bitwise", "math.special")
# settings that have no default
SETTINGS = {"weighted_cross_entropy_with_logits": {"pos_weight": 2.0}}

BETWEEN = np.linspace(0.05, 0.95, 10, dtype="float32")
VALUES = {
    "f": BETWEEN,
    "i": np.arange(1, 11, dtype="int32") % 7 + 1,
    "b": np.arange(10) % 2 == 0,
    "c": BETWEEN + 1j * BETWEEN[::-1],
}


def plan() -> dict[str, tuple[int, str]]:
    """How many arrays each elementwise operation takes, and of which kind."""
    import tensorsmith
    from tensorsmith.program.op import elementwise, predicate, registry

    tensorsmith.keras  # noqa: B018  (what it registers)
    found = {}
    for name, op in sorted(registry.items()):
        pointwise = op.shapes in (elementwise, predicate) and "axis" not in op.settings or name in ("abs", "divide")
        if pointwise and op.plain:
            found[name] = len(op.arrays), next(kind for kind in "fibc" if kind in op.kinds)
    return found


def inputs(name: str, count: int, kind: str, scalar: bool) -> list[np.ndarray]:
    values = VALUES[kind].astype({"f": "float32", "c": "complex64"}.get(kind, VALUES[kind].dtype))
    if name == "acosh" or name == "zeta":
        values = values + 1
    found = [values] + [values[::-1].copy()] * (count - 1)
    return [found[0], *[v[3] for v in found[1:]]] if scalar else found


def attribute(root: Any, path: str) -> Any:
    for part in filter(None, path.split(".")):
        root = getattr(root, part, None)
    return root


def function_of(package: str, name: str) -> Callable[..., Any] | None:
    """What the package has for an operation."""
    module = import_module(package)
    if package == "tensorsmith":
        from tensorsmith.tensor.apply import functions

        return functions.get(name)
    if package == "tensorflow":
        return next((f for space in SPACES if (f := getattr(attribute(module, space), name, None)) is not None), None)
    other = OTHER_NAMES.get(name, (name, name))[package == "torch"]
    if other.startswith("scipy:"):
        return getattr(import_module("scipy.special"), other[6:])
    return attribute(module, other) if other else None


def eager_job(settings: Settings, package: str) -> Job:
    module = import_module(package)
    tensor: Callable[[np.ndarray], Any] = {
        "numpy": np.asarray,
        "torch": lambda a: module.tensor(np.array(a)),
        "tensorflow": lambda a: module.constant(a),
        "tensorsmith": lambda a: module.constant(a),
    }[package]
    timers = {}
    for name, (count, kind) in plan().items():
        function = function_of(package, name)
        if function is None:
            continue
        for scalar in (False, True)[: 1 if count == 1 else 2]:
            given = [tensor(value) for value in inputs(name, count, kind, scalar)]
            named = SETTINGS.get(name, {}) if package in ("tensorsmith", "tensorflow") else {}
            told = ", ".join(["x", "y", "z"][:count] + [f"{key}={value}" for key, value in named.items()])
            names = {"f": function, **dict(zip("xyz", given))}
            timer = timeit.Timer(f"f({told})", globals=names)
            try:
                timer.timeit(1)
            except Exception:
                continue
            timers[f"{name}, scalar" if scalar else name] = timer
    calls = (200 if settings.quick else 1_000) // (4 if package == "tensorflow" else 1)

    def measure() -> dict[str, float]:
        return {row: timer.timeit(calls) / calls for row, timer in timers.items()}

    measure()
    return Job(measure)


FIGURE = Figure(
    name="elementwise",
    title="Every elementwise operation, at once, on 10 elements and beside a scalar",
    contenders=at_once(f"{__name__}:eager_job"),
    targets=(),
    shares=(Share(0.9, 1.1, "PyTorch"), Share(1.0, 1.0, "TensorFlow")),
    rounds=(11, 3),
    worst=10,
)
