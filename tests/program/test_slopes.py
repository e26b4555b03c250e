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
    count = len(row["kinds"])
    if row["ranks"] is None:
        for pair in STRETCHED:
            yield tuple(pair[at % 2] for at in range(count))
            yield tuple(pair[(at + 1) % 2] for at in range(count))
        return
    letters = next(
        words
        for settings, _, words in derive.SHAPED[name]
        if settings == row["settings"] and [len(word) for word in words] == row["ranks"]
    )
    names = sorted(set("".join(letters)))
    # distinct, equal, one, and none of them
    for sizes in [(2, 3, 4, 5), (3, 3, 3, 3), (1, 2, 1, 2), (1, 1, 1, 1), (2, 0, 2, 3)]:
        chosen = dict(zip(names, sizes))
        yield tuple(tuple(chosen[c] for c in word) for word in letters)


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_stored_derivative_is_that_of_jax(name, row):
    op, rng = registry[name], np.random.default_rng(1)
    settings = {"sizes": (-1,)} if name == "reshape" else dict(row["settings"])
    tried = 0
    for shapes, dtype in itertools.product(shapes_for(name, row), slopes.FLOATS):
        kinds = row["kinds"]
        arrays = [
            rng.uniform(0.1, 0.9, s).astype(dtype) if k == "f" else rng.random(s) < 0.5
            for s, k in zip(shapes, kinds, strict=True)
        ]
        if name == "squeeze" and 1 in shapes[0]:
            continue  # no derivative of the stored form: the result has another shape
        flow = rng.normal(size=np.shape(op.kernel(np, *arrays, *([],) * (len(op.arrays) - len(arrays)), **settings)))
        expected = derive.of_arrays(op, settings, arrays, flow.astype(dtype))
        found = derive.of_row(row, arrays, flow.astype(dtype))
        for a, b in zip(found, expected, strict=True):
            assert np.shape(a) == b.shape and a.dtype == dtype
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        tried += 1
    assert tried


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
    assert slopes.find(where, dict(where.settings), [(2,)] * 3, [f32, f32, f32]) is None
    defaults = dict(leaky.settings)
    assert slopes.find(leaky, defaults, [(2,)], [f32]) is not None
    assert slopes.find(leaky, dict.fromkeys(defaults, 0.7), [(2,)], [f32]) is None
