"""What is asked of every operation: the row that each must have, and the questions.

A row says what the operation computes (an oracle, written independently over float64 NumPy or SciPy), on which
inputs and settings it is tried, and what it promises. The questions: eager equals the oracle, in float32 and
float64; dtype and shape are as promised; compiled equals eager; the gradient equals central differences; the
shape of a symbolic result is true of the concrete one; NaN passes on.
"""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import tensorsmith
from tensorsmith.core import context
from tensorsmith.program.execute import guard, jax
from tensorsmith.program.op import REQUIRED, Op, elementwise, predicate, registry
from tensorsmith.state.tape import GradientTape
from tensorsmith.tensor.apply import apply
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol, Tensor

ROOT = Path(__file__).resolve().parents[2]

Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """How one operation is asked.

    oracle      function(*float64 arrays, **settings) -> what the operation gives: an array, or a tuple of several.
    cases       [(inputs, settings)]: inputs as float32 (integers, booleans, strings) arrays, lists of them, or None.
    dtype       of the results: None for the first input's, a name, or function(inputs, settings) -> name (or names).
    check       in place of an oracle's array: function(results, inputs, settings) that asserts (for factorisations,
                which are right up to signs).
    rtol, atol  of float32 results against the oracle; float64 ones are held to 1e-6 of it.
    gradient    False, with the reason, where central differences say nothing (a random draw, a step).
    step        of the central differences.
    smooth      how many of the cases, from the first, are asked for gradients: the others lie on a step.
    nan         False, with the reason, where a NaN among the inputs need not show in the result.
    symbolic    False, with the reason, where the operation cannot be traced with unknown sizes: "known" ones only.
    compiled    False, with the reason, where XLA cannot run it.
    wide        False, with the reason, where it is not tried in float64.
    more        elementwise operations are also tried on 0-d, empty, strided and broadcasting inputs.
    default     settings that are only ever tried at their default, with the reason.
    """

    oracle: Callable[..., Any] | None
    cases: list[tuple[Inputs, dict[str, Any]]]
    dtype: Any = None
    check: Callable[..., None] | None = None
    rtol: float = 1e-5
    atol: float = 1e-6
    gradient: bool | str = True
    step: float = 1e-5
    smooth: int | None = None
    nan: bool | str = True
    symbolic: bool | str = True
    compiled: bool | str = True
    wide: bool | str = True
    more: bool | str = True
    default: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Elsewhere:
    """An operation that takes whole programs or objects, so that no table can ask it: `file` does."""

    file: str


def row(oracle: Any, *inputs: Inputs, settings: list[dict[str, Any]] | None = None, **promises: Any) -> Row:
    """Every input with every setting."""
    return Row(oracle, [(i, s) for i, s in itertools.product(inputs, settings or [{}])], **promises)


class Draw:
    """Sample inputs from a seed, each call other ones."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def normal(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        return (self._rng.normal(size=shape) * scale).astype("float32")

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        return self._rng.uniform(low, high, shape).astype("float32")

    def apart(self, *shape: int) -> np.ndarray:
        """Floats of which no two are near each other, nor any near 0: for functions with steps and ties."""
        count = int(np.prod(shape))
        values = (self._rng.permutation(count) - count / 2 + 0.37) * 0.31
        return values.reshape(shape).astype("float32")

    def ints(self, low: int, high: int, *shape: int, dtype: str = "int32") -> np.ndarray:
        return self._rng.integers(low, high, shape).astype(dtype)

    def bools(self, *shape: int) -> np.ndarray:
        return self._rng.integers(0, 2, shape).astype(bool)

    def complex(self, *shape: int) -> np.ndarray:
        return (self._rng.normal(size=shape) + 1j * self._rng.normal(size=shape)).astype("complex64")


# ---- the table


def load_everything() -> None:
    """Imports every file of the package that could register an operation."""
    for module in pkgutil.walk_packages(tensorsmith.__path__, "tensorsmith."):
        if not module.name.startswith(("tensorsmith.tools", "tensorsmith.__main__", "tensorsmith.public")):
            importlib.import_module(module.name)


def rows() -> dict[str, Row | Elsewhere]:
    """The rows of all files in tests/oracles, by the operation's name."""
    found: dict[str, Row | Elsewhere] = {}
    for file in sorted((ROOT / "tests" / "oracles").glob("*.py")):
        if file.stem == "__init__":
            continue
        for name, given in importlib.import_module(f"tests.oracles.{file.stem}").ROWS.items():
            assert name not in found, f"two rows for {name!r}"
            found[name] = given
    return found


