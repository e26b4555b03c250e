"""Derivatives with open sizes: for every operation they are what JAX derives for the very sizes, at other sizes too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tensorsmith.core.errors import OpError
from tensorsmith.program import execute, opened, pieces, slopes
from tensorsmith.program.op import Op
from tensorsmith.program.pieces import Call
from tensorsmith.program.program import freeze
from tensorsmith.program.small import NotSmall, Small, traced
from tests.ops.test_spine import asked
from tests.support import spine

# as they are, twice as many and one more than that: a kernel may look whether a size is even
STRETCHES = ((1, 0), (2, 0), (2, 1))


def call_of(op: Op, inputs: Any, settings: dict, stretch: tuple[int, int]) -> tuple[Call, list[Any]] | None:
    """A call of the operation on larger arrays, and these; None where it takes none, or has no derivative."""
    factor, more = stretch
    groups: list[int | None] = []
    arrays: list[Any] = []
    for given in inputs:
        parts = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
        groups.append(len(parts) if isinstance(given, (list, tuple)) else None)
        for part in map(np.asarray, parts):
            shape = tuple(n if n < 2 else n * factor + more for n in part.shape)
            arrays.append(np.resize(part, shape) if part.size else part)
    absent = tuple(given is None for given in inputs)
    taken = tuple((a.shape, a.dtype) for a in arrays)
    first = Call(op, settings, tuple(groups), absent, taken, (), (), ())
    try:
        with np.errstate(all="ignore"):
            results = [np.asarray(r) for r in first.forward(np)(*arrays)]
    except (OpError, ValueError, IndexError, TypeError, np.linalg.LinAlgError):
        return None
    flowing = tuple(at for at, r in enumerate(results) if r.dtype.kind == "f")
    steady = [
        name in op.steady for name, n in zip(op.arrays, groups, strict=True) for _ in range(1 if n is None else n)
    ]
    wanted = tuple(at for at, a in enumerate(arrays) if a.dtype.kind == "f" and not steady[at])
    if not flowing or not wanted or any(a.dtype.kind in "cOV" for a in arrays):
        return None
    given = tuple((r.shape, r.dtype) for r in results)
    return Call(op, settings, tuple(groups), absent, taken, given, wanted, flowing), arrays


def with_known_sizes(call: Call, every: list[Any]) -> list[Any]:
    jax = execute.jax()
    closed = traced(call.backward(jax.numpy, jax), [(a.shape, a.dtype) for a in every], jax)
    try:
        small = Small(closed, math.inf)
        return small(*[every[at] for at in small.inputs])
    except NotSmall:
        function = execute.jitted(("test", call.key()), lambda: call.backward(jax.numpy, jax))
        return [np.asarray(result) for result in function(*every)]


@asked(when=lambda op, row: op.differentiable and not op.eager and row.compiled is True)
def test_open_sizes_and_known_ones_give_the_same(op: Op, row: spine.Row) -> None:
    rng = np.random.default_rng(3)
    for inputs, settings in spine.derived(op, row)[:3]:
        for stretch in STRETCHES:
            made = call_of(op, inputs, settings, stretch)
            found = made and opened.find(made[0])
            if not made or not found or found["steps"] is None:
                continue
            call, arrays = made
            flows = [call.given[at] for at in call.flowing]
            listing = slopes.listing(found, settings, call.taken, flows, call.wanted)
            every = [*arrays, *[rng.normal(size=shape).astype(dtype) for shape, dtype in flows]]
            small = Small(listing, math.inf)
            results = small(*[every[at] for at in small.inputs])
            for result, known in zip(results, with_known_sizes(call, every), strict=True):
                assert result.shape == known.shape and result.dtype == known.dtype
                np.testing.assert_allclose(result, known, rtol=2e-4, atol=1e-5)


def test_most_operations_have_one() -> None:
    have, lack = [], []
    for param in asked(when=lambda op, row: op.differentiable and not op.eager and row.compiled is True).args[1]:
        op, row = param.values
        for inputs, settings in spine.derived(op, row)[:1]:
            made = call_of(op, inputs, settings, (2, 1))
            if made:
                found = opened.find(made[0])
                (lack if found is None or found["steps"] is None else have).append(op.name)
    assert len(have) > 3 * len(lack), lack


def of_shapes(name: str, settings: dict, *shapes: tuple[int, ...]) -> dict | None:
    op = spine.operations()[name]
    arrays: list[Any] = [np.full(shape, 0.5, "f") for shape in shapes]
    arrays += [[] for _ in op.arrays[len(arrays) :]]
    made = call_of(op, arrays, {**op.settings, **settings}, (1, 0))
    assert made
    return opened.find(made[0])


def test_sizes_that_are_equal_share_a_row_and_others_do_not() -> None:
    row = of_shapes("matvec", {}, (5, 7), (7,))
    assert row is not None
    assert of_shapes("matvec", {}, (6, 9), (9,)) is row
    assert of_shapes("matvec", {}, (9, 9), (9,)) is not row
    assert of_shapes("matvec", {}, (1, 9), (9,)) is not row


def test_settings_that_are_sizes_are_left_open_and_others_are_not() -> None:
    row = of_shapes("getitem", {"key": (("slice", 2, 5, None),)}, (9, 4))
    assert row is not None
    assert of_shapes("getitem", {"key": (("slice", 3, 6, None),)}, (10, 5)) is row
    # what begins at 0 or 1, or is counted from behind, may take another way
    for begin in (0, 1, -3):
        assert of_shapes("getitem", {"key": (("slice", begin, 5, None),)}, (9, 4)) is not row
        assert of_shapes("getitem", {"key": (("slice", begin, 6, None),)}, (10, 4)) is not row
    known = of_shapes("cumsum", {"axis": 1}, (9, 4, 6))
    assert of_shapes("cumsum", {"axis": 2}, (9, 4, 6)) is not known


def test_a_size_that_a_setting_names_is_not_left_open() -> None:
    settings = {"shift": 3, "axis": 0}
    row = of_shapes("roll", settings, (9, 5))
    assert row is not None and of_shapes("roll", settings, (8, 4)) is row
    assert of_shapes("roll", settings, (3, 5)) is not row


def test_operations_of_which_a_size_must_be_known_leave_that_of_rows_open() -> None:
    op = spine.operations()["convolution"]
    settings = {**op.settings, "padding": "SAME"}
    rows = []
    for batch in (5, 6):
        made = call_of(op, [np.ones((batch, 9, 3), "f"), np.ones((4, 3, 8), "f")], settings, (1, 0))
        assert made
        rows.append(opened.find(made[0]))
    assert rows[0] is not None and rows[0] is rows[1]


def test_operations_of_which_the_last_axis_must_be_known_leave_the_others_open() -> None:
    op = spine.operations()["gather_nd"]
    rows = []
    for count, size in ((5, 7), (6, 8)):
        made = call_of(op, [np.ones((size, 4), "f"), np.ones((count, 2), "i4")], {**op.settings}, (1, 0))
        assert made
        rows.append(opened.find(made[0]))
    assert rows[0] is not None and rows[0] is rows[1]


def test_what_is_not_in_the_registry_is_not_left_open() -> None:
    # a user's function may look at sizes in any way
    own = Op("own", lambda xp, x: x * (2.0 if x.shape[0] % 2 else 3.0))
    own.arrays, own.lists, own.settings = ("x",), frozenset(), {}
    made = call_of(own, [np.ones(4, "f")], {}, (1, 0))
    assert made and opened.find(made[0]) is None


@pytest.mark.parametrize(
    "text", ["n0*n1 + 2", "max(0, n0 - 3)", "floordiv(n1, 2) - mod(n0, 3)", "2*n0^2", "-1*n0 + n1"]
)
def test_sizes_are_read_as_jax_writes_them(text: str) -> None:
    from jax import export

    leaves = {"n0": {"size": [0, 0]}, "n1": {"setting": ["key", 1]}}
    dims = export.symbolic_shape("n0, n1", scope=export.SymbolicScope())
    n0, n1 = dims
    size = {
        "n0*n1 + 2": n0 * n1 + 2, "max(0, n0 - 3)": export.symbolic_shape("max(0, n0 - 3)", scope=n0.scope)[0],
        "floordiv(n1, 2) - mod(n0, 3)": n1 // 2 - n0 % 3, "2*n0^2": 2 * n0**2, "-1*n0 + n1": n1 - n0,
    }[text]  # fmt: skip
    for first, second in [(7, 5), (2, 8)]:
        known = [(first,)], {"key": (0, second)}
        wanted = {
            "n0*n1 + 2": first * second + 2, "max(0, n0 - 3)": max(0, first - 3),
            "floordiv(n1, 2) - mod(n0, 3)": second // 2 - first % 3, "2*n0^2": 2 * first**2, "-1*n0 + n1": second - first,
        }[text]  # fmt: skip
        assert slopes.evaluated(opened._expression(size, leaves), known) == wanted


def test_nothing_flows_where_nothing_flowed() -> None:
    op = spine.operations()["where"]
    made = call_of(op, [np.ones((4, 3), bool), np.ones((4, 3), "f"), np.ones((4, 3), "f")], {}, (1, 0))
    assert made and all(pieces.piece(made[0]).reached or [True])
    rounded = call_of(spine.operations()["round"], [np.ones((4, 3), "f")], {}, (1, 0))
    assert rounded and pieces.piece(rounded[0]).reached == [False]
    assert freeze(rounded[0].settings) == freeze({})
