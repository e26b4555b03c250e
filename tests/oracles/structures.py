"""The operations under ragged and sparse tensors, strings, sets, tensor arrays, branches and loops."""

from __future__ import annotations

import json
import pathlib
import re
import unicodedata
from typing import Any

import numpy as np

from tests.support.spine import Draw, Elsewhere, Row, row

d = Draw(11)


def longs(*values: Any) -> np.ndarray:
    return np.array(values, "int64")


def texts(*values: str) -> np.ndarray:
    out = np.empty(len(values), object)
    out[:] = [value.encode() for value in values]
    return out


def text(value: str) -> np.ndarray:
    return texts(value).reshape(())


SPLITS = longs(0, 2, 2, 5)
VALUES, TABLE = d.normal(5), d.normal(5, 2)
WORDS = texts("Hello", " wo rld ", "", "é1é")
EVEN = texts("Hell", "", "é1é!")
BUCKETS = json.loads((pathlib.Path(__file__).parent.parent / "fixtures" / "string_hashes.json").read_text())
PLACES = np.array([[0, 1], [1, 0], [2, 3]], "int64")
EAGER = "its size hangs on values"
NUMPY = "XLA knows no strings"


def of_values(inputs: Any, settings: Any) -> str:
    """The dtype of the values, which are the second input."""
    return inputs[1].dtype.name


def rows_of(splits: np.ndarray) -> list[range]:
    return [range(a, b) for a, b in zip(splits[:-1].tolist(), splits[1:].tolist())]


def padded(values: np.ndarray, splits: np.ndarray, default: Any, width: int | None = None) -> np.ndarray:
    spans = rows_of(splits)
    width = max(map(len, spans)) if width is None else width
    out = np.full((len(spans), width, *values.shape[1:]), default)
    for at, span in enumerate(spans):
        for column, place in enumerate(span[:width]):
            out[at, column] = values[place]
    return out


def grouped(values: np.ndarray, groups: np.ndarray, like: np.ndarray, kind: str) -> np.ndarray:
    lowest, highest = np.finfo("float32").min, np.finfo("float32").max
    function, empty = {"sum": (np.sum, 0), "prod": (np.prod, 1), "max": (np.max, lowest), "min": (np.min, highest)}[
        kind
    ]
    members = [values[groups == g] for g in range(len(like))]
    return np.stack([function(m, axis=0) if len(m) else np.full(values.shape[1:], empty) for m in members])


def running(values: np.ndarray, groups: np.ndarray, exclusive: bool = False, reverse: bool = False) -> np.ndarray:
    out = np.zeros_like(values)
    for at, group in enumerate(groups.tolist()):
        mine = [i for i, g in enumerate(groups.tolist()) if g == group and (i >= at if reverse else i <= at)]
        out[at] = values[[i for i in mine if i != at or not exclusive]].sum(0)
    return out


def scattered(indices: np.ndarray, values: np.ndarray, default: Any, shape: Any, check: bool) -> np.ndarray:
    out = np.full(shape, default)
    for place, value in zip(indices.tolist(), values):
        out[tuple(place)] = value
    return out


def product(indices: np.ndarray, values: np.ndarray, dense: np.ndarray, rows: int) -> np.ndarray:
    sparse = np.zeros((rows, len(dense)), values.dtype)
    for (i, j), value in zip(indices.tolist(), values):
        sparse[i, j] += value
    return sparse @ dense


def each(function: Any, *arrays: np.ndarray) -> np.ndarray:
    out = np.empty(arrays[0].shape, object)
    for place in np.ndindex(out.shape):
        out[place] = function(*(a[place] for a in arrays))
    return out


def pieces(rows: list[list[bytes]]) -> tuple[np.ndarray, np.ndarray]:
    flat = np.empty(sum(map(len, rows)), object)
    flat[:] = [piece for cut in rows for piece in cut]
    return flat, np.cumsum([0] + [len(cut) for cut in rows])


def places(x: np.ndarray, encoding: str) -> np.ndarray:
    """Where each character begins in the bytes of its string."""
    sizes = [[len(c.encode(encoding)) for c in s.decode(encoding)] for s in x.tolist()]
    return np.array([sum(row[:at]) for row in sizes for at in range(len(row))], "int64")


