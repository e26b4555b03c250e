"""How an array reads on a screen."""

from __future__ import annotations

from typing import Any

import numpy as np


def text(array: Any) -> str:
    """The array as `print(tensor)` shows it: NumPy's form, commas left out."""
    return _below(str(np.asarray(array))) if np.ndim(array) else _scalar(array)


def _scalar(array: Any) -> str:
    item = np.asarray(array)[()]
    return repr(item) if isinstance(item, bytes) else str(item)


def numpy_text(array: Any) -> str:
    """The array as it stands behind `numpy=` in a tensor's repr."""
    return _below(repr(np.asarray(array))) if np.ndim(array) else _scalar(array)


def _below(rows: str) -> str:
    # what takes several lines starts on its own, so that its columns stand below each other
    return "\n" + rows if "\n" in rows else rows
