"""Real Keras, on JAX, as the truth that ours is compared with; tests that need it are skipped where it is not installed."""

from __future__ import annotations

import os
import warnings
from typing import Any

import pytest


def keras() -> Any:
    """The module `keras` of the real thing."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    with warnings.catch_warnings():
        # what it warns of while it is imported is not ours
        warnings.simplefilter("ignore")
        module = pytest.importorskip("keras", minversion="3.10")
    if module.config.backend() != "jax":
        pytest.skip("the installed Keras runs on another backend than JAX")
    return module