def operations() -> dict[str, Op]:
    """Every registered operation by its name."""
    load_everything()
    return dict(registry)


# ---- inputs


def is_elementwise(op: Op) -> bool:
    return op.shapes in (elementwise, predicate)


def _leaves(inputs: Any) -> Iterator[np.ndarray]:
    for value in inputs:
        if isinstance(value, list):
            yield from value
        elif value is not None:
            yield value


def _mapped(inputs: Inputs, function: Callable[[np.ndarray], Any]) -> list[Any]:
    return [
        None if value is None else [function(v) for v in value] if isinstance(value, list) else function(value)
        for value in inputs
    ]


def widened(value: np.ndarray) -> np.ndarray:
    """Floats in float64, complex numbers in complex128, all else as it is."""
    kind = value.dtype.kind
    return value.astype({"f": "float64", "c": "complex128"}[kind]) if kind in "fc" else value


def derived(op: Op, given: Row) -> list[tuple[Inputs, dict[str, Any]]]:
    """The cases of a row with all their settings, and those that are derived from them."""
    defaults = {name: value for name, value in op.settings.items() if value is not REQUIRED}
    return [(inputs, {**defaults, **settings}) for inputs, settings in _derived(op, given)]


def _derived(op: Op, given: Row) -> list[tuple[Inputs, dict[str, Any]]]:
    """The row's cases with all their settings, and for elementwise operations those inputs on which
    code breaks: 0-d, empty, strided, broadcast."""
    if not is_elementwise(op) or given.more is not True or op.lists or not op.arrays:
        return given.cases
    inputs, settings = given.cases[0]
    if any(value is None or value.ndim == 0 for value in inputs):
        return given.cases
    found = list(given.cases)
    flat = [value.reshape(-1) for value in inputs]
    wants_axis = "axis" in op.settings
    if not wants_axis:
        found.append((tuple(value[0] for value in flat), settings))
    found.append((tuple(value[:0] for value in flat), settings))
    found.append((tuple(np.zeros((2, 0), value.dtype) for value in inputs), settings))
    found.append((tuple(np.stack([value, value], -1)[..., 0] for value in inputs), settings))
    if len(inputs) == 2:
        # a column against a row
        found.append(((flat[0][:3].reshape(-1, 1), flat[1][:4].reshape(1, -1)), settings))
    return found


def _finite(value: np.ndarray) -> bool:
    return value.dtype.kind not in "fc" or bool(np.isfinite(value).all())


def _read_only(value: np.ndarray) -> np.ndarray:
    value = np.asarray(value).view()
    value.flags.writeable = False
    return value


def run(op: Op, inputs: Any, settings: dict[str, Any]) -> list[np.ndarray]:
    """The results of one eager call, on arrays that cannot be written to."""
    tensors = _mapped(tuple(inputs), lambda value: Tensor(_read_only(value)))
    results = apply(op, tensors, settings)
    return [np.asarray(r._array) for r in (results if isinstance(results, (list, tuple)) else [results])]


# ---- the questions


def equals_oracle(op: Op, given: Row) -> None:
    """Eager is the oracle, in float32 and in float64, and of the promised dtype and shape."""
    for inputs, settings in derived(op, given):
        _against_oracle(op, given, inputs, settings, given.rtol, given.atol)
        if given.wide is True and any(v.dtype == np.float32 for v in _leaves(inputs)):
            wide = tuple(_mapped(inputs, widened))
            tight = 1e-6
            _against_oracle(op, given, wide, settings, given.rtol * tight, given.atol * tight)


def _against_oracle(op: Op, given: Row, inputs: Inputs, settings: dict[str, Any], rtol: float, atol: float) -> None:
    results = run(op, inputs, settings)
    told = f"{op.name}, inputs {inputs}, settings {settings}"
    if given.check is not None:
        given.check(results, inputs, settings)
        return
    assert given.oracle is not None
    with np.errstate(all="ignore"):
        expected = given.oracle(*_mapped(inputs, widened), **settings)
    wanted = list(expected) if isinstance(expected, (tuple, list)) else [expected]
    assert len(results) == len(wanted), told
    for result, right, dtype in zip(results, wanted, promised(given, inputs, settings, len(results)), strict=True):
        assert result.dtype == dtype, f"{told}: dtype {result.dtype}, promised {dtype}"
        assert result.shape == np.shape(right), f"{told}: shape {result.shape}, promised {np.shape(right)}"
        if result.dtype.kind in "fc":
            np.testing.assert_allclose(result, right, rtol=rtol, atol=atol, err_msg=told)
        else:
            np.testing.assert_array_equal(result, right, err_msg=told)


