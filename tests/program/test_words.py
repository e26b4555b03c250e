"""Small arrays in one buffer: what goes in comes out, in NumPy and in a program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorsmith.program import execute
from tensorsmith.program.words import ALIGNED, SMALL, Words, empty, is_small

DTYPES = [np.dtype(name) for name in ("float32", "int32", "uint32", "int64", "float64", "uint64")]
specs = st.lists(
    st.tuples(st.lists(st.integers(0, 3), max_size=3).map(tuple), st.sampled_from(DTYPES)), min_size=1, max_size=6
)


def arrays_of(chosen):
    rng = np.random.default_rng(0)
    return [
        (rng.standard_normal(shape) * 1e6).astype(dtype)
        if dtype.kind == "f"
        else rng.integers(0, np.iinfo(dtype).max, shape, dtype)
        for shape, dtype in chosen
    ]


@settings(deadline=None, max_examples=60)
@given(specs, st.integers(0, 3))
def test_arrays_come_out_as_they_went_in(chosen, start):
    words, arrays = Words(chosen, start), arrays_of(chosen)
    buffer = empty(words.size)
    for view, array in zip(words.views(buffer), arrays):
        view[...] = array
    for span, array in zip(words.spans, arrays):
        np.testing.assert_array_equal(span.of(buffer), array)
        assert span.of(buffer).dtype == array.dtype
    with execute.guard():
        jax = execute.jax()
        inside = words.taken_apart(jax, buffer)
        pieces = words.put_together(jax, inside)
        whole = np.concatenate([np.zeros(start, np.uint32), *map(np.asarray, pieces)])
    for value, array in zip(inside, arrays):
        np.testing.assert_array_equal(np.asarray(value), array)
    np.testing.assert_array_equal(whole, buffer)


def test_a_value_that_is_not_what_was_promised_is_refused():
    words = Words([((2,), np.dtype("float32"))])
    with pytest.raises(TypeError, match=r"float32\(2,\) became one of float32\(3,\)"):
        words.put_together(execute.jax(), [np.zeros(3, "float32")])


def test_buffers_stand_on_the_boundary_that_xla_reads_without_a_copy():
    assert {empty(size).ctypes.data % ALIGNED for size in range(1, 40)} == {0}


@pytest.mark.parametrize(
    ("shape", "dtype", "small"),
    [((), "float32", True), ((SMALL,), "float32", True), ((SMALL + 1,), "float32", False), ((SMALL,), "int64", False),
     ((None,), "float32", False), ((2,), "bool", False), ((2,), "float16", False), ((2,), "complex64", False)],
)  # fmt: skip
def test_small_is_what_has_a_known_shape_whole_words_and_few_of_them(shape, dtype, small):
    assert is_small((shape, np.dtype(dtype))) is small
