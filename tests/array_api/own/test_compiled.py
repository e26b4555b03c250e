"""The functions in programs: compiled they give what they give at once, for sizes that are not known too; with derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
import tensorsmith.array_api as xp
from tests.array_api import facts, special_cases

_rng = np.random.default_rng(5)
_X = _rng.uniform(0.2, 0.9, (3, 3))
_M = _X + 3 * np.eye(3)

# what each function is asked with, beside the elementwise ones: the arrays come first
_CASES: dict[str, tuple[list[np.ndarray], dict[str, Any]]] = {
    "all": ([_X > 0.5], {"axis": 1}), "any": ([_X > 0.5], {}), "argmax": ([_X], {"axis": 0}), "argmin": ([_X], {}),
    "argsort": ([_X], {"descending": True}), "astype": ([_X], {"_dtype": xp.float64}),
    "broadcast_to": ([_X], {"shape": (2, 3, 3)}),
    "clip": ([_X], {"min": 0.3, "max": 0.6}), "count_nonzero": ([_X > 0.5], {"axis": 1}),
    "cumulative_prod": ([_X], {"axis": 1, "include_initial": True}),
    "cumulative_sum": ([_X], {"axis": 0, "include_initial": True}),
    "diff": ([_X], {"n": 2}), "empty_like": ([_X], {}), "expand_dims": ([_X], {"axis": 1}), "flip": ([_X], {"axis": 0}),
    "full_like": ([_X], {"fill_value": 7}), "matmul": ([_X, _M], {}), "matrix_transpose": ([_X], {}), "max": ([_X], {"axis": 1}),
    "mean": ([_X], {"axis": 0}), "min": ([_X], {}), "ones_like": ([_X], {}), "permute_dims": ([_X], {"axes": (1, 0)}),
    "prod": ([_X], {}), "repeat": ([_X], {"_repeats": 2, "axis": 1}), "reshape": ([_X], {"shape": (9,)}),
    "roll": ([_X], {"shift": 1}), "searchsorted": ([np.sort(_X[0]), _X], {}), "sort": ([_X], {"axis": 0}),
    "squeeze": ([_X[:1]], {"axis": 0}), "std": ([_X], {"correction": 1}), "sum": ([_X], {"axis": (0, 1)}),
    "take": ([_X, np.array([2, -1])], {"axis": 1}), "take_along_axis": ([_X, np.array([[0, -1, 1]])], {"axis": 0}),
    "tensordot": ([_X, _M], {"axes": 1}), "tile": ([_X], {"_repetitions": (2, 1)}), "tril": ([_X], {"k": -1}), "triu": ([_X], {}),
    "var": ([_X], {"axis": 0}), "vecdot": ([_X, _M], {}), "where": ([_X > 0.5, _X, _M], {}), "zeros_like": ([_X], {}),
    "linalg.cholesky": ([_M @ _M.T], {"upper": True}), "linalg.cross": ([_X, _M], {}), "linalg.det": ([_M], {}),
    "linalg.diagonal": ([_X], {"offset": 1}), "linalg.eigvalsh": ([_M + _M.T], {}), "linalg.inv": ([_M], {}),
    "linalg.matrix_norm": ([_X], {"ord": "nuc"}), "linalg.matrix_power": ([_M], {"_n": -2}),
    "linalg.matrix_rank": ([_X], {"rtol": 1e-3}), "linalg.outer": ([_X[0], _X[1]], {}), "linalg.pinv": ([_X[:, :2]], {}),
    "linalg.solve": ([_M, _X[0]], {}), "linalg.svdvals": ([_X], {}), "linalg.trace": ([_X], {}),
    "linalg.vector_norm": ([_X], {"ord": 3}), "fft.fft": ([_X], {}), "fft.ifft": ([_X], {}), "fft.fftn": ([_X], {}),
    "fft.ifftn": ([_X], {}), "fft.rfft": ([_X], {"n": 4}), "fft.irfft": ([_X], {}), "fft.rfftn": ([_X], {}),
    "fft.irfftn": ([_X], {}), "fft.hfft": ([_X], {}), "fft.ihfft": ([_X], {}), "fft.fftshift": ([_X], {}),
    "fft.ifftshift": ([_X], {}),
}  # fmt: skip
_INTEGERS = np.array([[1, 2, 3], [4, 5, 6]])


def _elementwise(name: str) -> list[np.ndarray]:
    table = {**facts.UNARY, **facts.BINARY}[name][0]
    values = _X + 1.0 if name == "acosh" else _X
    if "float64" not in table:
        values = {"bool": _X > 0.5, "int8": _INTEGERS, "complex64": _X + 1j}[table[0]]
    return [values, values[::-1].copy()] if name in facts.BINARY else [values]


_ALL = {**{name: (_elementwise(name), {}) for name in [*facts.UNARY, *facts.BINARY]}, **_CASES}
# of arrays that are made, of lists, of dtypes; several results, or as many as the values say
_APART = """
    arange asarray broadcast_arrays can_cast concat empty eye finfo from_dlpack full iinfo isdtype linspace meshgrid moveaxis
    nonzero ones result_type stack unique_all unique_counts unique_inverse unique_values unstack zeros
    __array_namespace_info__ linalg.eigh linalg.matmul linalg.matrix_transpose linalg.qr linalg.slogdet linalg.svd
    linalg.tensordot linalg.vecdot fft.fftfreq fft.rfftfreq
