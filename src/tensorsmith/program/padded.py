"""Lowers a program onto arrays that are larger than their values: widths rounded up, batches not full.

Two things cost more than they should in a loop of small steps: a width such as 30, whose rows end in the
middle of a vector register (an epoch of the chapter's model takes 1.7 ms at 30 units and 0.9 at 32), and
the last, short batch, which needs a compiled program of its own. Both go away when values may sit in
larger arrays. A `Padded` value knows which part of its array is real; each operation below keeps the
rest from flowing into a sum. What has no rule is cut to its real size first, so every program is lowered
right; where that cannot be done (a number of rows known only at run time) `CannotPad` is raised, and the
caller compiles the program for the short batch as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorsmith.core.errors import SizeNotKnownError
from tensorsmith.program.lower import GRADIENT, Env, arguments, call, execute, in_loop, schedule
from tensorsmith.program.op import pointwise
from tensorsmith.program.program import Node, Program

# Widths are rounded up to whole vector registers of 8 floats, where that adds at most a quarter.
REGISTER = 8
MOST = 1.25
# stands among the sizes of a Padded value for the number of rows of this batch, known at run time
ROWS = "rows"


class CannotPad(Exception):
    """An operation needs the exact number of rows."""


class Padded:
    """An array of which only the first `sizes[axis]` entries along each axis are real.

    sizes  for each axis: None (all real), a number, or ROWS.
    clean  True when the entries that are not real are zero.
    """

    __slots__ = ("array", "clean", "sizes")

    def __init__(self, array: Any, sizes: tuple[Any, ...], clean: bool) -> None:
        self.array, self.sizes, self.clean = array, sizes, clean


def wide(size: int | None) -> int | None:
    """The size to which a width is rounded up, None when it stays.

    >>> wide(30), wide(32), wide(9), wide(1)
    (32, None, None, None)
    """
    if size is None or size <= REGISTER or size % REGISTER == 0:
        return None
    rounded = -(-size // REGISTER) * REGISTER
    return rounded if rounded <= MOST * size else None


_registered = False


def _register(jax: Any) -> None:
    global _registered
    if not _registered:
        jax.tree_util.register_pytree_node(
            Padded, lambda p: ((p.array,), (p.sizes, p.clean)), lambda aux, parts: Padded(parts[0], *aux)
        )
        _registered = True


class Lowered:
    """A program over padded arrays.

    `run(inputs, captures, rows)` -> (outputs, updates): captures and updates in the padded sizes that
    `enter` gives, inputs with as many rows as their arrays have, of which `rows` are real (None: all).
    """

    def __init__(self, program: Program, jax: Any, widen: bool) -> None:
        _register(jax)
        # (for the loop over the steps of an epoch)
        self.program, self.jax, self.xp = program, jax, in_loop(jax.numpy)
        self.steps = schedule(program.nodes)
        # a jacobian has no rule: its sizes must be real ones
        self.exact = any(node.op is GRADIENT and node.settings["mode"] != "gradient" for node in program.nodes)
        self.widen = widen and not self.exact
        self.rows: Any = None

    def sizes(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The padded sizes of a variable of this shape."""
        return tuple((wide(d) or d) if self.widen else d for d in shape)

    def enter(self, array: Any) -> Any:
        """A variable's array in its padded size, zeros added."""
        target = self.sizes(array.shape)
        if target == tuple(array.shape):
            return array
        return self.xp.pad(array, [(0, t - d) for d, t in zip(array.shape, target)])

    def leave(self, array: Any, shape: tuple[int, ...]) -> Any:
        """The real part of a variable's padded array."""
        return array[tuple(slice(0, d) for d in shape)]

    def run(self, inputs: list[Any], captures: list[Any], rows: Any) -> tuple[list[Any], list[Any]]:
        if self.exact and rows is not None:
            raise CannotPad
        self.rows = rows
        program, env = self.program, Env()
        env.update(program.constants)
        for number, array in zip(program.inputs, inputs):
            sizes = (ROWS,) + (None,) * (array.ndim - 1)
            env[number] = array if rows is None else Padded(array, sizes, False)
        for (_, number), array in zip(program.captures, captures):
            shape = program.specs[number][0]
            sizes = tuple(d if d != a else None for d, a in zip(shape, array.shape))
            env[number] = Padded(array, sizes, True) if any(sizes) else array
        execute(self.steps, env, self.xp, self.call)
        outputs = [self.cut(env[i]) for i in program.outputs]
        return outputs, [self._as_stored(env[i], program.specs[i][0]) for _, i in program.updates]

    def _as_stored(self, value: Any, shape: tuple[Any, ...]) -> Any:
        """A new value of a variable in the padded size it is kept in, zeros around it."""
        target = self.sizes(shape)
        if isinstance(value, Padded):
            if ROWS not in value.sizes and tuple(value.array.shape) == target:
                return self.clean(value).array
            value = self.cut(value)
        return self.enter(value)

    def cut(self, value: Any) -> Any:
        """The value in an array of its real size; CannotPad where that is known at run time only."""
        if not isinstance(value, Padded):
            return value
        if ROWS in value.sizes:
            raise CannotPad
        return value.array[tuple(slice(0, s) for s in value.sizes)]

    def cut_widths(self, value: Any) -> Any:
        """The value with every width real, the rows left as they are."""
        if not isinstance(value, Padded) or not any(isinstance(s, int) for s in value.sizes):
            return value
        array = value.array[tuple(slice(0, s) if isinstance(s, int) else slice(None) for s in value.sizes)]
        sizes = tuple(s if s == ROWS else None for s in value.sizes)
        return Padded(array, sizes, value.clean) if any(sizes) else array

    def mask(self, value: Padded, axes: Any) -> Any:
        """True at the real entries, along these axes."""
        array, xp = value.array, self.xp
        keep = None
        for axis in axes:
            size = value.sizes[axis]
            if size is None:
                continue
            limit = self.rows if size == ROWS else size
            shape = [1] * array.ndim
            shape[axis] = array.shape[axis]
            here = xp.reshape(xp.arange(array.shape[axis], dtype="int32") < limit, shape)
            keep = here if keep is None else keep & here
        return keep

    def clean(self, value: Padded, axes: Any = None) -> Padded:
        """The value with zeros for all that is not real (along these axes)."""
        if value.clean:
            return value
        chosen = range(value.array.ndim) if axes is None else axes
        keep = self.mask(value, chosen)
        if keep is None:
            return value
        array = self.xp.where(keep, value.array, self.xp.zeros((), value.array.dtype))
        return Padded(array, value.sizes, axes is None)

    def call(self, node: Node, env: Env, xp: Any) -> None:
        """Runs one node on padded values."""
        values = arguments(node, env)
        flat = [p for v in values for p in (v if isinstance(v, list) else [v])]
        if not any(isinstance(v, Padded) for v in flat):
            try:
                call(node, env, xp)
            except SizeNotKnownError:
                if self.rows is None:
                    raise
                # the number of rows is a value here: `tf.random.normal(tf.shape(x))`
                raise CannotPad from None
            return
        rule = _RULES.get(node.op.name)
        if rule is None and pointwise(node.op):
            rule = _elementwise
        result = rule(self, node, values) if rule is not None else None
        if result is None:
            exact = [[self.cut(p) for p in v] if isinstance(v, list) else self.cut(v) for v in values]
            result = node.op.kernel(xp, *exact, **node.settings)
        if len(node.outputs) == 1 and not isinstance(result, (tuple, list)):
            env[node.outputs[0]] = result
        else:
            env.update(zip(node.outputs, result))


