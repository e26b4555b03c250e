"""Targets and predictions of each kind that losses and metrics take: six rows, from a fixed seed."""

from __future__ import annotations

import numpy as np

ROWS, COLUMNS = 6, 3


def _random() -> np.random.Generator:
    return np.random.default_rng(7)


def _shares(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores)
    return (powers / powers.sum(axis=-1, keepdims=True)).astype("float32")


def numbers() -> tuple[np.ndarray, np.ndarray]:
    """Any numbers, far and near."""
    random = _random()
    return random.normal(size=(ROWS, COLUMNS)).astype("f") * 2, random.normal(size=(ROWS, COLUMNS)).astype("f") * 2


def counts() -> tuple[np.ndarray, np.ndarray]:
    """Numbers above 0."""
    y_true, y_pred = numbers()
    return np.abs(y_true), np.abs(y_pred) + np.float32(0.1)


def binary() -> tuple[np.ndarray, np.ndarray]:
    """0 or 1, and probabilities."""
    random = _random()
    y_true = random.integers(0, 2, (ROWS, COLUMNS)).astype("float32")
    return y_true, random.uniform(0.05, 0.95, (ROWS, COLUMNS)).astype("float32")


def binary_logits() -> tuple[np.ndarray, np.ndarray]:
    """0 or 1, and the numbers before a sigmoid."""
    return binary()[0], numbers()[1]


def classes() -> tuple[np.ndarray, np.ndarray]:
    """Class numbers, and the shares of three classes."""
    return np.array([0, 2, 1, 1, 0, 2]), _shares(numbers()[1])


def class_logits() -> tuple[np.ndarray, np.ndarray]:
    """Class numbers, and the numbers before a softmax."""
    return classes()[0], numbers()[1]


def one_hot() -> tuple[np.ndarray, np.ndarray]:
    """One-hot rows, and the shares of three classes."""
    numbers_of, shares = classes()
    return np.eye(COLUMNS, dtype="float32")[numbers_of], shares


def one_hot_logits() -> tuple[np.ndarray, np.ndarray]:
    """One-hot rows, and the numbers before a softmax."""
    return one_hot()[0], numbers()[1]


def shares() -> tuple[np.ndarray, np.ndarray]:
    """Two rows of shares that sum to 1."""
    y_true, y_pred = numbers()
    return _shares(y_true), _shares(y_pred)
