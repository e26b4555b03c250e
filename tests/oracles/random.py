"""Draws: the same numbers under both engines, of the range and dtype promised; tests/ops/test_random.py asks the rest."""

from __future__ import annotations

import numpy as np

from tests.support.spine import Draw, Row

d = Draw(8)
STATE = np.array([5, 2**63 + 11, 3], "uint64")
FLOATS = [
    {"sizes": (3, 5), "dtype": np.dtype("float32")},
    {"sizes": (0, 2), "dtype": np.dtype("float64")},
    {"sizes": (), "dtype": np.dtype("float16")},
]
RANDOM = "a draw"


def within(low, high):
    def check(results, inputs, settings):
        (drawn,) = results
        assert drawn.dtype == settings["dtype"]
        assert drawn.shape == settings["sizes"]
        assert ((drawn >= low) & (drawn < high)).all()

    return check


def of_classes(results, inputs, settings):
    (drawn,) = results
    assert drawn.dtype == settings["dtype"]
    assert drawn.shape == (len(inputs[1]), settings["num_samples"])
    assert ((drawn >= 0) & (drawn < inputs[1].shape[1])).all()


def is_order(results, inputs, settings):
    assert sorted(results[0].tolist()) == list(range(len(inputs[1])))


def draw(settings, check, *more, **promises) -> Row:
    return Row(None, [((STATE, *more), s) for s in settings], check=check, gradient=RANDOM, nan=RANDOM, **promises)


def successes(results, inputs, settings):
    (drawn,) = results
    assert (drawn.dtype, drawn.shape) == (settings["dtype"], settings["sizes"])
    assert ((drawn >= 0) & (drawn <= inputs[1]) & (drawn == np.floor(drawn))).all()
    assert (drawn[:, [0, 1, 4]] == [0, 5, 0]).all()


def inside_bounds(results, inputs, settings):
    (drawn,) = results
    assert (drawn.dtype, drawn.shape) == (settings["dtype"], settings["sizes"])
    low, high = inputs[3:5]
    assert ((drawn >= low) & (drawn <= high)).all()


def is_permutation(results, inputs, settings):
    (places,) = results
    assert places.dtype == inputs[0].dtype
    if places.ndim and inputs[2].ndim == 0 and inputs[1].ndim == 1:
        assert sorted(places.tolist()) == list(range(int(inputs[2]) + 1))
    assert ((places >= 0) & (places <= inputs[2])).all()


SEED = np.array([3, -4, 5], "int32")
SHUFFLES = [
    (np.arange(11, dtype="int32"), SEED, np.int32(10)), (np.int64(3), SEED, np.int64(2**40)), (np.arange(2, dtype="uint32"), SEED, np.uint32(1)),
    (np.array([0, 5], "uint64"), np.array([[1, 2, 3], [4, 5, 6]], "int64"), np.array([0, 2**63], "uint64")),
]  # fmt: skip


ROWS: dict[str, Row] = {
    "random_index_shuffle": Row(
        None, [(inputs, {}) for inputs in SHUFFLES] + [(SHUFFLES[0], {"rounds": 6})], check=is_permutation, gradient=RANDOM, nan=RANDOM,
    ),
    "random_step": Row(lambda s: np.array([s[0], s[1], s[2] + np.uint64(1)], "uint64"), [((STATE,), {})], more="three words"),
    "random_uniform": draw(FLOATS, within(0, 1), []),
    "random_bits": draw([{"sizes": (7,), "dtype": np.dtype("uint64")}, {"sizes": (2, 2), "dtype": np.dtype("uint8")}], within(0, 2**64), []),
    "random_normal": draw([*FLOATS, {**FLOATS[0], "mean": 3.0, "stddev": 0.5}], within(-9, 9), []),
    "random_truncated_normal": draw([*FLOATS, {**FLOATS[0], "mean": 1.0, "stddev": 0.5}], within(-2.01, 2.01), []),
    "random_integers": draw([{"sizes": (9,), "dtype": np.dtype("int64")}, {"sizes": (2, 3), "dtype": np.dtype("int32")}], within(-3, 4), np.int32(-3), np.int32(4), []),
    "random_gamma": draw([FLOATS[0], {"sizes": (0, 5), "dtype": np.dtype("float64")}], within(0, 60), d.uniform(0.3, 5.0, 5), []),
    "random_poisson": draw([FLOATS[0], {"sizes": (2, 5), "dtype": np.dtype("int32")}], within(0, 90), d.uniform(1.0, 40.0, 5), []),
    "random_binomial": Row(
        None, [((STATE, np.float32([0, 5, 60, 60, 9]), np.float32([0.5, 1.0, 0.3, 0.9, 0.0]), []), {"sizes": (n, 5), "dtype": np.dtype(kind)}) for n, kind in ((3, "float32"), (2, "int32"))],
        check=successes, gradient=RANDOM, nan=RANDOM,
    ),
    "random_normal_within": draw([FLOATS[0], {"sizes": (2, 5), "dtype": np.dtype("float64")}], inside_bounds, *(np.float32(x) for x in ([0, 1, 2, 3, 0], [1, 2, 1, 1, 1], [-1, -9, 4, -2, 40], [1, 9, 5, 3, 40.1])), []),
    "random_categorical": draw([{"num_samples": 5, "dtype": np.dtype("int64")}, {"num_samples": 2, "dtype": np.dtype("int32")}], of_classes, d.normal(3, 4)),
    "random_order": draw([{}], is_order, d.normal(6, 2)),
}  # fmt: skip
