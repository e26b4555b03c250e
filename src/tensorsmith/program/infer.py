"""Dtype and shape of a symbolic result, None kept, found by running the kernel on stand-ins and cached."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.core.shapes import TensorShape
from tensorsmith.program.op import Op
from tensorsmith.program.program import Spec, freeze

# Two sizes that stand in for None: a result size that differs between them is None again.
# Both divide by the usual factors, so that reshape([-1, 4]) is not refused.
STAND_INS = (24, 48)
# Up to this many elements the kernel runs on NumPy's zeros, which costs microseconds and
# does not import JAX (0.45 s); above it `jax.eval_shape` is asked.
SMALL = 100_000

_cache: dict[Any, tuple[list[Spec], Any]] = {}


def infer(op: Op, specs: list[Any], settings: dict) -> tuple[list[Spec], Any]:
    """The specs of an operation's results, and what makes one result of several (None: there is one).

    specs: one (shape, dtype) for each array argument; a list of them for a list argument; None for one not given.
    Raises what the kernel raises when the shapes do not fit.
    """
    if any(_of_unknown_rank(part) for s in specs for part in (s if isinstance(s, list) else [s])):
        return _by_ranks(op, specs, settings)
    key = (op, _frozen(specs), freeze(settings))
    found = _cache.get(key)
    if found is None:
        if op.shapes is not None:
            results = op.shapes(specs, settings)
            found = list(results), getattr(type(results), "_make", list) if isinstance(results, tuple) else None
        else:
            found = _by_kernel(op, specs, settings)
        if len(_cache) > 20_000:
            _cache.clear()
        _cache[key] = found
    return found


# ranks that stand in for an unknown one: what Python code gives has no shape before it runs
RANKS = range(5)


def _of_unknown_rank(spec: Spec | None) -> bool:
    return spec is not None and isinstance(spec[0], TensorShape) and spec[0].rank is None


def _by_ranks(op: Op, specs: list[Any], settings: dict) -> tuple[list[Spec], Any]:
    """The specs where the rank of an argument is not known: what they are for every rank that fits, else unknown too."""
    found: list[Any] = []
    refused: Exception | None = None
    for rank in RANKS:

        def ranked(spec: Spec | None, rank: int = rank) -> Spec | None:
            return ((None,) * rank, spec[1]) if spec is not None and _of_unknown_rank(spec) else spec

        tried = [[ranked(p) for p in s] if isinstance(s, list) else ranked(s) for s in specs]
        try:
            found.append(infer(op, tried, settings))
        except Exception as error:  # of another rank it may be right
            refused = refused or error
    if not found:
        assert refused is not None
        raise refused
    results, pack = found[0]
    unknown = TensorShape(None)
    merged: list[Spec] = []
    for at, (shape, dtype) in enumerate(results):
        alike = all(len(r) == len(results) and r[at][0] == shape for r, _ in found)
        merged.append((shape if alike else unknown, dtype))
    return merged, pack


def _frozen(specs: list[Any]) -> tuple:
    return tuple(tuple(s) if isinstance(s, list) else s for s in specs)


def _by_kernel(op: Op, specs: list[Any], settings: dict) -> tuple[list[Spec], Any]:
    first, pack = _run(op, specs, settings, STAND_INS[0])
    if not _any_unknown(specs):
        return [(o.shape, o.dtype) for o in first], pack
    second, _ = _run(op, specs, settings, STAND_INS[1])
    merged = [(tuple(a if a == b else None for a, b in zip(x.shape, y.shape)), x.dtype) for x, y in zip(first, second)]
    return merged, pack


def _any_unknown(specs: list[Any]) -> bool:
    return any(_any_unknown(s) if isinstance(s, list) else s is not None and None in s[0] for s in specs)


def _run(op: Op, specs: list[Any], settings: dict, size: int) -> tuple[list[Any], Any]:
    shapes = [[_filled(p, size) for p in s] if isinstance(s, list) else _filled(s, size) for s in specs]
    elements = sum(_count(p) for s in shapes for p in (s if isinstance(s, list) else [s]))
    if elements <= SMALL:
        zeros = [[_zeros(p) for p in s] if isinstance(s, list) else _zeros(s) for s in shapes]
        with np.errstate(all="ignore"):
            results = op.kernel(np, *zeros, **settings)
    else:
        results = _eval_shape(op, shapes, settings)
    if isinstance(results, (tuple, list)):
        return list(results), getattr(type(results), "_make", type(results))
    return [results if hasattr(results, "dtype") else np.asarray(results)], None


def _eval_shape(op: Op, shapes: list[Any], settings: dict) -> Any:
    from tensorsmith.program.execute import guard, jax

    def struct(spec: Spec | None) -> Any:
        return None if spec is None else jax().ShapeDtypeStruct(spec[0], spec[1])

    abstract = [[struct(p) for p in s] if isinstance(s, list) else struct(s) for s in shapes]
    with guard():
        return jax().eval_shape(lambda *arrays: op.kernel(jax().numpy, *arrays, **settings), *abstract)


def _filled(spec: Spec | None, size: int) -> Spec | None:
    return None if spec is None else (tuple(size if d is None else d for d in spec[0]), spec[1])


def _count(spec: Spec | None) -> int:
    count = 1
    for size in spec[0] if spec else ():
        count *= size or 1
    return count


def _zeros(spec: Any) -> Any:
    if spec is None:
        return None
    if spec[1] == object:
        return np.full(spec[0], b"", object)
    return np.broadcast_to(np.zeros((), spec[1]), spec[0])
