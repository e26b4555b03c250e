"""Activations run at once by formulas of few calls: each element for itself, of every size, dtype and place."""

from __future__ import annotations

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.ops import activations, bare
from tensorsmith.ops.constants import Ready
from tensorsmith.program import quiet

FORMULAS = {
    name: tf.keras.activations.get(name)
    for name in "sigmoid silu mish selu elu relu relu6 hard_sigmoid hard_silu leaky_relu softplus".split()
}
FAR = [-np.inf, -3e38, -1000.0, -104.0, -91.0, -88.9, -87.5, -40.0, -3.0, -1.07, -1e-30, -0.0]
POINTS = np.array([*FAR, *[-x for x in FAR], 88.5, 710.0, np.nan], "float32")


def bits(x: object) -> np.ndarray:
    array = np.asarray(x)
    return array.view({2: "u2", 4: "u4", 8: "u8"}[array.itemsize])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", FORMULAS)
def test_an_element_has_the_bits_that_it_has_among_others(name: str, dtype: str) -> None:
    function = FORMULAS[name]
    with np.errstate(over="ignore"):
        points = POINTS.astype(dtype)
    together = function(tf.constant(points))
    assert together.dtype == dtype
    for at, point in enumerate(points):
        alone, scalar = function(tf.constant(points[at : at + 1])), function(tf.constant(point))
        assert scalar.shape == () and scalar.dtype == dtype
        if np.isnan(together[at]):
            assert np.isnan(alone[0]) and np.isnan(scalar)
        else:
            assert bits(alone[0]) == bits(scalar) == bits(together[at]), (point, alone, scalar, together[at])


@pytest.mark.parametrize("name", FORMULAS)
def test_no_elements_give_none(name: str) -> None:
    assert FORMULAS[name](tf.zeros([0, 3])).shape == (0, 3)


@pytest.mark.parametrize("name", FORMULAS)
def test_what_is_given_is_left_as_it_was(name: str) -> None:
    points = POINTS.copy()
    FORMULAS[name](tf.constant(points))
    np.testing.assert_array_equal(points, POINTS)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_short_floats_stay_short_and_do_not_overflow(name: str) -> None:
    x = tf.cast([-90.0, -12.0, -1.0, 0.0, 1.0, 90.0], name)
    for title, function in FORMULAS.items():
        found, wide = function(x), function(tf.cast(x, "float64"))
        assert found.dtype == name, title
        np.testing.assert_allclose(tf.cast(found, "float64"), wide, rtol=0.02, atol=2e-5, err_msg=title)


@pytest.mark.parametrize("name", ["sigmoid", "silu"])
def test_without_notice_from_numpy_the_bits_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for points in (POINTS, POINTS.astype("float64"), POINTS[8:16]):
        x = tf.constant(points)
        usual = FORMULAS[name](x)
        with monkeypatch.context() as patch:
            patch.setattr(activations, "unless_overflow", quiet._unnoticed)
            patch.setattr(activations, "unless_invalid", quiet._unnoticed)
            np.testing.assert_array_equal(bits(FORMULAS[name](x)), bits(usual))


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 0.3, 1.0, 1.5])
def test_elu_below_and_above_one(alpha: float) -> None:
    x = np.linspace(-4, 4, 33)
    right = np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    for dtype in ("float32", "float64"):
        found = tf.keras.activations.elu(tf.constant(x, dtype), alpha)
        np.testing.assert_allclose(found, right, rtol=5e-7 if dtype == "float32" else 1e-14)


def test_clip_is_the_one_that_stands_in_for_it() -> None:
    x, low, high = POINTS, np.array(-2, "float32"), np.array(3, "float32")
    np.testing.assert_array_equal(bare.clip(x, low, high), bare._clip(x, low, high))
    into = x.copy()
    assert bare.clip(into, low, high, into) is into and bare._clip(x.copy(), low, high, into) is into
    assert bare.count_nonzero(x) == np.count_nonzero(x)


def test_numbers_stand_ready_in_the_dtype_asked_for() -> None:
    ready = Ready(0.1)
    for name in ("float16", "float32", "float64"):
        found = ready[np.dtype(name)]
        assert found is ready[np.dtype(name)] and found.shape == () and found.dtype == name
        assert found == np.dtype(name).type(0.1)
    with pytest.raises(ValueError, match="read-only"):
        ready[np.dtype("float32")][...] = 2
