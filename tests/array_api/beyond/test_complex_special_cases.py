"""Special values of complex arguments: each row of `special_cases.COMPLEX`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.array_api import special_cases
from tests.array_api.support import array, values, xp

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning", "ignore:overflow:RuntimeWarning")

_ROWS = [pytest.param(name, row, id=f"{name}({row})") for name, rows in special_cases.COMPLEX.items() for row in rows]


@pytest.mark.parametrize(("name", "row"), _ROWS)
def test_complex(name: str, row: str) -> None:
    given, result = special_cases.cases(row, 2)
    for dtype, part in (("complex64", "float32"), ("complex128", "float64")):
        # built of its parts: 1j * inf has a real part that is NaN
        z = np.empty(len(given), dtype)
        z.real, z.imag = ([pair[at] for pair in given] for at in (0, 1))
        found = values(getattr(xp, name)(array(z))).tolist()
        exact = [tuple(np.asarray(pair, part).tolist()) for pair in given]
        wrong = [(x, got) for x, got in zip(exact, found) if not special_cases.agrees_complex(result, got, x)]
        assert not wrong, f"{row} in {dtype}: {wrong[:5]}"