Rule = Callable[[Lowered, Node, list[Any]], Any]

# f(0) = 0, so that what is zero outside the real part stays so
_KEEP_ZERO = frozenset(
    "abs negative square sqrt relu selu elu tanh sinh sin tan asinh atan expm1 log1p sign identity cast stop_gradient "
    "zeros_like relu6 leaky_relu softsign erf round floor ceil".split()
)
_KEEP_ZERO_TOGETHER = frozenset("add subtract multiply maximum minimum squared_difference where".split())


def _elementwise(low: Lowered, node: Node, values: list[Any]) -> Any:
    if any(isinstance(v, list) or v is None for v in values):
        return None
    rank = max(v.array.ndim if isinstance(v, Padded) else v.ndim for v in values)
    sizes: list[Any] = [None] * rank
    lengths: list[int] = [1] * rank
    for value in values:
        if isinstance(value, Padded):
            offset = rank - value.array.ndim
            for axis, size in enumerate(value.sizes):
                if size is not None:
                    if sizes[offset + axis] not in (None, size):
                        return None
                    sizes[offset + axis], lengths[offset + axis] = size, value.array.shape[axis]
    arrays = []
    for value in values:
        array = value.array if isinstance(value, Padded) else low.xp.asarray(value)
        offset = rank - array.ndim
        grow = [(0, 0)] * array.ndim
        for axis, length in enumerate(array.shape):
            size = sizes[offset + axis]
            if size is None or length == 1 or (isinstance(value, Padded) and value.sizes[axis] == size):
                continue
            if size == ROWS:
                raise CannotPad
            grow[axis] = 0, lengths[offset + axis] - length
        arrays.append(low.xp.pad(array, grow) if any(after for _, after in grow) else array)
    name = node.op.name
    clean = all(isinstance(v, Padded) and v.clean for v in values) and name in _KEEP_ZERO | _KEEP_ZERO_TOGETHER
    # a value that broadcasts along a padded axis fills the part that is not real
    clean = clean and all(tuple(a.shape[-rank:]) == arrays[0].shape for a in arrays)
    return Padded(node.op.kernel(low.xp, *arrays, **node.settings), tuple(sizes), clean)