def script(point: int) -> int:
    """ICU's number of a script, by the name that Unicode gives the character."""
    name = unicodedata.name(chr(point), "") if 0 <= point < 0x110000 else "NONE"
    numbers = {"LATIN": 25, "GREEK": 14, "CYRILLIC": 8, "HEBREW": 19, "CJK": 17, "HIRAGANA": 20, "NONE": -1}
    return numbers[name.split()[0]]


def ngrams(
    x: np.ndarray,
    splits: np.ndarray,
    widths: tuple[int, ...],
    separator: bytes,
    left: bytes,
    right: bytes,
    padding: int | None,
    short: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """The n-grams of each row: those of a padded row that begin at each place where they fit."""
    rows = []
    for span in rows_of(splits):
        words = [x[at] for at in span]
        row = []
        for width in widths:
            pad = width - 1 if padding is None else padding
            padded = [left] * pad + words + [right] * pad
            row += [separator.join(gram) for gram in zip(*(padded[at:] for at in range(width)))]
        rows.append([separator.join(words)] if short and words and not row else row)
    return pieces(rows)


def listed(parts: list[Any], summarize: int, glue: str) -> str:
    """A list as text, of a long one so many at both ends."""
    words = [str(part) for part in parts]
    if 0 <= summarize < len(words) / 2:
        words = [*words[:summarize], "...", *words[-summarize:]]
    return f"[{glue.join(words)}]"


def written(precision: int, scientific: bool, shortest: bool, width: int, fill: str) -> str:
    """The form of as_string as C's printf writes it."""
    size = str(width) if width > 0 else ""
    return (
        f"%{fill}{size}"
        + (f".{precision}" if precision >= 0 else "")
        + ("e" if scientific else "g" if shortest else "f")
    )


def set_rows(a: Any, ra: Any, b: Any, rb: Any, rows: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    combine = {"union": np.union1d, "intersection": np.intersect1d, "difference": np.setdiff1d}[kind]
    found = [combine(a[ra == r], b[rb == r]) for r in range(rows)]
    places = [[r, c] for r, members in enumerate(found) for c in range(len(members))]
    return np.array(places).reshape(-1, 2), np.concatenate(found), np.array([rows, max(map(len, found))])


def combined(
    values: list[np.ndarray], splits: list[np.ndarray], make: Any, dtype: Any
) -> tuple[np.ndarray, np.ndarray]:
    """What `make` gives for each choice of one value of each column in each row: the first column turns slowest."""
    rows = []
    for at in range(len(splits[0]) - 1):
        chosen: list[tuple[Any, ...]] = [()]
        for column, s in zip(values, splits):
            chosen = [(*before, value) for before in chosen for value in column[s[at] : s[at + 1]].tolist()]
        rows.append([make(parts) for parts in chosen])
    flat = np.empty(sum(map(len, rows)), dtype)
    flat[:] = [one for row in rows for one in row]
    return flat, np.cumsum([0, *map(len, rows)])


def fingerprint(parts: tuple[int, ...], key: int) -> int:
    """TensorFlow's fingerprint of whole numbers, in NumPy's arithmetic of 64 bits."""
    by, shift = np.uint64(0xC6A4A7935BD1E995), np.uint64(47)
    found = np.array(key, "uint64")
    for part in np.array(parts, "int64").astype("uint64"):
        mixed = part * by
        found = ((found ^ by) ^ ((mixed ^ (mixed >> shift)) * by)) * by
        found = (found ^ (found >> shift)) * by
        found = found ^ (found >> shift)
    return int(found)


TEST_LOOPS, TEST_ARRAYS = "tests/function/test_control_flow.py", "tests/structures/test_tensor_array.py"

ROWS: dict[str, Row | Elsewhere] = {
    # where rows begin and end
    "row_lengths": row(np.diff, (SPLITS,)),
    "row_ids": row(
        lambda s, v: np.repeat(np.arange(len(s) - 1), np.diff(s)), (SPLITS, VALUES), dtype="int64", symbolic="known"
    ),
    "column_ids": row(
        lambda s, v: np.concatenate([np.arange(n) for n in np.diff(s)]),
        (SPLITS, VALUES),
        dtype="int64",
        symbolic="known",
    ),
    "row_order": row(lambda x: np.argsort(x, kind="stable"), (longs(2, 0, 1, 0, 2),), dtype="int64"),
    "splits_from_lengths": row(lambda n: np.concatenate([[0], np.cumsum(n)]), (longs(2, 0, 3),)),
    "splits_from_row_ids": row(
        lambda ids, rows: np.array([np.sum(ids < r) for r in range(rows + 1)]),
        (longs(0, 0, 2, 2, 2),),
        settings=[{"rows": 3}, {"rows": 5}],
    ),
    "column_range": row(lambda s: np.arange(np.diff(s).max()), (SPLITS,), compiled=EAGER),
    "positions_of_rows": row(
        lambda s, r: (
            np.concatenate([list(rows_of(s)[i]) for i in r]).astype(int),
            np.concatenate([[0], np.cumsum([len(rows_of(s)[i]) for i in r])]),
        ),
        (SPLITS, longs(2, 1, 0)),
        compiled=EAGER,
    ),
    "positions_in_rows": row(
        lambda s, start, stop, step: (
            np.concatenate([list(span)[start:stop:step] for span in rows_of(s)]).astype(int),
            np.concatenate([[0], np.cumsum([len(span[start:stop:step]) for span in rows_of(s)])]),
        ),
        (SPLITS,),
        settings=[{}, {"start": 1}, {"stop": 1}, {"stop": -1, "step": 2}, {"step": -1}],
        compiled=EAGER,
    ),
    "cross_texts": row(
        lambda values, splits, separator="_X_": combined(
            values,
            splits,
            lambda parts: separator.encode().join(p if isinstance(p, bytes) else b"%d" % p for p in parts),
            object,
        ),
        ([WORDS, longs(7, -1, 3)], [longs(0, 2, 2, 4), longs(0, 1, 2, 3)]),
        settings=[{}, {"separator": "-"}],
        dtype=("object", "int64"),
        compiled=EAGER,
    ),
    "cross_hashes": row(
        lambda values, splits, num_buckets=0, hash_key=0xDECAFCAFFE: combined(
            values, splits, lambda parts: fingerprint(parts, hash_key) % (num_buckets or 2**63 - 1), "int64"
        ),
        ([longs(5, 0, -2, 9), longs(7, -1, 3)], [longs(0, 2, 2, 4), longs(0, 1, 2, 3)]),
        settings=[{}, {"num_buckets": 10, "hash_key": 3}],
        dtype=("int64", "int64"),
        compiled=EAGER,
    ),
    "join_splits": row(lambda a, b: np.concatenate([a, b[1:] + a[-1]]), (SPLITS, longs(0, 1, 4))),
    "unpadded_lengths": row(
        lambda x, p: np.array([max([i + 1 for i, v in enumerate(r) if np.any(v != p)], default=0) for r in x]),
        (np.array([[1, 0, 2, 0], [0, 0, 0, 0]], "int32"), np.int32(0)),
        dtype="int64",
        symbolic="known",
    ),
    # ragged values
    "group_cumsum": row(
        running,
        (d.normal(7, 2), longs(0, 0, 0, 2, 2, 3, 3)),
        (d.ints(-9, 9, 5), longs(1, 1, 1, 1, 1)),
        settings=[{}, {"exclusive": True}, {"reverse": True}, {"exclusive": True, "reverse": True}],
        symbolic="known",
    ),
    "group_reduce": row(
        grouped,
        (TABLE, longs(1, 0, 1, 1, 0), longs(0, 0)),
        settings=[{"kind": k} for k in ("sum", "prod", "max", "min")],
        symbolic="known",
    ),
    "ragged_to_dense": row(
        padded, (TABLE, SPLITS, np.float32(7.0)), settings=[{"width": 3}, {"width": 2}, {"width": 4}], symbolic="known"
    ),
    "ragged_to_dense_any": row(padded, (TABLE, SPLITS, np.float32(7.0)), compiled=EAGER, symbolic="known"),
    # sparse tensors
    "sparse_scatter": row(
        scattered,
        (PLACES, d.normal(3), np.float32(0.5)),
        settings=[{"shape": (3, 4)}, {"shape": (4, 4), "check": False}],
        dtype=of_values,
        symbolic="known",
    ),
    "sparse_scatter_any": row(
        lambda i, v, default, shape, check: scattered(i, v, default, shape, check),
        (PLACES, d.normal(3), np.float32(0.5), longs(3, 4)),
        settings=[{}, {"check": False}],
        dtype=of_values,
        compiled=EAGER,
        symbolic="known",
    ),
    "nonzero_positions": row(np.argwhere, (np.array([[0, 3], [4, 0]], "int32"),), dtype="int64", compiled=EAGER),
    "sparse_order": row(
        lambda i: np.array(sorted(range(len(i)), key=lambda k: tuple(i[k]))),
        (PLACES[::-1].copy(),),
        dtype="int64",
        symbolic="known",
    ),
    "sparse_merge": row(
        lambda i: (np.unique(i, axis=0), np.array([np.unique(i, axis=0).tolist().index(r) for r in i.tolist()])),
        (PLACES[[2, 0, 2, 1]],),
        compiled=EAGER,
        symbolic="known",
    ),
    "sum_into": row(
        lambda v, r, like: np.array([v[r == at].sum() for at in range(len(like))]),
        (VALUES, longs(0, 2, 2, 0, 1), longs(0, 0, 0)),
        symbolic="known",
    ),
    "sparse_product": row(
        product,
        (PLACES, d.normal(3), d.normal(4, 2)),
        settings=[{"rows": 3}, {"rows": 4}],
        dtype=of_values,
        symbolic="known",
    ),
    # strings
    "string_length": row(
        lambda x, unit: each(lambda s: len(s if unit == "BYTE" else s.decode()), x).astype(int),
        (WORDS,),
        settings=[{}, {"unit": "UTF8_CHAR"}],
        dtype="int32",
        compiled=NUMPY,
    ),
    "string_upper": row(
        lambda x, encoding: each(lambda s: s.decode().upper().encode() if encoding else s.upper(), x),
        (WORDS,),
        settings=[{}, {"encoding": "utf-8"}],
        compiled=NUMPY,
    ),
    "string_lower": row(
        lambda x, encoding: each(lambda s: s.decode().lower().encode() if encoding else s.lower(), x),
        (texts("AbÉ"),),
        settings=[{}, {"encoding": "utf-8"}],
        compiled=NUMPY,
    ),
    "string_strip": row(lambda x: each(bytes.strip, x), (WORDS,), compiled=NUMPY),
    "string_substr": row(
        lambda x, p, n, unit: each(
            lambda s, a, k: (s.decode()[a : a + k] if unit != "BYTE" else s.decode("latin1")[a : a + k]).encode(
                "utf-8" if unit != "BYTE" else "latin1"
            ),
            x,
            p,
            n,
        ),
        (texts("hello", "ébc"), longs(1, 0), longs(3, 2)),
        settings=[{}, {"unit": "UTF8_CHAR"}],
        compiled=NUMPY,
    ),
    "string_regex_replace": row(
        lambda x, late, anew, pattern, rewrite, replace_global: each(
            lambda s: re.sub(
                pattern if late is None else late[()],
                (rewrite if anew is None else anew[()]).replace(rb"\1", rb"\g<1>"),
                s,
                count=0 if replace_global else 1,
            ),
            x,
        ),
        (texts("aXbX", "no"), None, None),
        (texts("aXbX", "no"), text("(b|o)"), text(r"\1\1")),
        settings=[
            {"pattern": b"X", "rewrite": b"-"},
            {"pattern": b"X", "rewrite": b"-", "replace_global": False},
            {"pattern": b"(.)X", "rewrite": rb"<\1>"},
        ],
        compiled=NUMPY,
        symbolic="known",
    ),
    "string_full_match": row(
        lambda x, late, pattern: each(
            lambda s: re.fullmatch(pattern if late is None else late[()], s) is not None, x
        ).astype(bool),
        (texts("a1", "a", "1a1"), None),
        (texts("a1", "a", "1a1"), text("a|1.*")),
        settings=[{"pattern": b"[a-z][0-9]"}, {"pattern": b".*1"}],
        dtype="bool",
        compiled=NUMPY,
        symbolic="known",
    ),
    "string_to_number": row(
        lambda x, out_type: each(float, x).astype(out_type),
        (texts("1", "-20"),),
        settings=[{}, {"out_type": "int64"}],
        dtype=lambda i, s: np.dtype(s["out_type"]).name,
        compiled=NUMPY,
    ),
    "string_of": row(
        lambda x, **settings: each(lambda v: (written(**settings) % v).encode(), x),
        (np.array([1.5, -0.25], "float32"),),
        settings=[
            {},
            {"precision": 2},
            {"scientific": True},
            {"shortest": True},
            {"width": 12},
            {"width": 12, "fill": "0"},
        ],
        dtype="object",
        compiled=NUMPY,
        nan="strings have none",
    ),
    "string_formatted": row(
        lambda parts, template, placeholder, summarize: np.array(
            template.replace(placeholder, "{}").format(*(listed(x.tolist(), summarize, " ") for x in parts)).encode(),
            object,
        ),
        ([longs(1, 2, 3, 4, 5), longs(7)],),
        settings=[
            {"template": "a {} b {}"},
            {"template": "{}{}", "summarize": 1},
            {"template": "%t,%t", "placeholder": "%t", "summarize": -1},
        ],
        dtype="object",
        compiled=NUMPY,
    ),
    "string_listed": row(
        lambda x, s, summarize: each(
            lambda a, b: listed([w.decode() for w in x[a:b]], summarize, ", ").encode(), s[:-1], s[1:]
        ),
        (texts("a", "b", "c", "d", "e"), SPLITS),
        settings=[{}, {"summarize": 1}, {"summarize": -1}],
        compiled=NUMPY,
        symbolic="known",
    ),
    "string_join": row(
        lambda parts, separator: each(lambda *s: separator.join(s), *parts),
        ([WORDS, WORDS[::-1].copy()],),
        settings=[{"separator": b"-"}, {"separator": b""}],
        compiled=NUMPY,
    ),
    "string_bucket": row(
        lambda x, num_buckets, kind="fast", key=(): each(lambda s: BUCKETS[kind][s.hex()] % num_buckets, x).astype(int),
        (WORDS,),
        settings=[
            {"num_buckets": 1024},
            {"num_buckets": 64, "kind": "strong", "key": (1, 2)},
            {"num_buckets": 8, "kind": "old"},
        ],
        dtype="int64",
        compiled=NUMPY,
    ),
    "string_reduce_join": row(
        lambda x, axis, keepdims, separator: np.array(
            [separator.join(r) for r in (x.T if axis == 0 else x if axis == 1 else [x.ravel()])], object
        ).reshape({0: (1, 2), 1: (2, 1), None: (1, 1)}[axis] if keepdims else () if axis is None else (2,)),
        (WORDS.reshape(2, 2),),
        settings=[{"separator": b"-"}, {"axis": 0, "separator": b""}, {"axis": 1, "keepdims": True, "separator": b"+"}],
        compiled=NUMPY,
    ),
    "string_pieces": row(
        lambda x, late, sep, maxsplit: pieces(
            [s.split(sep if late is None else late[()], maxsplit) for s in x.tolist()]
        ),
        (texts("a b  c", "d,e,f"), None),
        (texts("a b  c", "d,e,f"), text(",")),
        settings=[{}, {"sep": b","}, {"sep": b",", "maxsplit": 1}],
        dtype=("object", "int64"),
        compiled=NUMPY,
        symbolic="known",
    ),
    "string_bytes": row(
        lambda x: pieces([[bytes([b]) for b in s] for s in x.tolist()]),
        (WORDS,),
        dtype=("object", "int64"),
        compiled=NUMPY,
    ),
    "string_code_points": row(
        lambda x, encoding, errors, replacement, controls: (
            np.array([ord(c) for s in x.tolist() for c in s.decode(encoding)]),
            np.cumsum([0] + [len(s.decode(encoding)) for s in x.tolist()]),
            places(x, encoding),
        ),
        (WORDS,),
        settings=[{}, {"encoding": "latin-1"}, {"errors": "strict"}, {"replacement": 63}, {"controls": True}],
        dtype=("int32", "int64", "int64"),
        compiled=NUMPY,
    ),
    "string_characters": row(
        lambda x, encoding, errors, replacement: (
            *pieces([[c.encode(encoding) for c in s.decode(encoding)] for s in x.tolist()]),
            places(x, encoding),
        ),
        (EVEN,),
        settings=[{}, {"encoding": "UTF-16-BE"}, {"errors": "ignore"}, {"replacement": 63}],
        dtype=("object", "int64", "int64"),
        compiled=NUMPY,
    ),
    "string_of_code_points": row(
        lambda x, s, encoding, errors, replacement: each(
            lambda a, b: "".join(map(chr, x[a:b])).encode(encoding), s[:-1], s[1:]
        ),
        (np.array([99, 97, 233, 102, 233], "int32"), SPLITS),
        settings=[{}, {"encoding": "UTF-32-BE"}, {"errors": "strict"}, {"replacement": 63}],
        dtype="object",
        compiled=NUMPY,
        symbolic="known",
    ),
    "string_transcoded": row(
        lambda x, encoding, output, errors, replacement, controls: each(lambda s: s.decode(encoding).encode(output), x),
        (WORDS,),
        settings=[
            {},
            {"encoding": "latin-1", "output": "UTF-16-BE"},
            {"errors": "strict"},
            {"replacement": 63},
            {"controls": True},
        ],
        compiled=NUMPY,
    ),
    "code_point_script": row(
        lambda x: np.array([script(point) for point in x.tolist()]),
        (np.array([97, 0x3B1, 0x44F, 0x5D0, 0x4E00, 0x3042, 0x110000, -1], "int32"),),
        compiled=NUMPY,
    ),
    "string_segments_joined": row(
        lambda x, ids, n, separator: each(
            lambda g: separator.join(x[ids == g]), np.array([int(v) for v in range(int(n))])
        ),
        (WORDS, longs(2, 0, 2, 2), np.array(4)),
        settings=[{"separator": b""}, {"separator": b"-"}],
        compiled=NUMPY,
        symbolic="known",
    ),
    "string_ngrams": row(
        ngrams,
        (texts("a", "b", "c", "d", "e"), SPLITS),
        settings=[
            {"separator": b" "},
            {"separator": b"-", "widths": (2, 1)},
            {"separator": b" ", "widths": (3,), "left": b"<", "right": b">", "padding": 1},
            {"separator": b" ", "widths": (3,), "left": b"<", "right": b">", "padding": None},
            {"separator": b" ", "widths": (3,), "short": True},
        ],
        dtype=("object", "int64"),
        compiled=NUMPY,
        symbolic="known",
    ),
    # lookup tables
    "table_lookup": row(
        lambda x, k, v, other: np.vectorize(lambda at: dict(zip(k.tolist(), v.tolist())).get(at, float(other)))(x),
        (longs(3, 5, -1, 9, 3), longs(-1, 3, 9), d.normal(3), np.float32(7.5)),
        dtype=lambda inputs, settings: inputs[2].dtype.name,
        symbolic="known",
        nan="a value that is not looked up does not show",
    ),
    # sets
    "set_operation": row(
        lambda a, b, ia, sa, ib, sb, kind, check: set_rows(a, ia[:, 0], b, ib[:, 0], int(sa[0]), kind),
        (
            longs(5, 2, 7, 1),
            longs(2, 9, 1),
            np.array([[0, 0], [0, 1], [0, 2], [1, 0]]),
            longs(2, 4),
            np.array([[0, 0], [1, 0], [1, 1]]),
            longs(2, 3),
        ),
        settings=[{"kind": kind} for kind in ("union", "intersection", "difference")]
        + [{"kind": "union", "check": False}],
        compiled=EAGER,
        symbolic="known",
    ),
    "set_sizes": row(
        lambda a, i, s, check: np.array([len(np.unique(a[i[:, 0] == at])) for at in range(int(s[0]))]),
        (longs(5, 2, 5, 1), np.array([[0, 0], [0, 1], [0, 2], [2, 0]]), longs(3, 4)),
        settings=[{}, {"check": False}],
        dtype="int32",
        compiled=EAGER,
        symbolic="known",
    ),
    # tensor arrays
    "array_write": row(
        lambda a, i, v: np.stack([v if at == int(i) else a[at] for at in range(len(a))]),
        (d.normal(3, 2), np.int32(1), d.normal(2)),
        symbolic="known",
    ),
    "array_scatter": row(
        lambda a, i, v: np.stack([v[i.tolist().index(at)] if at in i else a[at] for at in range(len(a))]),
        (d.normal(3, 2), np.array([2, 0], "int32"), d.normal(2, 2)),
        symbolic="known",
        nan="what is written over is gone",
    ),
    "array_read": row(
        lambda a, i: a[int(i)],
        (d.normal(3, 2), np.int32(1)),
        symbolic="known",
        nan="one element is read, the others are not",
    ),
    **{
        f"rows_{name}": Elsewhere(TEST_ARRAYS)
        for name in ["of", "empty", "unstack", "split", "write", "read", "stack", "concat", "size"]
    },
    **{
        name: Elsewhere("tests/function/test_lists.py")
        for name in [
            "known_count",
            *(f"list_{n}" for n in "append extend write without read stack concat size".split()),
        ]
    },
    **{name: Elsewhere(TEST_LOOPS) for name in ["cond", "switch", "while_loop", "for_loop", "vectorized_map"]},
}
