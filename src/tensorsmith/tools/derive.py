"""Writes `program/slopes.json`: the derivatives of common operations, as JAX derives them.

    python -m tensorsmith.tools.derive

Elementwise operations are found in the registry and derived on scalars. What is derived is compared with JAX's own
derivative of arrays: an operation that is not truly elementwise, or needs a primitive that NumPy has not, is left
out, and JAX derives it when it is met. The others are those of `SHAPED`, derived twice, on two sets of stand-in sizes
that are prime, so that each size of a result tells from which size of an argument it comes.
"""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np

from tensorsmith.program import execute, slopes
from tensorsmith.program.op import Op, registry
from tensorsmith.program.small import NotSmall, Small, traced

_WORDS = ("new_dtype", "y", "shape", "broadcast_dimensions", "axes", "permutation", "dimension_numbers", "dimension")

# {operation: [(settings, None for any; samples of settings; shapes of the arguments in letters)]}
_AXES = [None, 0, 1, -1]
SHAPED: dict[str, list[tuple[Any, list[dict], tuple[str, ...]]]] = {
    "matmul": [
        (settings, [settings], shapes)
        for a, b, shapes in [
            (False, False, ("mk", "kn")),
            (True, False, ("km", "kn")),
            (False, True, ("mk", "nk")),
            (True, True, ("km", "nk")),
        ]
        for settings in [{"transpose_a": a, "transpose_b": b, "adjoint_a": False, "adjoint_b": False}]
    ],
    **{
        name: [
            (settings, [settings], ("abcd"[:rank],))
            for rank in range(5)
            for axis, keep in itertools.product(_AXES, (False, True))
            if axis is None or -rank <= axis < rank
            for settings in [{"axis": axis, "keepdims": keep}]
        ]
        for name in ("reduce_sum", "reduce_mean")
    },
    "reshape": [(None, [{"sizes": (1, -1)}, {"sizes": (-1, 1, 1)}], ("abcd"[:rank],)) for rank in range(5)],
    "transpose": [({"perm": None}, [{"perm": None}], ("abc"[:rank],)) for rank in range(4)],
    "identity": [({}, [{}], ("abcd"[:rank],)) for rank in range(5)],
}
_PRIMES = ([3, 5, 7, 11, 13, 17], [19, 23, 29, 31, 37, 41])


def derive() -> dict[str, list[dict[str, Any]]]:
    """The content of the file."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in sorted(registry):
        if not registry[name].kernel.__module__.startswith("tensorsmith.ops."):
            continue
        found = [*_elementwise(registry[name]), *_shaped(registry[name])]
        if found:
            rows[name] = found
    return rows


def text(rows: dict[str, list[dict[str, Any]]]) -> str:
    """The file: one line a row."""
    lines = [
        f"{json.dumps(name)}: [\n" + ",\n".join("  " + json.dumps(row) for row in found) + "\n]"
        for name, found in rows.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


# ---- elementwise operations


def _elementwise(op: Op) -> list[dict[str, Any]]:
    plain = op.plain and op.differentiable and not op.eager and "f" in op.kinds
    simple = all(value is None or isinstance(value, (bool, int, float, str)) for value in op.settings.values())
    if not plain or not simple:
        return []
    rows = []
    for kinds in itertools.product("fb", repeat=len(op.arrays)):
        if "f" not in kinds or ("b" in kinds and op.same is True):
            continue
        row = _derived(op, dict(op.settings), "".join(kinds), [((),) * len(kinds)] * 2)
        if row is not None:
            row = {**row, "ranks": None, "steps": [[*step[:4], None] for step in row["steps"]]}
            if _holds(op, row):
                rows.append(row)
    return rows


def _holds(op: Op, row: dict[str, Any]) -> bool:
    """Whether a derivative found on scalars is that of arrays."""
    rng = np.random.default_rng(0)
    shape = (4, 3)
    for dtype in slopes.FLOATS:
        arrays = [
            rng.uniform(0.1, 0.9, shape).astype(dtype) if k == "f" else rng.random(shape) < 0.5 for k in row["kinds"]
        ]
        try:
            made = np.asarray(op.kernel(np, *arrays, **op.settings))
        except (ValueError, TypeError, IndexError):
            return False
        if made.shape != shape or made.dtype != dtype:
            return False
        flow = rng.normal(size=shape).astype(dtype)
        expected = of_arrays(op, op.settings, arrays, flow)
        found = of_row(row, arrays, flow)
        if not all(np.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in zip(found, expected, strict=True)):
            return False
    return True


def of_arrays(op: Op, settings: dict, arrays: list[Any], flow: Any) -> list[Any]:
    """JAX's derivative for these very shapes, by the floats among the arrays."""
    jax = execute.jax()
    places = [at for at, a in enumerate(arrays) if a.dtype.kind == "f"]

    def backward(*given: Any) -> list[Any]:
        def forward(*values: Any) -> Any:
            every = list(given[:-1])
            for at, value in zip(places, values):
                every[at] = value
            return op.kernel(jax.numpy, *_packed(op, every), **settings)

        return list(jax.vjp(forward, *[given[at] for at in places])[1](given[-1]))

    every = [*arrays, flow]
    # its primitives run on NumPy: XLA would compile every one of them for every shape
    small = Small(traced(backward, [(a.shape, a.dtype) for a in every], jax), math.inf)
    return small(*[every[at] for at in small.inputs])