def promised(given: Row, inputs: Inputs, settings: dict[str, Any], count: int) -> list[np.dtype]:
    """The dtypes that the row promises."""
    if given.dtype is None:
        found: Any = next(_leaves(inputs)).dtype
    else:
        found = given.dtype(inputs, settings) if callable(given.dtype) else given.dtype
    names = list(found) if isinstance(found, (tuple, list)) else [found] * count
    return [np.dtype(name) for name in names]


def compiles_alike(op: Op, given: Row) -> None:
    """Compiled under XLA every case, also with NaN in it, has the values, dtypes and shapes that it has when run at once."""
    cases = [
        (i, s) for i, s in derived(op, given) + spoiled(op, given) if not any(v.dtype == object for v in _leaves(i))
    ]
    compiled = _compiled(op, cases)
    for results, (inputs, settings) in zip(compiled, cases, strict=True):
        told = f"{op.name}, inputs {inputs}, settings {settings}"
        eager = run(op, inputs, settings)
        assert len(eager) == len(results), told
        if given.check is not None:
            given.check(results, inputs, settings)
        for right, result in zip(eager, results, strict=True):
            assert (result.dtype, result.shape) == (right.dtype, right.shape), told
            if given.check is not None and given.oracle is None:
                continue
            if right.dtype.kind in "fc":
                np.testing.assert_allclose(result, right, rtol=given.rtol, atol=given.atol, err_msg=told)
            else:
                np.testing.assert_array_equal(result, right, err_msg=told)


def gradient_is_difference(op: Op, given: Row) -> None:
    """The tape's gradient in float64 is the central difference; it is None where the operation says so.

    Asked twice: at first sight it is computed piece by piece, from then on as a whole.
    """
    rng = np.random.default_rng(7)
    cases, watched = [], []
    for inputs, settings in given.cases[: given.smooth]:
        tensors = _mapped(inputs, lambda value: Tensor(widened(value)))
        flat = list(_leaves(tensors))
        floats = [t for t in flat if t._array.dtype.kind == "f"]
        if floats and all(t._array.size and _finite(t._array) for t in flat):
            cases.append((tensors, settings, floats))
            watched += floats
    if not cases:
        return
    weights: list[list[np.ndarray]] = []
    with GradientTape(persistent=True) as tape:
        tape.watch(watched)
        total: Any = None
        for tensors, settings, _ in cases:
            results = apply(op, tensors, settings)
            parts = []
            for result in results if isinstance(results, (list, tuple)) else [results]:
                if result.dtype.is_floating:
                    parts.append(rng.normal(size=tuple(result.shape)))
                    part = tensorsmith.reduce_sum(result * Tensor(parts[-1]))
                    total = part if total is None else total + part
                else:
                    parts.append(None)
            weights.append(parts)
    if total is None:
        return
    found = zip(tape.gradient(total, watched), tape.gradient(total, watched), strict=True)
    for (tensors, settings, floats), parts in zip(cases, weights, strict=True):
        for source in floats:
            gradients = next(found)
            told = f"{op.name}, settings {settings}"
            if not op.differentiable:
                assert gradients == (None, None), told
                continue
            difference = _difference(op, tensors, settings, source, parts, given.step)
            for gradient in gradients:
                got = np.zeros_like(difference) if gradient is None else np.asarray(gradient._array)
                np.testing.assert_allclose(got, difference, rtol=1e-5, atol=1e-6, err_msg=told)


def _difference(op: Op, tensors: Any, settings: dict, source: Tensor, weights: Any, step: float) -> np.ndarray:
    """The central difference of the weighted sum of the results by each element of one input."""

    def value(array: np.ndarray) -> float:
        swapped = [
            [array if t is source else t._array for t in x] if isinstance(x, list)
            else None if x is None else array if x is source else x._array
            for x in tensors
        ]  # fmt: skip
        with np.errstate(all="ignore"):
            results = op.kernel(np, *swapped, **settings)
        results = results if isinstance(results, (list, tuple)) else [results]
        pairs = [(np.asarray(r), w) for r, w in zip(results, weights, strict=True) if w is not None]
        # the greatest of no rows is -inf: it does not move
        return float(sum((r * w)[np.isfinite(r)].sum() for r, w in pairs))

    base = np.asarray(source._array)
    slopes = np.zeros(base.shape)
    for at in np.ndindex(base.shape):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[at] += sign * step
            ends.append(value(moved))
        slopes[at] = (ends[0] - ends[1]) / (2 * step)
    return slopes


