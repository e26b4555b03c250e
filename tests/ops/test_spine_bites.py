"""The questions of tests/support/spine.py find what is wrong: each is asked of an operation with one fault."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tensorsmith.program.op import Array, Op, elementwise
from tests.support import spine
from tests.support.spine import Row, row

X = np.array([[0.5, -1.5, 2.0], [3.0, 0.25, -0.75]], "float32")
OPS, ROWS = spine.operations(), spine.rows()


def made(kernel: Any, **rules: Any) -> Op:
    return Op("under_test", kernel, **rules)


def doubled(xp, x: Array):
    return x * np.asarray(2, x.dtype)


RIGHT = row(lambda x: x + x, (X,))


def test_a_right_operation_passes_all_questions() -> None:
    op = made(doubled, shapes=elementwise)
    for question in (
        spine.equals_oracle,
        spine.compiles_alike,
        spine.gradient_is_difference,
        spine.shape_is_known_before,
        spine.nan_shows,
        spine.settings_are_tried,
    ):
        question(op, RIGHT)


def test_a_wrong_value() -> None:
    def kernel(xp, x: Array):
        return x * np.asarray(2.001, x.dtype)

    with pytest.raises(AssertionError, match="under_test"):
        spine.equals_oracle(made(kernel), RIGHT)


def test_a_value_that_is_right_in_float32_only() -> None:
    def kernel(xp, x: Array):
        return (x.astype("float32") * 2).astype(x.dtype) * np.asarray(1 + 1e-9, x.dtype)

    with pytest.raises(AssertionError, match="under_test"):
        spine.equals_oracle(made(kernel), RIGHT)


def test_a_wrong_dtype_and_a_wrong_shape() -> None:
    def wide(xp, x: Array):
        return x.astype("float64") * 2

    def flat(xp, x: Array):
        return (x * np.asarray(2, x.dtype)).reshape(-1)

    with pytest.raises(AssertionError, match="dtype float64, promised float32"):
        spine.equals_oracle(made(wide), RIGHT)
    with pytest.raises(AssertionError, match="shape"):
        spine.equals_oracle(made(flat), RIGHT)


def test_an_empty_input_that_breaks() -> None:
    def kernel(xp, x: Array):
        return x * np.asarray(2, x.dtype) + 0 * xp.max(x)

    with pytest.raises(ValueError, match="zero-size array"):
        spine.equals_oracle(made(kernel, shapes=elementwise), RIGHT)


def test_a_kernel_that_writes_to_its_input() -> None:
    def kernel(xp, x: Array):
        x *= 2
        return x

    with pytest.raises(ValueError, match="read-only"):
        spine.equals_oracle(made(kernel), RIGHT)


def test_xla_that_gives_something_else() -> None:
    def value(xp, x: Array):
        return x * np.asarray(2 if xp is np else 3, x.dtype)

    def dtype(xp, x: Array):
        return x * 2 if xp is np else x.astype("float64") * 2

    def nan(xp, x: Array):
        return x * np.asarray(2, x.dtype) if xp is np else xp.nan_to_num(x) * np.asarray(2, x.dtype)

    for kernel in (value, dtype, nan):
        with pytest.raises(AssertionError, match="under_test"):
            spine.compiles_alike(made(kernel), RIGHT)


def test_a_wrong_gradient() -> None:
    from tensorsmith.program.execute import jax

    def kernel(xp, x: Array):
        # right in value: half of it is hidden from derivatives
        return x + (x if xp is np else jax().lax.stop_gradient(x))

    with pytest.raises(AssertionError, match="under_test"):
        spine.gradient_is_difference(made(kernel), RIGHT)


def test_a_shape_that_is_not_true() -> None:
    def short(specs: Any, settings: dict) -> Any:
        return [(specs[0][0][:1], specs[0][1])]

    def narrow(specs: Any, settings: dict) -> Any:
        return [(specs[0][0], np.dtype("float16"))]

    def forgotten(specs: Any, settings: dict) -> Any:
        return [((None,) * len(specs[0][0]), specs[0][1])]

    for rule in (short, narrow, forgotten):
        with pytest.raises(AssertionError, match="under_test"):
            spine.shape_is_known_before(made(doubled, shapes=rule), RIGHT)


def test_a_nan_that_is_hidden() -> None:
    def kernel(xp, x: Array):
        return xp.where(x > -10, x * np.asarray(2, x.dtype), xp.zeros_like(x))

    with pytest.raises(AssertionError, match="under_test"):
        spine.nan_shows(made(kernel, shapes=elementwise), RIGHT)
    with pytest.raises(AssertionError, match="hides a NaN"):
        spine.nan_shows(made(kernel), RIGHT)


def test_a_setting_that_is_never_tried() -> None:
    def kernel(xp, x: Array, by: int = 2):
        return x * np.asarray(by, x.dtype)

    with pytest.raises(AssertionError, match="the setting 'by' is never tried off its default 2"):
        spine.settings_are_tried(made(kernel), row(lambda x, by=2: x * by, (X,), settings=[{}, {"by": 2}]))
    spine.settings_are_tried(made(kernel), row(lambda x, by=2: x * by, (X,), settings=[{}, {"by": 3}]))


def spoiled(kernel: Any) -> Any:
    """The kernel, its results off by a percent, by one, or turned into their contrary."""

    def one(result: Any) -> Any:
        array = np.asarray(result)
        if array.dtype.kind in "fcV":
            return (array * array.dtype.type(1.01) + array.dtype.type(0.01)).astype(array.dtype)
        if array.dtype.kind in "iu":
            return (array + array.dtype.type(1)).astype(array.dtype)
        return ~array if array.dtype.kind == "b" else array + b"x"

    def wrong(xp: Any, *arrays: Any, **settings: Any) -> Any:
        results = kernel(xp, *arrays, **settings)
        if isinstance(results, (list, tuple)):
            return getattr(type(results), "_make", type(results))([one(r) for r in results])
        return one(results)

    return wrong


# a draw that is another one is as good
ANY_DRAW = {
    f"random_{kind}" for kind in ("bits", "uniform", "normal", "truncated_normal", "integers", "gamma", "poisson")
}


@pytest.mark.parametrize("name", sorted(n for n, r in ROWS.items() if isinstance(r, Row) and n not in ANY_DRAW))
def test_every_row_finds_a_kernel_that_is_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op, given = OPS[name], ROWS[name]
    monkeypatch.setattr(op, "kernel", spoiled(op.kernel))
    with pytest.raises(AssertionError):
        spine.equals_oracle(op, given)