def of_row(row: dict[str, Any], arrays: list[Any], flow: Any) -> list[Any]:
    """The same by a row of the file."""
    places = [at for at, a in enumerate(arrays) if a.dtype.kind == "f"]
    shapes, dtypes = [a.shape for a in arrays], [a.dtype for a in arrays]
    small = Small(slopes.listing(row, shapes, dtypes, flow.shape, places), math.inf)
    every = [*arrays, flow]
    return small(*[every[at] for at in small.inputs])


# ---- operations on shapes


def _shaped(op: Op) -> list[dict[str, Any]]:
    rows = []
    for settings, samples, letters in SHAPED.get(op.name, ()):
        distinct = sorted(set("".join(letters)))
        sizes = [[tuple(primes[distinct.index(c)] for c in word) for word in letters] for primes in _PRIMES]
        found = [_derived(op, sample, "f" * len(letters), sizes) for sample in samples]
        if found[0] is None or any(row is None or row["steps"] != found[0]["steps"] for row in found):
            raise ValueError(f"{op.name} of {letters} has no derivative that holds for all sizes.")
        rows.append({**found[0], "settings": settings, "ranks": [len(word) for word in letters]})
    return rows


# ---- one derivation


def _derived(op: Op, settings: dict, kinds: str, sizes: list[Any]) -> dict[str, Any] | None:
    """A row, found on two sets of sizes and in two dtypes; None where it has no form that holds for all of them."""
    found = []
    for shapes, dtype in zip(sizes, slopes.FLOATS):
        try:
            found.append((_steps(op, settings, kinds, shapes, dtype), shapes))
        except (*execute.REFUSED, ArithmeticError, NotSmall):
            return None
    (first, shapes_a), (second, shapes_b) = found
    names = {
        (k, axis): (shapes_a[k][axis], shapes_b[k][axis])
        for k, shape in enumerate(shapes_a)
        for axis in range(len(shape))
    }
    try:
        steps, outputs = _unified(first, second, names)
    except _Differs:
        return None
    return {"settings": settings, "kinds": kinds, "steps": steps, "outputs": outputs}


class _Differs(Exception):
    pass


