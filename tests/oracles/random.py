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


ROWS: dict[str, Row] = {
    "random_step": Row(lambda s: np.array([s[0], s[1], s[2] + np.uint64(1)], "uint64"), [((STATE,), {})], more="three words"),
    "random_uniform": draw(FLOATS, within(0, 1), []),
    "random_bits": draw([{"sizes": (7,), "dtype": np.dtype("uint64")}, {"sizes": (2, 2), "dtype": np.dtype("uint8")}], within(0, 2**64), []),
    "random_normal": draw([*FLOATS, {**FLOATS[0], "mean": 3.0, "stddev": 0.5}], within(-9, 9), []),
    "random_truncated_normal": draw([*FLOATS, {**FLOATS[0], "mean": 1.0, "stddev": 0.5}], within(-2.01, 2.01), []),
    "random_integers": draw([{"sizes": (9,), "dtype": np.dtype("int64")}, {"sizes": (2, 3), "dtype": np.dtype("int32")}], within(-3, 4), np.int32(-3), np.int32(4), []),
    "random_gamma": draw([FLOATS[0], {"sizes": (0, 5), "dtype": np.dtype("float64")}], within(0, 60), d.uniform(0.3, 5.0, 5), []),
    "random_poisson": draw([FLOATS[0], {"sizes": (2, 5), "dtype": np.dtype("int32")}], within(0, 90), d.uniform(1.0, 40.0, 5), []),
    "random_categorical": draw([{"num_samples": 5, "dtype": np.dtype("int64")}, {"num_samples": 2, "dtype": np.dtype("int32")}], of_classes, d.normal(3, 4)),
    "random_order": draw([{}], is_order, d.normal(6, 2)),
}  # fmt: skip
