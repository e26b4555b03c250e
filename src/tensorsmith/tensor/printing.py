"""How an array reads on a screen."""

from __future__ import annotations

from typing import Any

import numpy as np


def text(array: Any) -> str:
    """The array as `print(tensor)` shows it: NumPy's form, commas left out."""
    return str(np.asarray(array)) if np.ndim(array) else _scalar(array)


def _scalar(array: Any) -> str:
    item = np.asarray(array)[()]
    return repr(item) if isinstance(item, bytes) else str(item)


def numpy_text(array: Any) -> str:
    """The array as it stands behind `numpy=` in a tensor's repr."""
    return repr(np.asarray(array)) if np.ndim(array) else _scalar(array)
