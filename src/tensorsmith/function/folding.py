"""map_fn, scan, foldl, foldr: a function of the rows of tensors, one row after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorsmith.core import context, nest
from tensorsmith.core.errors import InvalidArgumentError, explain
from tensorsmith.core.specs import TensorSpec, describe
from tensorsmith.function.carrying import Carried
from tensorsmith.function.composites import is_composite, is_tensor
from tensorsmith.function.control_flow import carry
from tensorsmith.function.merging import PLAIN
from tensorsmith.tensor.apply import functions
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.graph import Graph
from tensorsmith.tensor.tensor import Symbol, Tensor

_local = context.local

# ---- rows


def rows_of(who: str, fn: Any, elems: Any) -> list[Any]:
    """The leaves of elems, of which each call of fn takes a row; TypeError or ValueError where they have none."""
    if not callable(fn):
        raise TypeError(explain(who, "fn must be callable", {"fn": describe(fn)}))
    leaves = [leaf if is_composite(leaf) else convert(leaf) for leaf in nest.flatten(elems)]
    sizes = {leaf.shape[0] for leaf in leaves if leaf.shape.rank}
    if not leaves or any(not leaf.shape.rank for leaf in leaves) or len(sizes - {None}) > 1:
        raise ValueError(
            explain(
                who,
                "elems must be tensors with the same number of rows",
                {"elems": describe(elems)},
                "each has at least one axis, and all first axes are equally long",
            )
        )
    return leaves


def _row(leaf: Any, at: Any) -> Any:
    return leaf._type_spec()._row(leaf, at) if is_composite(leaf) else leaf[at]


def _taken(leaves: list[Any]) -> tuple[list[Tensor], Callable[[Any, list[Any]], list[Any]]]:
    """The tensors of which a loop takes rows, and what makes of such rows, and the number of the round, a row of each leaf.

    The rows of ragged and sparse tensors differ in size, so that no loop takes them: they are picked by their number.
    """
    plain = [leaf for leaf in leaves if not is_composite(leaf)]
    whole = [leaf for leaf in leaves if is_composite(leaf)]
    if whole and not plain:
        plain = [functions["range"](whole[0]._type_spec()._count(whole[0]))]

    def row(number: Any, given: list[Any]) -> list[Any]:
        rest = iter(given)
        return [_row(leaf, number) if is_composite(leaf) else next(rest) for leaf in leaves]

    return plain, row


def _at_once(leaves: list[Any], *more: Any) -> bool:
    """True where all rows are known now and operations run at once."""
    parts = [leaf._parts() if is_composite(leaf) else [leaf] for leaf in [*leaves, *nest.flatten(more)]]
    return _local.graph is None and not any(isinstance(part, Symbol) for row in parts for part in row)


def _packed(structure: Any, parts: list[Any]) -> Any:
    return nest.pack_sequence_as(structure, parts) if nest.is_nested(structure) else parts[0]


def _as_tensors(value: Any) -> Any:
    def one(leaf: Any) -> Any:
        return convert(leaf) if isinstance(leaf, PLAIN) or is_tensor(leaf) else leaf

    return nest.map_structure(one, value)


def _alike(who: str, value: Any, like: Any, what: str) -> list[Any]:
    """The leaves of what fn gave, which must nest as `like` does."""
    try:
        nest.assert_same_structure(like, value)
    except ValueError:
        raise ValueError(
            explain(
                who,
                f"fn gave another structure than {what}",
                {"given": describe(value), what.split()[-1]: describe(like)},
                "",
                "Tell it with fn_output_signature." if who == "map_fn" else "",
            )
        ) from None
    return nest.flatten(value)


# ---- map_fn


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn` of each row of `elems` (nested tensors with as many rows each), its results stacked.

    Rows of a ragged tensor give a ragged tensor again, unless fn makes scalars of them; those of a sparse one a sparse one.

    elems                tensors [n, ...], nested as fn takes them; also ragged and sparse ones.
    fn_output_signature  a dtype or tf.TensorSpec for each result of fn, where they are not those of elems;
                         a tf.RaggedTensorSpec for results that differ in length from row to row.
    dtype                the older name of the same.

    Rows are taken one after another, and variables may be assigned. `tf.vectorized_map` computes all at once.

    Raises ValueError where the numbers of rows differ or fn gives another structure than told,
    InvalidArgumentError for another dtype.

    >>> import tensorsmith as tf
    >>> tf.map_fn(lambda row: row * row, tf.constant([1, 2, 3])).numpy()
    array([1, 4, 9], dtype=int32)
    >>> tf.map_fn(tf.range, tf.constant([2, 0, 3]), fn_output_signature=tf.RaggedTensorSpec([None], tf.int32))
    <tf.RaggedTensor [[0, 1], [], [0, 1, 2]]>
    """
    leaves = rows_of("map_fn", fn, elems)
    told = fn_output_signature if fn_output_signature is not None else dtype
    specs = nest.flatten(told)

    def call(row: list[Any]) -> Any:
        value = _as_tensors(fn(_packed(elems, row)))
        if told is not None:
            for leaf, spec in zip(_alike("map_fn", value, told, "the signature"), specs):
                _check(leaf, spec)
        return value

    def row_specs(value: Any) -> list[Any]:
        """For each result whose rows differ in size the spec of a row, None for a plain tensor."""
        results = nest.flatten(value)
        if told is not None:
            return [spec if hasattr(spec, "_batch") else None for spec in specs]
        return [_like_rows(leaves, result) for result in results]

    if _at_once(leaves):
        size = leaves[0].shape[0]
        if not size:
            value = _outlined(call, leaves)
            return _packed(value, [_of_no_rows(t, s) for t, s in zip(nest.flatten(value), row_specs(value))])
        results = [call([_row(leaf, at) for leaf in leaves]) for at in range(size)]
        for result in results[1:]:
            _alike("map_fn", result, results[0], "for the first row")
        parts = zip(row_specs(results[0]), zip(*map(nest.flatten, results)))
        return _packed(results[0], [_batched(spec, list(given)) for spec, given in parts])
    plain, taken = _taken(leaves)
    kinds: list[Any] = [None]
    if told is not None or any(map(is_composite, leaves)):
        kinds = row_specs(_outlined(call, leaves) if told is None else told)
    growing = [spec for spec in kinds if spec is not None]
    form: Any = None

    def body(number: Any, state: list[Any], row: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
        nonlocal form
        form = call(taken(number, row))
        results, sized, before = nest.flatten(form), [], iter(state)
        after = []
        for at, result in enumerate(results):
            spec = kinds[at] if at < len(kinds) else None
            if spec is None:
                sized.append(result)
            else:
                after.append(spec._below(next(before), spec._batch([result])))
        return after, sized

    start = Carried([spec._batch([]) for spec in growing], ["the results of fn"] * len(growing))
    state, stacked = carry(None, body, start, rows=plain)
    rest, grown = iter(stacked), iter(state)
    count = len(nest.flatten(form))
    return _packed(form, [next(rest) if at >= len(kinds) or kinds[at] is None else next(grown) for at in range(count)])


def _like_rows(leaves: list[Any], result: Any) -> Any:
    """The spec of a result that is a row as those of a ragged or sparse tensor among the leaves are; else None."""
    for leaf in leaves:
        found = leaf._type_spec()._like_row(result) if is_composite(leaf) else None
        if found is not None:
            return found
    return result._type_spec() if is_composite(result) else None


def _batched(spec: Any, parts: list[Any]) -> Any:
    return _stack("map_fn", parts) if spec is None else spec._batch(parts)


def _check(value: Any, spec: Any) -> None:
    known = hasattr(spec, "is_compatible_with") and hasattr(spec, "shape")
    fits = spec.is_compatible_with(value) if known else value.dtype == TensorSpec((), spec).dtype
    if not fits:
        raise InvalidArgumentError(
            explain(
                "map_fn",
                "fn gave something else than its signature says",
                {"given": describe(value), "signature": spec if known else TensorSpec((), spec).dtype.name},
                "",
                "Give fn_output_signature the dtypes of what fn returns, or use tf.cast.",
            )
        )


def _outlined(call: Callable[[list[Any]], Any], leaves: list[Any]) -> Any:
    """What fn gives for a row that is not there yet: it is traced to learn that."""
    graph = Graph(_local.graph, "map_fn")
    with context.tracing(graph):
        return call([_stand_in(graph, leaf) for leaf in leaves])


def _stand_in(graph: Graph, leaf: Any) -> Any:
    if not is_composite(leaf):
        return graph.input(tuple(leaf.shape)[1:], leaf.dtype)
    spec = leaf._type_spec()._row_spec()
    return spec._from_parts([graph.input(part.shape, part.dtype) for part in spec._parts()])


def _of_no_rows(value: Any, spec: Any) -> Any:
    if spec is not None:
        return spec._batch([])
    return Tensor(np.zeros((0, *(size or 0 for size in value.shape)), value.dtype.numpy_dtype))


def _stack(who: str, parts: list[Tensor]) -> Tensor:
    if any(part.shape != parts[0].shape for part in parts):
        at = next(at for at, part in enumerate(parts) if part.shape != parts[0].shape)
        raise ValueError(
            explain(
                who,
                "fn gave results of two shapes",
                {"row 0": describe(parts[0]), f"row {at}": describe(parts[at])},
                "they are stacked, so that they must be of one shape",
            )
        )
    return functions["stack"](parts)


# ---- scan, foldl, foldr


def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All values `a = fn(a, row)` of the rows of `elems`, stacked.

    initializer  the value before the first row, nested as fn gives it; without one it is the first row itself.
    reverse      True: from the last row to the first; the results stand at the places of their rows.

    Raises ValueError where fn changes structure, rank or shape, TypeError where it changes a dtype,
    InvalidArgumentError where there are neither rows nor an initializer.

    >>> import tensorsmith as tf
    >>> tf.scan(lambda a, row: a + row, tf.constant([1, 2, 3])).numpy()
    array([1, 3, 6], dtype=int32)
    """
    return _fold("scan", fn, elems, initializer, reverse, True)


def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """The last value `a = fn(a, row)`, from the first row to the last.

    initializer  the value before the first row, nested as fn gives it; without one it is the first row itself.

    >>> import tensorsmith as tf
    >>> tf.foldl(lambda a, row: 10 * a + row, tf.constant([1, 2, 3])).numpy().item()
    123
    """
    return _fold("foldl", fn, elems, initializer, False, False)


def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """The last value `a = fn(a, row)`, from the last row to the first.

    initializer  the value before the last row, nested as fn gives it; without one it is the last row itself.

    >>> import tensorsmith as tf
    >>> tf.foldr(lambda a, row: 10 * a + row, tf.constant([1, 2, 3])).numpy().item()
    321
    """
    return _fold("foldr", fn, elems, initializer, True, False)


def _fold(who: str, fn: Any, elems: Any, initializer: Any, reverse: bool, every: bool) -> Any:
    leaves = rows_of(who, fn, elems)
    first = None if initializer is None else _as_tensors(initializer)
    size = leaves[0].shape[0]
    if first is None:
        if size == 0:
            raise InvalidArgumentError(
                explain(who, "there are no rows", {"elems": describe(elems)}, "", "Give an initializer.")
            )
        # the end that is taken first
        first = _packed(elems, [_row(leaf, -1 if reverse else 0) for leaf in leaves])
        head = first
        leaves = [leaf[:-1] if reverse else leaf[1:] for leaf in leaves]
    else:
        head = None
    structure = first

    def call(state: Any, row: list[Any]) -> Any:
        value = _as_tensors(fn(state, _packed(elems, row)))
        _alike(who, value, structure, "the initializer")
        return value

    if _at_once(leaves, first):
        last, stacked = _in_turn(who, call, first, leaves, reverse, every)
    else:
        last, stacked = _carried(call, first, leaves, reverse, every)
    if not every:
        return last
    if head is None:
        return stacked
    ends = (lambda a, b: [b, a]) if reverse else (lambda a, b: [a, b])
    return nest.map_structure(
        lambda a, b: functions["concat"](ends(functions["expand_dims"](a, 0), b), axis=0), head, stacked
    )


def _in_turn(
    who: str, call: Callable[..., Any], state: Any, leaves: list[Tensor], reverse: bool, every: bool
) -> tuple[Any, Any]:
    size, results = leaves[0].shape[0] or 0, []
    first = state
    for at in reversed(range(size)) if reverse else range(size):
        before, state = state, call(state, [_row(leaf, at) for leaf in leaves])
        for a, b in zip(nest.flatten(before), nest.flatten(state)):
            if a.dtype != b.dtype:
                raise TypeError(
                    explain(
                        who,
                        "fn changes a dtype from row to row",
                        {"before": describe(a), "after": describe(b)},
                        "",
                        f"Convert it: tf.cast(value, tf.{a.dtype.name}).",
                    )
                )
        results.append(state)
    if not every:
        return state, None
    if not results:
        return state, nest.map_structure(lambda t: Tensor(np.zeros((0, *t.shape), t.dtype.numpy_dtype)), first)
    if reverse:
        results.reverse()
    return state, nest.map_structure(lambda *parts: _stack(who, list(parts)), *results)


def _carried(call: Callable[..., Any], first: Any, leaves: list[Tensor], reverse: bool, every: bool) -> tuple[Any, Any]:
    plain, taken = _taken(leaves)

    def body(number: Any, state: list[Any], row: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
        value = call(state[0], taken(number, row))
        return [value], nest.flatten(value) if every else []

    state, stacked = carry(None, body, Carried([first], ["the value of fn"]), rows=plain, reverse=reverse)
    return state[0], _packed(first, stacked) if every else None
