"""Losses for classes and probabilities, as metrics: means over all samples."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras.losses import classification as losses
from tensorsmith.keras.losses import regression
from tensorsmith.keras.metrics.means import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean over all samples of `losses.binary_crossentropy`.

    >>> round(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]]).numpy().item(), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean over all samples of `losses.categorical_crossentropy`.

    >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).numpy().item(), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        settings = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **settings)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean over all samples of `losses.sparse_categorical_crossentropy`.

    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).numpy().item(), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        settings = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **settings)


class KLDivergence(MeanMetricWrapper):
    """The mean over all samples of `losses.kl_divergence`.

    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]).numpy().item()
    0.0
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """The mean over all samples of `losses.poisson`.

    >>> Poisson()([[0.0], [0.0]], [[1.0], [3.0]]).numpy().item()
    2.0
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(regression.poisson, name, dtype)


class Hinge(MeanMetricWrapper):
    """The mean over all samples of `losses.hinge`.

    >>> Hinge()([[-1.0], [1.0]], [[0.5], [0.5]]).numpy().item()
    1.0
    """

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean over all samples of `losses.squared_hinge`.

    >>> SquaredHinge()([[-1.0], [1.0]], [[0.5], [0.5]]).numpy().item()
    1.25
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean over all samples of `losses.categorical_hinge`.

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]).numpy().item()
    0.75
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
