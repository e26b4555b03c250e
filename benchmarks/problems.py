"""The three models of the chapter as plain numbers: first weights and settings shared by all."""

from __future__ import annotations

from typing import Literal

import numpy as np

Problem = Literal["plain", "custom", "residual"]

BATCH = 32
LEARNING_RATE = 1e-3
WIDTH = 30
# Thresholds as the chapter sets them: its Huber function bends at 1, its Huber classes at 2.
THRESHOLD: dict[Problem, float] = {"plain": 1.0, "custom": 2.0, "residual": 1.0}
L1_FACTOR = 0.01


def first_weights(problem: Problem, seed: int = 0) -> list[np.ndarray]:
    """Kernel, bias, kernel, bias, ... in the order of the layers. Every contender starts here, so
    that their losses can be compared digit by digit."""
    rng = np.random.default_rng(seed)

    def dense(n_in: int, n_out: int, variance: float) -> list[np.ndarray]:
        kernel = rng.standard_normal((n_in, n_out)) * np.sqrt(variance)
        return [kernel.astype(np.float32), np.zeros(n_out, np.float32)]

    if problem == "residual":
        inner = [w for _ in range(4) for w in dense(WIDTH, WIDTH, 2 / WIDTH)]
        return dense(8, WIDTH, 2 / 8) + inner + dense(WIDTH, 1, 2 / (WIDTH + 1))
    return dense(8, WIDTH, 1 / 8) + dense(WIDTH, 1, 2 / (WIDTH + 1))
