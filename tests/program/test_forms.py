"""Primitives of JAX on NumPy: each form gives what XLA gives, at the ends too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tensorsmith.program import execute
from tensorsmith.program.small import NotSmall, Small, traced

jax = execute.jax()
jnp, lax = jax.numpy, jax.lax
RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4, 3)).astype("f")
NANS = np.where(RNG.random((5, 4, 3)) < 0.3, np.nan, X).astype("f")
# one beyond the end, one far below
OUT = np.array([[0, 5, 2], [-9, 4, 4]])
IN = np.array([[0, 4, 2], [1, 4, 4]])
ROWS = RNG.normal(size=(2, 3, 4, 3)).astype("f")
DNUMS = lax.GatherDimensionNumbers(offset_dims=(1, 2), collapsed_slice_dims=(0,), start_index_map=(0, 2))
PUT = lax.ScatterDimensionNumbers(
    update_window_dims=(1, 2), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0, 2)
)
STARTS = np.array([[0, 0], [3, 1], [4, 2], [1, 1], [9, 0]])
MODES = ["clip", "fill", "promise_in_bounds"]

CASES: dict[str, tuple[Any, list[np.ndarray]]] = {
    "take of rows": (lambda x, i: jnp.take(x, i, axis=0, mode="fill"), [X, OUT]),
    "take of rows, clipped": (lambda x, i: jnp.take(x, i, axis=0, mode="clip"), [X, OUT]),
    "take of columns": (lambda x, i: jnp.take(x, i, axis=1, mode="fill"), [X, OUT]),
    "take of ints": (lambda x, i: jnp.take(x, i, axis=0, mode="fill"), [X.astype("i4"), OUT]),
    "take of no rows": (lambda x, i: jnp.take(x, i, axis=0, mode="fill"), [X[:0], OUT[:, :0]]),
    "two places": (lambda x, i, j: x[i, j], [X, IN, IN % 4]),
    "two places apart": (lambda x, i, j: x[i, :, j], [X, IN, IN % 3]),
    "a place behind a slice": (lambda x, i: x[:, 1:3, i], [X, IN % 3]),
    "along an axis": (lambda x, i: jnp.take_along_axis(x, i, 1), [X, RNG.integers(0, 4, (5, 2, 3))]),
    "by a scalar": (lambda x, i: x[i], [X, np.array(3)]),
    "by a scalar in the middle": (lambda x, i: x[:, i], [X, np.array(3)]),
    "columns, their places first": (
        lambda x, i: lax.gather(x, i, lax.GatherDimensionNumbers((1, 2), (1,), (1,)), (5, 1, 3), mode="clip"),
        [X, np.array([[2], [0]])],
    ),
    "rows that keep their axis": (
        lambda x, i: lax.gather(x, i, lax.GatherDimensionNumbers((1, 2, 3), (), (0,)), (1, 4, 3), mode="clip"),
        [X, np.array([[2], [0]])],
    ),
    "ints that are not there": (
        lambda x, i: lax.gather(x, i, lax.GatherDimensionNumbers((1, 2), (0,), (0,)), (1, 4, 3), mode="fill"),
        [X.astype("i4"), np.array([[2], [9]])],
    ),
    "small numbers": (lambda x, i: x[i], [X, IN.astype("uint8")]),
    **{
        f"windows, {mode}": (
            lambda x, i, mode=mode: lax.gather(x, i, DNUMS, (1, 4, 2), mode=mode),
            [X, STARTS[:2] if mode == "promise_in_bounds" else STARTS],
        )
        for mode in MODES
    },
    **{
        f"windows put, {name}, {mode}": (
            lambda x, i, u, mode=mode, put=put: put(x, i, u, PUT, mode=mode),
            [
                X,
                STARTS[:2] if mode == "promise_in_bounds" else STARTS,
                np.ones((2 if mode[0] == "p" else 5, 4, 2), "f"),
            ],
        )
        for mode in MODES
        for name, put in {"add": lax.scatter_add, "max": lax.scatter_max}.items()
    },
    **{
        f"put at rows, {how}": (lambda x, i, u, how=how: getattr(x.at[i], how)(u, mode="drop"), [X, OUT, ROWS])
        for how in ("add", "multiply", "min", "max")
    },
    "put in place": (lambda x, i, u: x.at[i].set(u, mode="drop"), [X, np.array([3, 0, 7]), ROWS[0]]),
    "put at two places": (lambda x, i, j, u: x.at[i, j].add(u), [X, IN, IN % 4, ROWS[:, :, 0]]),
    "put at one row": (lambda x, i, u: x.at[i].add(u), [X, np.array(2), ROWS[0, 0]]),
    "put along an axis": (
        lambda x, i, u: jnp.put_along_axis(x, i, u, 1, inplace=False),
        [X, RNG.permuted(np.tile(np.arange(4)[:, None], (5, 1, 3)), axis=1), RNG.normal(size=(5, 4, 3)).astype("f")],
    ),
    "backwards along an axis": (
        lambda x, i, u: jax.vjp(lambda v: jnp.take_along_axis(v, i, 1), x)[1](u)[0],
        [X, RNG.integers(0, 4, (5, 2, 3)), RNG.normal(size=(5, 2, 3)).astype("f")],
    ),
    "dynamic slice": (lambda x, i: lax.dynamic_slice(x, (i, i, 0), (2, 2, 3)), [X, np.array(4)]),
    "dynamic slice below": (lambda x, i: lax.dynamic_slice(x, (i, 1, 0), (2, 2, 3)), [X, np.array(-7)]),
    "dynamic update": (lambda x, i, u: lax.dynamic_update_slice(x, u, (i, 0, 1)), [X, np.array(4), ROWS[0, :2, :, :2]]),
    "reversed": (lambda x: lax.rev(x, (0, 2)), [X]),
    **{
        f"{kind}, reversed {back}": (lambda x, kind=kind, back=back: getattr(lax, kind)(x, 1, back), [x])
        for kind in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")
        for back in (False, True)
        for x in (X if kind == "cumlogsumexp" else NANS,)
    },
    "running sum of ints": (lambda x: lax.cumsum(x, 0), [IN.astype("i4")]),
    "counted up": (lambda x: lax.broadcasted_iota("int32", (3, 4), 0) + x, [np.int32(1)]),
    "greatest": (lambda x: jnp.argmax(x, 1), [NANS]),
    "least": (lambda x: jnp.argmin(x, 2), [NANS]),
    "sorted": (lambda x: jnp.sort(x, 1), [NANS]),
    "sorted with another": (lambda x, y: lax.sort((x, y), dimension=0, num_keys=1)[1], [np.round(X), X]),
    "sorted by two": (lambda x, y: lax.sort((x, y, y + 1), dimension=0, num_keys=2)[2], [np.round(X), X]),
    "the greatest few": (lambda x: lax.top_k(x, 2), [np.round(X) + 0.0]),
    "their places": (lambda x: lax.top_k(x, 3)[1], [np.round(X) + 0.0]),
    "clamped": (lambda x: lax.clamp(np.float32(-0.5), x, np.float32(0.5)), [NANS]),
    "rounded": (lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN), [np.array([0.5, 1.5, -2.5, np.nan], "f")]),
    "a remainder": (lambda x: lax.rem(x, np.float32(0.3)), [X]),
    "padded": (lambda x: lax.pad(x, np.float32(7), ((1, 2, 0), (0, 0, 0), (0, 1, 0))), [X]),
    "padded between": (lambda x: lax.pad(x, np.float32(7), ((1, 2, 1), (0, 0, 2), (0, 1, 0))), [X]),
    "padded below nothing": (lambda x: lax.pad(x, np.float32(7), ((-1, 2, 1), (-1, -1, 0), (0, -1, 2))), [X]),
    "no rows padded between": (lambda x: lax.pad(x, np.float32(7), ((1, 2, 1), (0, 0, 0), (0, 0, 0))), [X[:0]]),
    "the greatest of nothing": (lambda x: lax.reduce_max_p.bind(x, axes=(1,)), [X[:, :0]]),
    "the least int of nothing": (lambda x: lax.reduce_min_p.bind(x, axes=(0,)), [X[:0].astype("i4")]),
    "a product": (lambda x: lax.reduce_prod_p.bind(x, axes=(0, 2)), [X]),
    "all": (lambda x: jnp.all(x > 0, 1), [X]),
    "any": (lambda x: jnp.any(x > 1, 0), [X]),
    "either": (lambda x, y: lax.bitwise_xor(x > 0, y > 0), [X, NANS]),
    "either, of ints": (lambda x: lax.bitwise_xor(x, x + 1), [IN]),
    "erf": (lambda x: lax.erf(x), [NANS]),
    "erfc": (lambda x: lax.erfc(x), [NANS]),
    "erfinv": (lambda x: lax.erf_inv(x / 4), [X]),
    "lgamma": (lambda x: lax.lgamma(x), [X]),
    "digamma": (lambda x: lax.digamma(abs(x)), [X]),
    "a cube root": (lambda x: lax.cbrt(x), [X]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_form_gives_what_xla_gives(name: str) -> None:
    function, arrays = CASES[name]

    def several(*given: Any) -> list[Any]:
        results = function(*given)
        return list(results) if isinstance(results, (tuple, list)) else [results]

    small = Small(traced(several, [(np.shape(a), np.asarray(a).dtype) for a in arrays], jax), math.inf)
    given = [np.asarray(arrays[at]) for at in small.inputs]
    kept = [a.copy() for a in given]
    first = small(*given)
    assert small._run is None
    second = small(*given)
    assert small._run is not None
    with execute.guard():
        expected = [np.asarray(r) for r in jax.jit(several)(*arrays)]
    for a, b, c in zip(first, second, expected, strict=True):
        assert np.shape(a) == c.shape and np.asarray(a).dtype == c.dtype
        np.testing.assert_allclose(a, c, rtol=2e-5, atol=1e-6)
        # one by one at the first call, written at the second
        np.testing.assert_array_equal(a, b)
    for before, after in zip(kept, given, strict=True):
        np.testing.assert_array_equal(before, after)


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(NotSmall):
        Small(traced(lambda x: [jnp.linalg.inv(x)], [((3, 3), np.dtype("f"))], jax), math.inf)
    with pytest.raises(NotSmall):
        Small(traced(lambda x: [lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO)], [((3,), np.dtype("f"))], jax))


def test_large_constants_are_not_kept() -> None:
    # a thousand pieces are kept, and each may begin with zeros of the shape of a table
    small = Small(
        traced(lambda i: [jnp.zeros((5000, 3), "f").at[i].add(1.0)], [((2,), np.dtype("int32"))], jax), math.inf
    )
    kept = [value for value in small._values if value is not None]
    assert sum(np.asarray(value).nbytes for value in kept) < 1000
    assert small(np.array([1, 1], "i4"))[0].sum() == 6