def _unified(a: Any, b: Any, names: dict[Any, tuple[int, int]]) -> Any:
    """What two derivations have in common, with sizes where their numbers differ."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [_unified(x, y, names) for x, y in zip(a, b)]
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return {key: _unified(a[key], b[key], names) for key in a}
    if type(a) is not type(b):
        raise _Differs
    if a == b or (isinstance(a, float) and isinstance(b, float) and np.array_equal(np.float32(a), np.float32(b), True)):
        return b
    if isinstance(a, (int, float)):
        for count in (1, 2, 3, 4):
            for chosen in itertools.combinations(names, count):
                if math.prod(names[c][0] for c in chosen) == a and math.prod(names[c][1] for c in chosen) == b:
                    return {"sizes": [list(c) for c in chosen]}
    raise _Differs


def _packed(op: Op, arrays: list[Any]) -> list[Any]:
    """The arrays as the kernel takes them: no sizes come as arrays here, so a second argument that is a list is empty."""
    return [*arrays, *([] for _ in range(len(op.arrays) - len(arrays)))]


def _steps(op: Op, settings: dict, kinds: str, shapes: Any, dtype: np.dtype) -> list[Any]:
    jax = execute.jax()
    places = [at for at, kind in enumerate(kinds) if kind == "f"]

    def forward(*arrays: Any) -> Any:
        return op.kernel(jax.numpy, *_packed(op, list(arrays)), **settings)

    def backward(*arrays: Any) -> Any:
        def chosen(*values: Any) -> Any:
            given = list(arrays[:-1])
            for at, value in zip(places, values):
                given[at] = value
            return forward(*given)

        return jax.vjp(chosen, *[arrays[at] for at in places])[1](arrays[-1])

    specs = [(tuple(s), dtype if k == "f" else np.dtype(bool)) for s, k in zip(shapes, kinds)]
    with execute.guard():
        out = jax.eval_shape(forward, *[jax.ShapeDtypeStruct(*spec) for spec in specs])
        if not hasattr(out, "dtype") or out.dtype != dtype:
            raise NotSmall
        closed = jax.make_jaxpr(backward)(*[jax.ShapeDtypeStruct(*s) for s in [*specs, (out.shape, out.dtype)]])
    Small(closed, math.inf)  # raises where NumPy has no form for it
    return _listed(closed, places, len(kinds), dtype)


def _listed(closed: Any, places: list[int], count: int, dtype: np.dtype) -> list[Any]:
    """[steps, outputs] of a jaxpr: calls entered, what nobody needs left out, values by number."""
    flat: list[tuple[Any, list[Any], Any]] = []

    def enter(jaxpr: Any, consts: Any, given: list[Any]) -> list[Any]:
        known = dict(zip(jaxpr.invars, given))
        known.update((v, ("const", c)) for v, c in zip(jaxpr.constvars, consts))

        def atom(a: Any) -> Any:
            return ("const", a.val) if hasattr(a, "val") else known[a]

        for equation in jaxpr.eqns:
            inner = next(
                (equation.params[k] for k in ("jaxpr", "call_jaxpr", "fun_jaxpr") if k in equation.params), None
            )
            arguments = [atom(v) for v in equation.invars]
            if inner is not None:
                made = enter(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), arguments)
                known.update(zip(equation.outvars, made))
                continue
            (out,) = equation.outvars
            if equation.primitive.name == "reshape" and equation.params["dimensions"] is not None:
                raise NotSmall
            flat.append((equation, arguments, out))
            known[out] = ("value", len(flat) - 1)
        return [atom(v) for v in jaxpr.outvars]

    results = enter(closed.jaxpr, closed.consts, [("input", at) for at in range(count + 1)])
    needed = set(results)
    for at in range(len(flat) - 1, -1, -1):
        if ("value", at) in needed:
            needed.update(a for a in flat[at][1] if a[0] != "const")
    numbers: dict[int, int] = {}

    def shown(atom: Any, like: np.dtype | None = None) -> Any:
        kind, value = atom
        if kind == "input":
            return value
        if kind == "value":
            return numbers[value]
        array = np.asarray(value)
        if array.ndim:
            raise NotSmall
        return [_letter(array.dtype if like is None else like, dtype), array.item()]

    steps = []
    for at, (equation, arguments, out) in enumerate(flat):
        if ("value", at) not in needed:
            continue
        params = {k: _plain(equation.params[k], dtype) for k in _WORDS if k in equation.params}
        given = [shown(a, getattr(v.aval, "dtype", None)) for a, v in zip(arguments, equation.invars)]
        steps.append([equation.primitive.name, params, given, _letter(out.aval.dtype, dtype), list(out.aval.shape)])
        numbers[at] = count + 1 + len(steps) - 1
    outputs: list[Any] = [None] * count
    for place, atom in zip(places, results):
        outputs[place] = shown(atom, dtype)
    return [steps, outputs]


def _letter(own: Any, dtype: np.dtype) -> str:
    letters = {dtype: "f", np.dtype(bool): "b", np.dtype("int32"): "i"}
    if np.dtype(own) not in letters:
        raise NotSmall
    return letters[np.dtype(own)]


def _plain(part: Any, dtype: np.dtype) -> Any:
    if isinstance(part, (tuple, list)):
        return [_plain(p, dtype) for p in part]
    if isinstance(part, (int, float, np.integer)):
        return part if isinstance(part, float) else int(part)
    return _letter(part, dtype)


def main() -> None:
    """Writes the file."""
    import importlib
    import pkgutil

    import tensorsmith

    for module in pkgutil.walk_packages(tensorsmith.__path__, "tensorsmith."):
        if ".ops." in module.name:
            importlib.import_module(module.name)
    slopes.FILE.write_text(text(derive()))


if __name__ == "__main__":
    main()