def shape_is_known_before(op: Op, given: Row) -> None:
    """What a trace says of the result is true of it: exactly with all sizes known, compatibly with some unknown."""
    for inputs, settings in derived(op, given):
        concrete = run(op, inputs, settings)
        ways = [lambda shape: shape]
        if given.symbolic is True:
            ways += [lambda shape: (None, *shape[1:]) if shape else shape, lambda shape: (None,) * len(shape)]
        for way in ways:
            if not op.arrays or not list(_leaves(inputs)):
                continue
            graph = Graph()
            symbols = _mapped(inputs, lambda value, way=way, graph=graph: graph.input(way(value.shape), value.dtype))
            with context.tracing(graph):
                results = apply(op, symbols, settings)
            results = results if isinstance(results, (list, tuple)) else [results]
            told = f"{op.name}, shapes {[way(v.shape) for v in _leaves(inputs)]}, settings {settings}"
            if op.eager or len(results) != len(concrete):
                assert len(results) == len(concrete) or given.symbolic is not True, told
            for symbol, right in zip(results, concrete, strict=False):
                assert isinstance(symbol, Symbol), told
                assert symbol.dtype.numpy_dtype == right.dtype, f"{told}: {symbol.dtype}, is {right.dtype}"
                assert symbol.shape.is_compatible_with(right.shape), f"{told}: {symbol.shape}, is {right.shape}"
                if way is ways[0] and not op.eager and op.name != "range":
                    assert tuple(symbol.shape) == right.shape, f"{told}: {symbol.shape}, is {right.shape}"


def spoiled(op: Op, given: Row) -> list[tuple[Inputs, dict[str, Any]]]:
    """The first two cases with a NaN in each float input in turn."""
    cases = []
    for inputs, settings in given.cases[:2] if given.nan is True else ():
        flat = list(_leaves(inputs))
        for at, value in enumerate(flat):
            if value.dtype != np.float32 or not value.size:
                continue
            bad = np.array(value)
            bad[(0,) * value.ndim] = np.nan
            rest = iter([bad if i == at else v for i, v in enumerate(flat)])
            cases.append((tuple(_mapped(inputs, lambda _, rest=rest: next(rest))), settings))
    return cases


def nan_shows(op: Op, given: Row) -> None:
    """A NaN in any one float input shows in the result; elementwise, at its place. (Compiled is held to eager above.)"""
    for inputs, settings in spoiled(op, given):
        found = run(op, inputs, settings)
        floats = [r for r in found if r.dtype.kind in "fc"]
        if not floats:
            continue
        if is_elementwise(op) and "axis" not in op.settings:
            where = np.zeros(np.broadcast_shapes(*(v.shape for v in inputs)), bool)
            for value in inputs:
                where |= np.isnan(value)
            np.testing.assert_array_equal(np.isnan(floats[0]), where, err_msg=f"{op.name} {inputs}")
        else:
            assert any(np.isnan(r).any() for r in floats), f"{op.name} hides a NaN in {inputs}"


def _compiled(op: Op, cases: Any) -> list[list[np.ndarray]]:
    def together(every: Any) -> Any:
        found = []
        for arrays, (inputs, settings) in zip(every, cases, strict=True):
            rest = iter(arrays)
            results = op.kernel(jax().numpy, *_mapped(inputs, lambda _, rest=rest: next(rest)), **settings)
            found.append(list(results) if isinstance(results, (list, tuple)) else [results])
        return found

    with guard():
        results = jax().jit(together)([list(_leaves(inputs)) for inputs, _ in cases])
    return [[np.asarray(r) for r in found] for found in results]


def settings_are_tried(op: Op, given: Row) -> None:
    """Every setting stands in some case at another value than its default."""
    for name, default in op.settings.items():
        if name in given.default:
            continue
        tried = [settings[name] for _, settings in given.cases if name in settings]
        assert any(repr(value) != repr(default) for value in tried), (
            f"{op.name}: the setting {name!r} is never tried off its default {default!r}"
        )