def _matmul(low: Lowered, node: Node, values: list[Any]) -> Any:
    a, b = values
    if any(node.settings.get(key) for key in node.settings) or any(
        (v.array if isinstance(v, Padded) else v).ndim != 2 for v in values
    ):
        return None
    a, b = _as_padded(a), _as_padded(b)
    left, right = a.sizes[1], b.sizes[0]
    if ROWS in (left, right, b.sizes[1]):
        return None
    if left is not None or right is not None:
        length = max(a.array.shape[1], b.array.shape[0])
        a = low.clean(a, [1]) if left is not None else _grown(low, a, 1, length)
        b = low.clean(b, [0]) if right is not None else _grown(low, b, 0, length)
    # zeros stay in columns of b that are zero, whatever stands in a
    clean = (b.sizes[1] is None or b.clean) and (a.sizes[0] is None or a.clean)
    sizes = (a.sizes[0], b.sizes[1])
    result = node.op.kernel(low.xp, a.array, b.array, **node.settings)
    return Padded(result, sizes, clean) if any(sizes) else result


def _as_padded(value: Any) -> Padded:
    return value if isinstance(value, Padded) else Padded(value, (None,) * value.ndim, True)


def _grown(low: Lowered, value: Padded, axis: int, length: int) -> Padded:
    grow = [(0, 0)] * value.array.ndim
    grow[axis] = 0, length - value.array.shape[axis]
    return Padded(low.xp.pad(value.array, grow), value.sizes, value.clean)


def _reduction(low: Lowered, node: Node, values: list[Any]) -> Any:
    (value,) = values
    rank = value.array.ndim
    axis = node.settings.get("axis")
    axes = list(range(rank)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    axes = [a % rank for a in axes]
    keepdims = node.settings.get("keepdims", False)
    summed = low.clean(value, axes) if any(value.sizes[a] is not None for a in axes) else value
    total = low.xp.sum(summed.array, axis=tuple(axes), keepdims=keepdims, dtype=value.array.dtype)
    if node.op.name == "reduce_mean":
        count: Any = 1
        for a in axes:
            size = value.sizes[a]
            here = value.array.shape[a] if size is None else low.rows if size == ROWS else size
            count = count * here
        total = total / low.xp.asarray(count).astype(total.dtype)
    sizes = tuple(None if a in axes else value.sizes[a] for a in range(rank) if keepdims or a not in axes)
    return Padded(total, sizes, value.clean) if any(sizes) else total


def _shape(low: Lowered, node: Node, values: list[Any]) -> Any:
    (value,) = values
    dtype = node.settings.get("out_type") or "int32"
    dtype = getattr(dtype, "numpy_dtype", dtype)
    sizes = [
        low.rows if size == ROWS else size if size is not None else length
        for size, length in zip(value.sizes, value.array.shape)
    ]
    parts = [low.xp.asarray(size).astype(dtype) for size in sizes]
    if node.op.name == "size":
        total = low.xp.asarray(1, dtype)
        for part in parts:
            total = total * part
        return total
    return low.xp.stack(parts)


def _expand_dims(low: Lowered, node: Node, values: list[Any]) -> Any:
    (value,) = values
    axis = node.settings["axis"]
    if not isinstance(axis, int):
        return None
    axis %= value.array.ndim + 1
    sizes = (*value.sizes[:axis], None, *value.sizes[axis:])
    return Padded(low.xp.expand_dims(value.array, axis), sizes, value.clean)


def _squeeze(low: Lowered, node: Node, values: list[Any]) -> Any:
    (value,) = values
    axis = node.settings.get("axis")
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        (axis,) = axis
    if not isinstance(axis, int):
        return None
    axis %= value.array.ndim
    if value.sizes[axis] is not None or value.array.shape[axis] != 1:
        return None
    sizes = (*value.sizes[:axis], *value.sizes[axis + 1 :])
    return Padded(low.xp.squeeze(value.array, axis), sizes, value.clean)


def _over_last_axis(low: Lowered, node: Node, values: list[Any]) -> Any:
    """An operation within each row, along the last axis: rows pass through it as they are."""
    exact = [low.cut_widths(v) for v in values]
    padded = [v for v in exact if isinstance(v, Padded)]
    if not padded:
        return None
    axis = node.settings.get("axis", -1)
    rank = padded[0].array.ndim
    rows = (ROWS,) + (None,) * (rank - 1)
    if rank < 2 or axis not in (-1, rank - 1) or any(v.sizes[0] != ROWS or any(v.sizes[1:]) for v in padded):
        return None
    arrays = [v.array if isinstance(v, Padded) else v for v in exact]
    result = node.op.kernel(low.xp, *arrays, **node.settings)
    if isinstance(result, (tuple, list)):
        return None
    return Padded(result, rows[: result.ndim], False)


_RULES: dict[str, Rule] = {
    "matmul": _matmul,
    "reduce_sum": _reduction,
    "reduce_mean": _reduction,
    "shape": _shape,
    "size": _shape,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "softmax": _over_last_axis,
    "log_softmax": _over_last_axis,
}
for _name in ("where", "cast", "identity", "stop_gradient", "zeros_like", "ones_like", "abs", "divide", "select"):
    _RULES[_name] = _elementwise
