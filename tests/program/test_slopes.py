"""The stored derivatives: they are what JAX derives today, and hold for all shapes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tensorsmith.program import slopes
from tensorsmith.program.op import registry
from tensorsmith.tools import derive
from tests.support import spine

spine.load_everything()
ROWS = [
    pytest.param(name, row, id=f"{name}-{at}") for name, rows in slopes.stored().items() for at, row in enumerate(rows)
]


def test_the_file_is_what_jax_derives():
    assert derive.text(derive.derive()) == slopes.FILE.read_text(), "run: python -m tensorsmith.tools.derive"


def test_the_commonest_operations_are_there():
    common = (
        "add subtract multiply divide pow square exp log tanh sigmoid relu matmul reduce_sum reduce_mean where maximum"
    )
    assert set(common.split()) <= slopes.stored().keys()


STRETCHED = [
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((2, 3), (2, 3)),
    ((1,), (1,)),
    ((2, 1, 3), (4, 1)),
    ((0,), ()),
]


def shapes_for(name, row):
    """Shapes of the arguments, with settings."""
    count = len(row["kinds"])
    if row["ranks"] is None:
        for pair in STRETCHED:
            yield tuple(pair[at % 2] for at in range(count)), row["settings"]
            yield tuple(pair[(at + 1) % 2] for at in range(count)), row["settings"]
        return
    samples, letters = next(
        (samples, words)
        for settings, samples, words, kinds in derive.shaped(registry[name])
        if settings == row["settings"] and [len(word) for word in words] == row["ranks"] and kinds == row["kinds"]
    )
    names = sorted(set("".join(letters)))
    sample = {"sizes": (-1,)} if name == "reshape" else samples[0]
    # distinct, equal, one, and none of them
    for sizes in [(2, 3, 4, 5, 6), (3, 3, 3, 3, 3), (1, 2, 1, 2, 1), (1, 1, 1, 1, 1), (2, 0, 2, 3, 2)]:
        chosen = dict(zip(names, sizes))
        for number in (4, 1) if slopes.OPEN in dict(row["settings"] or {}).values() else (None,):
            opened = {key: number for key, value in (row["settings"] or {}).items() if value == slopes.OPEN}
            yield tuple(tuple(chosen[c] for c in word) for word in letters), {**sample, **opened}


def result_of(op, settings, arrays):
    call = derive.call_of(op, settings, [(a.shape, a.dtype) for a in arrays])
    return np.asarray(op.kernel(np, *call.packed(arrays), **settings))


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_stored_derivative_is_that_of_jax(name, row):
    op, rng = registry[name], np.random.default_rng(1)
    draw = {
        "f": lambda shape, dtype: rng.uniform(0.1, 0.9, shape).astype(dtype),
        "b": lambda shape, dtype: rng.random(shape) < 0.5,
        # places that are there in every one of the shapes
        "i": lambda shape, dtype: np.zeros(shape, "int32") - (rng.random(shape) < 0.3) * (name in MAY_BE_NOWHERE),
        "l": lambda shape, dtype: np.zeros(shape, "int64") + (rng.random(shape) < 0.5) * (name == "group_reduce"),
    }
    tried = 0
    for (shapes, settings), dtype in itertools.product(shapes_for(name, row), slopes.FLOATS):
        arrays = [draw[k](s, dtype) for s, k in zip(shapes, row["kinds"], strict=True)]
        if name == "squeeze" and 1 in shapes[0]:
            continue  # no derivative of the stored form: the result has another shape
        try:
            flow = rng.normal(size=result_of(op, settings, arrays).shape)
        except (ValueError, IndexError):
            continue  # nothing can be picked from nothing
        expected = derive.of_arrays(op, settings, arrays, flow.astype(dtype))
        found = derive.of_row(row, settings, arrays, flow.astype(dtype))
        for a, b in zip(found, expected, strict=True):
            assert np.shape(a) == b.shape and a.dtype == dtype
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        tried += 1
    assert tried


MAY_BE_NOWHERE = ("unsorted_segment_sum", "unsorted_segment_mean")


def test_other_settings_and_dtypes_are_not_taken_for_the_stored_ones():
    mean, leaky = registry["reduce_mean"], registry["leaky_relu"]
    f32, f16, i32 = np.dtype("float32"), np.dtype("float16"), np.dtype("int32")
    assert slopes.find(mean, {"axis": 1, "keepdims": False}, [(2, 3)], [f32])["settings"]["axis"] == 1
    assert slopes.find(mean, {"axis": True, "keepdims": False}, [(2, 3)], [f32]) is None
    assert slopes.find(mean, {"axis": (0, 1), "keepdims": False}, [(2, 3)], [f32]) is None
    assert slopes.find(mean, {"axis": None, "keepdims": False}, [(2, 3)], [f16]) is None
    assert slopes.find(registry["add"], {}, [(), ()], [i32, i32]) is None
    where = registry["where"]
    assert slopes.find(where, dict(where.settings), [(2,)] * 3, [np.dtype(bool), f32, f32]) is not None
    assert slopes.find(where, dict(where.settings), [(2,)] * 3, [i32, f32, f32]) is None
    gather = registry["gather"]
    places = {"axis": 0, "batch_dims": 0}
    assert slopes.find(gather, places, [(2, 3), (4,)], [f32, i32]) is not None
    assert slopes.find(gather, {"axis": 0, "batch_dims": 1}, [(2, 3), (2, 4)], [f32, i32]) is None
    segments = registry["unsorted_segment_sum"]
    assert slopes.find(segments, {"num_segments": 7}, [(2, 3), (2,)], [f32, i32]) is not None
    assert slopes.find(segments, {"num_segments": True}, [(2, 3), (2,)], [f32, i32]) is None
    defaults = dict(leaky.settings)
    assert slopes.find(leaky, defaults, [(2,)], [f32]) is not None
    assert slopes.find(leaky, dict.fromkeys(defaults, 0.7), [(2,)], [f32]) is None
