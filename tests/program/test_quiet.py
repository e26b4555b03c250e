"""Kernels that keep NumPy's warnings silent, and leave the user's settings as they were."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.program import quiet

ZERO = np.zeros(2, "float32")


def inverse(xp, x):
    """1 / x."""
    return xp.true_divide(1, x)


@pytest.fixture(params=["in a context", "by the context variable", "by errstate"])
def quietly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param == "by errstate":
        monkeypatch.setattr(quiet, "_found", None)
    elif request.param == "by the context variable":
        monkeypatch.setattr(quiet, "enter", None)
    else:
        assert quiet._found is not None, "NumPy keeps its settings elsewhere: every quiet operation costs 0.2 µs more"
    return quiet.quietly


def test_a_kernel_warns_of_nothing(quietly) -> None:
    with pytest.raises(RuntimeWarning):
        inverse(np, ZERO)
    made = quietly(inverse)
    assert np.isinf(made(np, ZERO)).all()
    assert made.__doc__ == inverse.__doc__ and made.__name__ == "inverse"


def test_the_settings_of_the_user_hold_after_it(quietly) -> None:
    def fails(xp, x):
        raise ValueError("no")

    with np.errstate(divide="raise", over="warn"):
        before = np.geterr()
        quietly(inverse)(np, ZERO)
        assert np.geterr() == before
        with pytest.raises(ValueError, match="no"):
            quietly(fails)(np, ZERO)
        assert np.geterr() == before
        with pytest.raises(FloatingPointError):
            inverse(np, ZERO)


def test_a_kernel_inside_another_is_silent_too(quietly) -> None:
    inner = quietly(inverse)

    def outer(xp, x):
        return inner(xp, x) + inverse(xp, x)

    assert np.isinf(quietly(outer)(np, ZERO)).all()


def test_kernels_of_two_threads_are_silent_at_once(quietly) -> None:
    entered, done = threading.Event(), threading.Event()

    def waits(xp, x):
        entered.set()
        done.wait(20)
        return inverse(xp, x)

    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(quietly(waits)(np, ZERO)))
    thread.start()
    entered.wait(20)
    before = np.geterr()
    assert np.isinf(quietly(inverse)(np, ZERO)).all()
    # and an operation, which goes the short way
    assert np.isinf(tf.math.reciprocal(tf.zeros(2)).numpy()).all()
    assert np.isinf(tf.math.log(tf.zeros(2)).numpy()).all() and np.isinf(tf.nn.elu(tf.fill([2], np.inf)).numpy()).all()
    assert tf.sigmoid(tf.constant([-200.0, 0.0, 200.0])).numpy().tolist() == [0.0, 0.5, 1.0]
    assert np.geterr() == before
    done.set()
    thread.join()
    assert len(found) == 1


def test_what_a_kernel_raises_is_raised(quietly) -> None:
    def fails(xp, x):
        raise RuntimeError("of the kernel's own")

    with pytest.raises(RuntimeError, match=r"^of the kernel's own$"):
        quietly(fails)(np, ZERO)


def test_an_overflow_or_inf_over_inf_is_noticed_and_nothing_else() -> None:
    before = np.geterr()
    for dtype in ("float32", "float64"):
        for count in (1, 7, 4096):
            x = np.zeros(count, dtype)
            assert quiet.unless_overflow(np.exp, x).tolist() == [1.0] * count
            x[-1] = 1000
            with pytest.raises(FloatingPointError):
                quiet.unless_overflow(np.exp, x)
            x[-1] = np.inf
            with pytest.raises(FloatingPointError):
                quiet.unless_invalid(np.divide, x, x)
            x[-1] = np.nan
            assert np.isnan(quiet.unless_invalid(np.divide, x + 1, x)[-1])
    for function in (quiet.unless_overflow, quiet.unless_invalid):
        assert np.isinf(function(np.divide, np.ones(2), np.zeros(2))).all()
    assert np.geterr() == before
