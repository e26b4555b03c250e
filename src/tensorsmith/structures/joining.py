"""Strings put together: at the same places, along axes, by segments, and as n-grams."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from tensorsmith.core.errors import InvalidArgumentError, OutOfRangeError, explain
from tensorsmith.core.specs import describe
from tensorsmith.program.op import Array, Arrays
from tensorsmith.structures.between import constant
from tensorsmith.structures.lifting import quietly
from tensorsmith.structures.ragged import RaggedTensor, is_ragged
from tensorsmith.structures.row_partition import column_ids, column_range, row_ids
from tensorsmith.structures.strings import bytes_of, each, laid_out, mapped, of_strings
from tensorsmith.tensor.apply import functions, op, plain
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Symbol, Tensor

_STRING, _INT64 = np.dtype(object), np.dtype("int64")


# ---- at the same places


def _joined_inputs(specs: Any, settings: Any) -> Any:
    parts = specs[0] if isinstance(specs[0], list) else specs
    return [(_one_shape([shape for shape, _ in parts]), _STRING)]


def _one_shape(shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
    """The shape that all inputs have that are not scalars."""
    found = [shape for shape in shapes if shape]
    result = found[0] if found else ()
    for shape in found[1:]:
        if len(shape) != len(result) or any(a != b for a, b in zip(shape, result) if None not in (a, b)):
            raise InvalidArgumentError(
                explain(
                    "strings.join",
                    "the inputs differ in shape",
                    {"shapes": shapes},
                    "only scalars go with every place",
                )
            )
        result = tuple(b if a is None else a for a, b in zip(result, shape))
    return result


@op(kinds="O", differentiable=False, shapes=_joined_inputs)
def string_join(xp, inputs: Arrays, separator: Any = ""):
    """Strings at the same places joined."""
    _one_shape([x.shape for x in inputs])
    glue = bytes_of(separator)
    return each(lambda *parts: glue.join(parts), _STRING, *inputs)


def join(inputs: Any, separator: Any = "", name: str | None = None) -> Any:
    """The strings at the same places of all inputs joined; scalars go with every place.

    Raises InvalidArgumentError where inputs that are not scalars differ in shape.

    >>> join(["a", ["b", "c"]], separator="-").numpy()
    array([b'a-b', b'a-c'], dtype=object)
    """
    glue = bytes_of(separator)
    if isinstance(inputs, (str, bytes)):
        raise TypeError(explain("strings.join", "a list of inputs is needed", {"inputs": inputs}))
    if not len(inputs):
        return convert("")
    return mapped(lambda *parts: string_join(list(parts), separator=glue), *map(of_strings, inputs))


# ---- along axes


def _axes(axis: Any, rank: int) -> list[int]:
    """The axes to join along, the slowest first."""
    if axis is None:
        return list(range(rank))
    given = [axis] if isinstance(axis, int) else list(axis)
    for a in given:
        if not -rank <= a < rank:
            raise OutOfRangeError(explain("strings.reduce_join", "there is no such axis", {"axis": a, "rank": rank}))
    axes = [a % rank for a in given]
    if len(set(axes)) != len(axes):
        raise InvalidArgumentError(explain("strings.reduce_join", "an axis is named twice", {"axis": axis}))
    return axes[::-1]


def _joined_shape(specs: Any, settings: Any) -> Any:
    shape = specs[0][0]
    axes, keep = _axes(settings["axis"], len(shape)), settings["keepdims"]
    return [(tuple(1 if i in axes else d for i, d in enumerate(shape) if keep or i not in axes), _STRING)]


@op(kinds="O", differentiable=False, shapes=_joined_shape)
def string_reduce_join(xp, x: Array, axis=None, keepdims=False, separator: Any = ""):
    """The strings along axes (all by default) joined into one."""
    glue, rank = bytes_of(separator), x.ndim
    axes = _axes(axis, rank)
    rest = [a for a in range(rank) if a not in axes]
    sizes = [x.shape[a] for a in rest]
    rows = x.transpose([*rest, *axes]).reshape(int(np.prod(sizes)), int(np.prod([x.shape[a] for a in axes])))
    out = np.empty(len(rows), _STRING)
    out[:] = [glue.join(row) for row in rows]
    return out.reshape([1 if a in axes else x.shape[a] for a in range(rank) if keepdims or a not in axes])


def reduce_join(
    inputs: Any, axis: Any = None, keepdims: bool = False, separator: Any = "", name: str | None = None
) -> Any:
    """The strings along axes (all by default) joined into one; of several axes the first one given runs fastest.

    A ragged tensor too: along its rows, across them (axis 0), or whole.

    >>> reduce_join([["a", "b"], ["c", "d"]], axis=0, separator="-").numpy()
    array([b'a-c', b'b-d'], dtype=object)
    """
    glue = bytes_of(separator)
    if is_ragged(inputs):
        return _ragged_reduce_join(inputs, axis, keepdims, glue)
    if isinstance(axis, (Tensor, np.ndarray)):
        axis = plain(axis, "axis")
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    return string_reduce_join(convert(inputs, "string"), axis=axis, keepdims=keepdims, separator=glue)


def _ragged_reduce_join(inputs: Any, axis: Any, keepdims: bool, glue: bytes) -> Any:
    """Rows are joined as they are; whatever else is asked is done level by level, from the innermost."""
    if axis is None:
        whole = string_reduce_join(inputs.flat_values, separator=glue)
        return functions["reshape"](whole, (1,) * len(inputs.shape)) if keepdims else whole
    if isinstance(axis, (list, tuple)):
        if len(axis) != 1:
            raise ValueError(explain("strings.reduce_join", "a ragged tensor is joined along one axis", {"axis": axis}))
        axis = axis[0]
    (at,) = _axes(int(axis), len(inputs.shape))
    if at > 1:
        return inputs.with_values(reduce_join(inputs.values, at - 1, keepdims, glue))
    values, splits = inputs.values, inputs.row_splits
    if is_ragged(values) or len(values.shape) > 1:
        return _lists_joined(inputs, at, keepdims, glue)
    if at == 1:
        groups, like = quietly(row_ids, splits, values), inputs.row_lengths()
    else:
        groups, like = quietly(column_ids, splits, values), quietly(column_range, splits)
    joined = string_segments_joined(values, groups, functions["shape"](like)[0], separator=glue)
    return functions["expand_dims"](joined, at) if keepdims else joined


def _lists_joined(inputs: Any, axis: int, keepdims: bool, glue: bytes) -> Any:
    """The rows of rows of strings joined across axis 0 or 1: which stand above each other hangs on all their lengths."""
    if any(isinstance(part, Symbol) for part in (inputs.flat_values, *inputs.nested_row_splits)):
        raise InvalidArgumentError(
            explain(
                "strings.reduce_join",
                "rows of rows cannot be joined across while a function is traced",
                {"axis": axis, "shape": inputs.shape},
                way_out="Join the inner axes first, or call it outside of tf.function.",
            )
        )

    def across(items: list[Any]) -> Any:
        """The items, all strings or all lists, as one: strings are joined, lists place by place."""
        if not isinstance(items[0], list):
            return glue.join(items)
        return [across([i[at] for i in items if at < len(i)]) for at in range(max(map(len, items)))]

    rows = inputs.to_list() if axis else [inputs.to_list()]
    found: list[Any] = [across(row) if row else [] for row in rows]
    if keepdims:
        found = [[row] for row in found]
    return constant(found if axis else found[0], dtype="string", ragged_rank=len(inputs.shape) - (1 if keepdims else 2))


# ---- by segments


def _segments(specs: Any, settings: Any) -> Any:
    (shape, dtype), (ids, _) = specs[:2]
    return [((None, *shape[len(ids) :]), dtype)]


@op(kinds="O", eager=True, differentiable=False, same=False, shapes=_segments)
def string_segments_joined(xp, x: Array, segment_ids: Array, num_segments: Array, separator: Any = ""):
    """The strings of each segment joined, in their order."""
    who, count = "strings.unsorted_segment_join", int(num_segments)
    if count < 0:
        raise InvalidArgumentError(explain(who, "the number of segments is below 0", {"num_segments": count}))
    if not segment_ids.ndim or segment_ids.shape != x.shape[: segment_ids.ndim]:
        raise InvalidArgumentError(
            explain(
                who,
                "the segment ids do not fit the strings",
                {"inputs": x.shape, "segment_ids": segment_ids.shape},
                "their shape must be the beginning of the strings' shape, of at least one axis",
            )
        )
    ids = segment_ids.reshape(-1)
    outside = ids[(ids < 0) | (ids >= count)]
    if outside.size:
        raise InvalidArgumentError(
            explain(who, "a segment id is out of range", {"id": int(outside[0]), "num_segments": count})
        )
    rest = x.shape[segment_ids.ndim :]
    rows = x.reshape(len(ids), int(np.prod(rest)))
    members: list[list[list[bytes]]] = [[[] for _ in range(rows.shape[1])] for _ in range(count)]
    for segment, row in zip(ids.tolist(), rows):
        for column, word in enumerate(row):
            members[segment][column].append(word)
    glue = bytes_of(separator)
    out = np.empty((count, rows.shape[1]), _STRING)
    for segment, columns in enumerate(members):
        out[segment] = [glue.join(words) for words in columns]
    return out.reshape(count, *rest)


def unsorted_segment_join(
    inputs: Any, segment_ids: Any, num_segments: Any, separator: Any = "", name: str | None = None
) -> Tensor:
    """The strings of each segment joined, in their order: [num_segments, ...], "" where a segment has none.

    inputs       strings [n, ...] (or more axes, as many as the ids have).
    segment_ids  the segment of each row, from 0 to num_segments - 1, in any order.

    Raises InvalidArgumentError for an id outside of these.

    >>> unsorted_segment_join(["a", "b", "c"], [1, 0, 1], 3, separator="-").numpy()
    array([b'b', b'a-c', b''], dtype=object)
    """
    return string_segments_joined(
        convert(inputs, "string"), convert(segment_ids), convert(num_segments), separator=bytes_of(separator)
    )


# ---- n-grams


def _pieces_shapes(specs: Any, settings: Any) -> Any:
    return ((None,), _STRING), (specs[1][0], _INT64)


@op(kinds="Oiu", eager=True, differentiable=False, same=False, shapes=_pieces_shapes)
def string_ngrams(
    xp, x: Array, row_splits: Array, widths=(1,), separator: Any = " ", left=b"", right=b"", padding=0, short=False
):
    """The n-grams of rows of words, and their row splits.

    padding  how many `left` and `right` stand before and after each row; None: one fewer than the n-gram is wide.
    short    whether a row too short for any n-gram is kept as one.
    """
    glue, rows = bytes_of(separator), []
    for first, last in pairwise(row_splits.tolist()):
        words = x[first:last].tolist()
        found: list[bytes] = []
        for width in widths:
            pad = width - 1 if padding is None else min(padding, width - 1)
            padded = [left] * pad + words + [right] * pad
            found += [glue.join(padded[at : at + width]) for at in range(len(padded) - width + 1)]
        if short and words and not found:
            pad = padding or 0
            found = [glue.join([left] * pad + words + [right] * pad)]
        rows.append(found)
    return laid_out(rows)


def ngrams(
    data: Any,
    ngram_width: Any,
    separator: Any = " ",
    pad_values: Any = None,
    padding_width: int | None = None,
    preserve_short_sequences: bool = False,
    name: str | None = None,
) -> Any:
    """Each run of `ngram_width` words along the last axis, joined: a dense tensor for a dense one, else a ragged one.

    ngram_width     a number, or several, whose n-grams follow each other in each row.
    pad_values      what stands before and after each row: one string, or a tuple (left, right); None for nothing.
    padding_width   how often; by default one fewer than the n-gram is wide, and never more.
    preserve_short_sequences  True: a row too short for any n-gram is kept, joined.

    >>> ngrams(["a", "b", "c"], 2).numpy()
    array([b'a b', b'b c'], dtype=object)
    >>> ngrams(["a", "b"], 2, pad_values=("<", ">")).numpy()
    array([b'< a', b'a b', b'b >'], dtype=object)
    """
    who = "strings.ngrams"
    widths = (ngram_width,) if isinstance(ngram_width, int) else tuple(ngram_width)
    if not all(isinstance(width, int) for width in widths):
        raise TypeError(explain(who, "a width is no integer", {"ngram_width": ngram_width}))
    if any(width < 1 for width in widths):
        raise ValueError(explain(who, "a width is below 1", {"ngram_width": ngram_width}))
    if pad_values is None:
        if padding_width is not None:
            raise ValueError(
                explain(
                    who, "it is not said with what to pad", {"padding_width": padding_width}, "", "Give pad_values."
                )
            )
        left = right = b""
        padding_width = 0
    elif isinstance(pad_values, (str, bytes)):
        left = right = bytes_of(pad_values)
    elif isinstance(pad_values, (list, tuple)) and len(pad_values) == 2:
        left, right = map(bytes_of, pad_values)
    else:
        raise TypeError(
            explain(who, "pad_values cannot be read", {"pad_values": pad_values}, "give a string or a tuple of two")
        )
    if padding_width is not None and padding_width < 0:
        raise ValueError(explain(who, "padding_width is below 0", {"padding_width": padding_width}))
    settings = {
        "widths": widths,
        "separator": bytes_of(separator),
        "left": left,
        "right": right,
        "padding": padding_width,
        "short": bool(preserve_short_sequences),
    }
    return _ngrams(data if is_ragged(data) else convert(data, "string"), settings)


def _ngrams(data: Any, settings: dict[str, Any]) -> Any:
    if is_ragged(data):
        values = data.values
        if is_ragged(values) or len(values.shape) > 1:
            return data.with_values(_ngrams(values, settings))
        return RaggedTensor(*string_ngrams(values, data.row_splits, **settings))
    shape = tuple(data.shape)
    if not shape:
        raise ValueError(explain("strings.ngrams", "a scalar has no words in a row", {"data": describe(data)}))
    flat = functions["reshape"](data, (-1,))
    sizes = functions["shape"](data)
    rows = functions["reduce_prod"](sizes[:-1])
    ends = functions["cast"](functions["range"](rows + 1) * sizes[-1], "int64")
    grams, splits = string_ngrams(flat, ends, **settings)
    if len(shape) == 1:
        return grams
    # rows of one length have as many n-grams each; where there is no row, none
    counts = functions["concat"]([splits[1:2] - splits[:1], [0]], axis=0)
    width = functions["cast"](functions["reduce_max"](counts, keepdims=True), "int32")
    return functions["reshape"](grams, functions["concat"]([sizes[:-1], width], axis=0))
