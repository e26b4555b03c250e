"""Derivatives with their sizes left open: JAX derives an operation's once, with names where sizes stand.

A loop over ragged batches meets other shapes at every step, and JAX takes milliseconds to derive what XLA then compiles in
a tenth of a second. What is derived here is a *row* as in `slopes.json` (`program/slopes.py`): primitives and, where a
number is a size, from which sizes of the arguments it is computed. It holds for all arrays whose sizes are equal to one
another, one or nothing at the same places.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.program import execute
from tensorsmith.program.forms import FORMS, GATHER, SCATTER, columns
from tensorsmith.program.op import registry
from tensorsmith.program.program import freeze, programs_in
from tensorsmith.program.slopes import evaluated
from tensorsmith.program.small import NotSmall, inner_of

Row = dict[str, Any]
# a size: a number, or a name that stands for any above 1
Sizes = tuple[tuple[int | str, ...], ...]

_rows: dict[Any, Row | None] = {}
_MOST = 4096
# what a row keeps of the parameters of a primitive
_WORDS = frozenset(
    "new_dtype index_dtype dtype y shape broadcast_dimensions axes axis permutation dimension_numbers dimension "
    "dimensions reverse num_keys k slice_sizes mode fill_value start_indices limit_indices strides padding_config sizes "
    "rounding_method".split()
)


def find(call: Any) -> Row | None:
    """The row for a call, derived when it is first asked for; None where the sizes must be known.

    Its "steps" are None where NumPy has no form for a primitive.
    """
    if registry.get(call.op.name) is not call.op or call.op.eager or programs_in(call.settings):
        return None
    # dtypes and what is asked for
    dtypes = tuple([dtype for _, dtype in call.taken])
    rest = call.op, call.groups, call.absent, call.wanted, call.flowing, dtypes
    for axes in ("and settings", "all", "but last", "first"):
        if axes == "and settings" and call.op.name not in OPEN_SETTINGS:
            continue
        sizes, opens = _named(call, axes)
        settings = _with(call.settings, opens, lambda name: ("open", name)) if opens else call.settings
        key = sizes, freeze(settings), rest
        found = _rows.get(key, _rows)
        if found is _rows:
            if len(_rows) > _MOST:
                _rows.clear()
            found = _rows[key] = _tried(call, sizes, opens)
        if found is not None:
            return found
    return None


# settings that are sizes, or places, and may be another number at every call
OPEN_SETTINGS: dict[str, tuple[str, ...]] = {
    **{f"unsorted_segment_{kind}": ("num_segments",) for kind in ("sum", "prod", "max", "min", "mean", "sqrt_n")},
    "scatter_nd": ("sizes",),
    "broadcast_to": ("sizes",),
    "slice": ("begin", "sizes"),
    "getitem": ("key",),
    "strided_slice_update": ("key",),
    "split": ("sizes",),
    "pad": ("paddings",),
    "tile": ("sizes",),
    "sparse_product": ("rows",),
    "sparse_scatter": ("shape",),
    "ragged_to_dense": ("width",),
    "fill": ("sizes",),
}
# which number of the settings, by its path, has which name
Opens = list[tuple[tuple[Any, ...], str]]


def _named(call: Any, axes: str) -> tuple[Sizes, Opens]:
    """The shapes of the arguments with one name for equal sizes; the settings that have a name.

    axes  which are left open: "all" of them "and settings" that are sizes; all "but last", as channels must be known to
          many kernels; or those that are as long as the "first", the rows.
    """
    names: dict[int, str] = {}
    inside = OPEN_SETTINGS[call.op.name] if axes == "and settings" else ()
    # a kernel may take another way where a size is just what a setting says
    said = _numbers([value for key, value in call.settings.items() if key not in inside])
    rows = next((shape[0] for shape, _ in call.taken if shape), None)

    def name(axis: int, size: int, rank: int) -> int | str:
        known = axes == "but last" and axis and axis == rank - 1
        if size < 2 or known or size in said or (axes == "first" and (axis or size != rows)):
            return size
        return names.setdefault(size, f"n{len(names)}")

    sizes = tuple([tuple([name(axis, size, len(shape)) for axis, size in enumerate(shape)]) for shape, _ in call.taken])
    opens: Opens = []

    def walk(part: Any, path: tuple[Any, ...]) -> None:
        if type(part) in (tuple, list):
            for place, inner in enumerate(part):
                walk(inner, (*path, place))
        elif type(part) is int and part > 1:
            opens.append((path, names.setdefault(part, f"n{len(names)}")))

    for setting in inside:
        walk(call.settings[setting], (setting,))
    return sizes, opens


def _numbers(part: Any) -> set[int]:
    """All whole numbers in nested settings."""
    if type(part) in (tuple, list):
        return set().union(*map(_numbers, part))
    return {part} if type(part) is int else set()


def _with(settings: dict, opens: Opens, value: Callable[[str], Any]) -> dict:
    """The settings with what `value` gives for a name in the places that have one."""
    named = dict(opens)

    def put(part: Any, path: tuple[Any, ...]) -> Any:
        if path in named:
            return value(named[path])
        if type(part) in (tuple, list):
            return type(part)([put(inner, (*path, place)) for place, inner in enumerate(part)])
        return part

    return {key: put(part, (key,)) for key, part in settings.items()}


def _tried(call: Any, sizes: Sizes, opens: Opens) -> Row | None:
    if not opens and not any(isinstance(size, str) for shape in sizes for size in shape):
        return None
    try:
        return derived(call, sizes, opens, lambda dtype: dtype.name)
    except Exception:  # whatever a kernel, or JAX, cannot do while it does not know a size
        return None


def derived(call: Any, sizes: Sizes, opens: Opens, letter: Callable[[np.dtype], str]) -> Row:
    """The row for calls like this one on arrays of these sizes, with these settings left open.

    letter  how a row writes a dtype.
    """
    jax = execute.jax()
    from jax import export

    execute.work["traced"] += 1
    scope = export.SymbolicScope()
    leaves: Leaves = {name: {"setting": list(path)} for path, name in reversed(opens)}
    for k, shape in reversed([*enumerate(sizes)]):
        leaves.update((size, {"size": [k, axis]}) for axis, size in enumerate(shape) if type(size) is str)
    names: dict[Any, Any] = {name: export.symbolic_shape(name, scope=scope)[0] for name in leaves}
    specs = [
        jax.ShapeDtypeStruct(tuple([names.get(size, size) for size in shape]), dtype)
        for shape, (_, dtype) in zip(sizes, call.taken)
    ]
    known = [shape for shape, _ in call.taken], call.settings
    settings = _with(call.settings, opens, names.__getitem__)
    with execute.guard():
        results = jax.eval_shape(call.forward(jax.numpy, settings), *specs)
        flows = [results[place] for place in call.flowing]
        for flow, place in zip(flows, call.flowing):
            # a kernel that looks at a size may have taken another way
            shape, dtype = call.given[place]
            if tuple([evaluated(_expression(n, leaves), known) for n in flow.shape]) != shape or flow.dtype != dtype:
                raise NotSmall
        closed = jax.make_jaxpr(call.backward(jax.numpy, jax, settings))(*specs, *flows)
    row = Listed(closed, leaves, letter).row(call)
    if row["steps"] is None:
        row["reached"] = reached(closed.jaxpr, len(flows))
    return row


# ---- what flows


def reached(jaxpr: Any, flows: int) -> list[bool]:
    """Which results of a jaxpr something flows into: all but the zeros that JAX puts where nothing does.

    A constant slope of a user's own derivative does not depend on what flows in, and is no such zero.
    """
    found = set(jaxpr.invars[len(jaxpr.invars) - flows :])
    nothing = set()
    for equation in jaxpr.eqns:
        if not found.isdisjoint([v for v in equation.invars if not hasattr(v, "val")]):
            found.update(equation.outvars)
        elif equation.primitive.name == "broadcast_in_dim" and _is_zero(equation.invars[0]):
            nothing.update(equation.outvars)
    return [not _is_zero(v) and v not in nothing for v in jaxpr.outvars]


def _is_zero(value: Any) -> bool:
    return hasattr(value, "val") and np.ndim(value.val) == 0 and not value.val


# ---- sizes


# where a name is found: {"size": [argument, axis]} or {"setting": [name, place in it, ...]}
Leaves = dict[str, dict[str, list[Any]]]


def _expression(size: Any, leaves: Leaves) -> Any:
    """A size of JAX's as plain data: a number, a leaf, or {sign: [left, right]}."""
    if isinstance(size, (int, np.integer)):
        return int(size)

    def read(node: Any) -> Any:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.Name):
            return leaves[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return {"*": [-1, read(node.operand)]}
        if isinstance(node, ast.BinOp):
            return {_SIGNS[type(node.op)]: [read(node.left), read(node.right)]}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return {_WORDS_OF_SIZES[node.func.id]: [read(part) for part in node.args]}
        raise NotSmall

    return read(ast.parse(str(size).replace("^", "**"), mode="eval").body)


_SIGNS: dict[Any, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Pow: "^"}
_WORDS_OF_SIZES = {"floordiv": "//", "mod": "%", "max": "max", "min": "min"}


# ---- a jaxpr as a row


class Listed:
    """A jaxpr as steps of a row: calls entered, what nobody needs left out, values by number.

    leaves  where the names of open sizes are found.
    letter  how a dtype is written.
    """

    def __init__(self, closed: Any, leaves: Leaves, letter: Callable[[np.dtype], str]) -> None:
        self._leaves, self._letter = leaves, letter
        self._flat: list[tuple[Any, list[Any], Any]] = []
        self._inputs = len(closed.jaxpr.invars)
        self._results = self._enter(closed.jaxpr, closed.consts, [("input", at) for at in range(self._inputs)])

    def _enter(self, jaxpr: Any, consts: Any, given: list[Any]) -> list[Any]:
        known: dict[Any, Any] = dict(zip(jaxpr.invars, given))
        known.update((v, ("const", c)) for v, c in zip(jaxpr.constvars, consts))

        def atom(a: Any) -> Any:
            return ("const", a.val) if hasattr(a, "val") else known[a]

        for equation in jaxpr.eqns:
            arguments = [atom(v) for v in equation.invars]
            inner = inner_of(equation)
            if inner is not None:
                made = self._enter(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), arguments)
                known.update(zip(equation.outvars, made))
            elif equation.primitive.name == "dim_as_value":
                known[equation.outvars[0]] = ("const", _expression(equation.params["dim"], self._leaves))
            elif equation.primitive.name == "convert_element_type" and _is_size(arguments[0]):
                # a size is written in the dtype of what takes it
                known[equation.outvars[0]] = arguments[0]
            else:
                self._flat.append((equation, arguments, equation.outvars))
                for place, out in enumerate(equation.outvars):
                    known[out] = ("value", len(self._flat) - 1, place)
        return [atom(v) for v in jaxpr.outvars]

    def row(self, call: Any) -> Row:
        """The row; of the arguments that nothing is asked of the output is None."""
        needed = {a[1] for a in self._results if a[0] == "value"}
        for at in range(len(self._flat) - 1, -1, -1):
            if at in needed:
                needed.update(a[1] for a in self._flat[at][1] if a[0] == "value")
        kept = [step for at, step in enumerate(self._flat) if at in needed]
        outputs: list[Any] = [None] * len(call.taken)
        if any(equation.primitive.name not in _LISTED for equation, _, _ in kept):
            return {"steps": None, "outputs": outputs}
        numbers: dict[Any, int] = {}
        steps, count = [], self._inputs
        for at, (equation, arguments, outs) in enumerate(self._flat):
            if at not in needed:
                continue
            if equation.primitive.name == "reshape" and equation.params["dimensions"] is not None:
                raise NotSmall
            params = {k: self._plain(k, part, equation) for k, part in equation.params.items() if k in _WORDS}
            if equation.primitive.name == "reshape":
                params.pop("dimensions")
            given = [self._shown(a, numbers, v.aval.dtype) for a, v in zip(arguments, equation.invars)]
            letters = [self._letter(np.dtype(out.aval.dtype)) for out in outs]
            shapes = [[_expression(size, self._leaves) for size in out.aval.shape] for out in outs]
            several = equation.primitive.name in _SEVERAL
            steps.append(
                [equation.primitive.name, params, given, *([letters, shapes] if several else [letters[0], shapes[0]])]
            )
            for place in range(len(outs)):
                numbers[at, place] = count
                count += 1
        for place, atom in zip(call.wanted, self._results):
            outputs[place] = self._shown(atom, numbers, call.taken[place][1])
        return {"steps": steps, "outputs": outputs}

    def _shown(self, atom: Any, numbers: dict[Any, int], dtype: Any) -> Any:
        if atom[0] == "input":
            return atom[1]
        if atom[0] == "value":
            return numbers[atom[1], atom[2]]
        value, letter = atom[1], self._letter(np.dtype(dtype))
        if isinstance(value, dict):
            return [letter, value]
        array = np.asarray(value)
        return [letter, array if array.ndim else array.item()]

    def _plain(self, name: str, part: Any, equation: Any) -> Any:
        """A parameter of a primitive as plain data."""
        if name == "dimension_numbers" and equation.primitive.name != "dot_general":
            part = columns(part, GATHER if equation.primitive.name == "gather" else SCATTER)
        if isinstance(part, (tuple, list)):
            return [self._plain("", p, equation) for p in part]
        if part is None or isinstance(part, (bool, float, str)):
            return part
        if name in ("mode", "rounding_method"):
            return getattr(part, "name")  # noqa: B009  an enum, of which one is an int too
        if name in ("new_dtype", "index_dtype", "dtype"):
            return self._letter(np.dtype(part))
        if isinstance(part, (int, np.integer)):
            return int(part)
        if isinstance(part, np.floating):
            return part.item()
        return _expression(part, self._leaves)


def _is_size(atom: Any) -> bool:
    return atom[0] == "const" and isinstance(atom[1], dict)


_SEVERAL = frozenset({"sort", "top_k", "split", "unstack"})
_LISTED = FORMS.keys() | {"split", "unstack"}