""".split()


def test_every_function_is_asked() -> None:
    assert sorted([*_ALL, *_APART]) == sorted(facts.signatures())


def _run(name: str, arrays: list[Any], settings: dict[str, Any]) -> Any:
    function: Any = xp
    for part in name.split("."):
        function = getattr(function, part)
    positional = [value for key, value in settings.items() if key.startswith("_")]
    named = {key: value for key, value in settings.items() if not key.startswith("_")}
    return function(*arrays, *positional, **named)


def _group(name: str) -> str:
    return (
        name.split(".")[0]
        if "." in name
        else "of one"
        if name in facts.UNARY
        else "of two"
        if name in facts.BINARY
        else "rest"
    )


@pytest.mark.parametrize("group", ["of one", "of two", "rest", "linalg", "fft"])
def test_compiled_as_at_once(group: str) -> None:
    # in one program, as each would take XLA a tenth of a second
    names = [name for name in _ALL if _group(name) == group]
    given = [[xp.asarray(x) for x in _ALL[name][0]] for name in names]

    @tf.function
    def compiled(given: Any) -> Any:
        return [_run(name, xs, _ALL[name][1]) for name, xs in zip(names, given)]

    for name, xs, found in zip(names, given, compiled(given), strict=True):
        at_once = _run(name, xs, _ALL[name][1])
        assert type(found) is type(at_once), name
        assert found.dtype is at_once.dtype, name
        np.testing.assert_allclose(np.asarray(found), np.asarray(at_once), rtol=1e-6, atol=1e-9, err_msg=name)


_ANY_ROWS = [
    "add", "clip", "cumulative_sum", "diff", "expand_dims", "full_like", "mean", "std", "sum", "take_along_axis", "tril",
    "var", "where", "logaddexp", "hypot", "sort", "argmax", "matmul",
]  # fmt: skip
_FEW_ROWS = {"take_along_axis": 1, "matmul": 1}


def test_for_any_number_of_rows() -> None:
    arrays = [_ALL[name][0] for name in _ANY_ROWS]
    specs = [
        [
            tf.TensorSpec(x.shape if _FEW_ROWS.get(name) == at else (None, *x.shape[1:]), tf.as_dtype(x.dtype))
            for at, x in enumerate(xs)
        ]
        for name, xs in zip(_ANY_ROWS, arrays)
    ]

    @tf.function(input_signature=[specs])
    def compiled(given: Any) -> Any:
        return [_run(name, xs, _ALL[name][1]) for name, xs in zip(_ANY_ROWS, given)]

    for name, xs, found in zip(
        _ANY_ROWS, arrays, compiled([[tf.constant(x) for x in xs] for xs in arrays]), strict=True
    ):
        at_once = _run(name, [xp.asarray(x) for x in xs], _ALL[name][1])
        np.testing.assert_allclose(np.asarray(found), np.asarray(at_once), rtol=1e-6, atol=1e-9, err_msg=name)


def test_special_values_compiled() -> None:
    tables = ((special_cases.UNARY, 1), (special_cases.BINARY, 2))
    asked = {
        name: [(row, *special_cases.cases(row, count)) for row in rows]
        for table, count in tables
        for name, rows in table.items()
    }

    @tf.function
    def compiled(columns: Any) -> Any:
        return [getattr(xp, name)(*xs) for name, xs in zip(asked, columns)]

    # all rows of a function in one call
    given = [[xp.asarray(np.asarray(c)) for c in zip(*(x for _, xs, _ in rows for x in xs))] for rows in asked.values()]
    for (name, rows), found in zip(asked.items(), compiled(given), strict=True):
        results = iter(np.asarray(found).tolist())
        for row, values, result in rows:
            wrong = [(x, got) for x, got in zip(values, results) if not special_cases.agrees(result, got, x)]
            assert not wrong, f"{name}({row}): {wrong[:5]}"


_SMOOTH = [
    "hypot", "logaddexp", "copysign", "log2", "clip", "cumulative_sum", "cumulative_prod", "std", "take_along_axis", "vecdot",
    "linalg.pinv", "linalg.vector_norm", "linalg.cross", "linalg.diagonal", "fft.rfft", "fft.hfft", "tril", "matmul", "diff",
]  # fmt: skip


@pytest.mark.parametrize("name", _SMOOTH)
def test_derivative(name: str) -> None:
    arrays, settings = _ALL[name]
    rest = [xp.asarray(x) for x in arrays[1:]]
    x, step = xp.asarray(arrays[0]), 1e-6
    direction = np.cos(np.arange(arrays[0].size)).reshape(arrays[0].shape)

    def value(x: Any) -> Any:
        found = _run(name, [x, *rest], settings)
        weights = xp.asarray(np.sin(1.0 + np.arange(found.size)).reshape(found.shape))
        parts = found if not found.dtype.is_complex else xp.real(found) + 2.0 * xp.imag(found)
        return xp.sum(parts * weights)

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = value(x)
    slope = float(np.sum(np.asarray(tape.gradient(y, x)) * direction))
    ahead, behind = (float(value(xp.asarray(arrays[0] + sign * step * direction))) for sign in (1, -1))
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), rtol=1e-5)
