"""Losses for targets that are classes.

Predictions are probabilities, or with `from_logits=True` the numbers before the softmax or sigmoid.
"""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain
from tensorsmith.keras import config
from tensorsmith.keras.losses.alignment import as_predictions, pair
from tensorsmith.keras.losses.base import Loss
from tensorsmith.keras.losses.ragged import takes_ragged
from tensorsmith.ops.activations import log_softmax, sigmoid, softplus
from tensorsmith.ops.casting import cast
from tensorsmith.ops.comparison import equal, logical_or, not_equal, where
from tensorsmith.ops.creation import one_hot, zeros_like
from tensorsmith.ops.elementwise import clip_by_value, exp, log, maximum, pow, square
from tensorsmith.ops.guards import exist, require
from tensorsmith.ops.reductions import reduce_all, reduce_max, reduce_mean, reduce_sum
from tensorsmith.ops.shaping import squeeze
from tensorsmith.tensor.convert import convert
from tensorsmith.tensor.tensor import Tensor


def _log_probabilities(y_pred: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return log_softmax(y_pred, axis=axis)
    small = config.epsilon()
    # outputs of a softmax sum to 1 only up to rounding, and a user's may not at all
    shares = y_pred / reduce_sum(y_pred, axis=axis, keepdims=True)
    return log(clip_by_value(shares, small, 1.0 - small))


def _smooth_classes(y_true: Tensor, label_smoothing: float, axis: int) -> Tensor:
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[axis]


@takes_ragged
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """-sum(y_true * log(p)) over the classes: targets are one-hot or shares [B, ..., C], the result is [B, ...].

    label_smoothing  s moves each target towards equal shares: y * (1 - s) + s / C.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)  # log(2)
    array([0.6931], dtype=float32)
    """
    y_true, y_pred = pair("categorical_crossentropy", y_true, y_pred)
    y_true = _smooth_classes(y_true, label_smoothing, axis)
    return -reduce_sum(y_true * _log_probabilities(y_pred, from_logits, axis), axis=axis)


@takes_ragged
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """-log(p[y_true]): targets are class numbers [B, ...], predictions [B, ..., C], the result is [B, ...].

    ignore_class  targets with this number have loss 0, and do not count in means.

    Raises ValueError where the shapes without the class axis differ, InvalidArgumentError for a target that is no class.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).numpy().round(4)  # log(2)
    array([0.6931], dtype=float32)
    """
    y_pred = as_predictions(y_pred)
    classes = class_numbers("sparse_categorical_crossentropy", y_true, y_pred, axis)
    valid = None
    if ignore_class is not None:
        valid = not_equal(classes, ignore_class)
        classes = where(valid, classes, zeros_like(classes))
    number = y_pred.shape[axis]
    if number is not None:
        require(
            "sparse_categorical_crossentropy", exist(y_pred, classes, axis), {"y_true": classes},
            "a target is no class", f"with predictions of {number} classes, targets go from 0 to {number - 1}",
        )  # fmt: skip
    chosen = one_hot(classes, y_pred.shape[axis], axis=axis, dtype=y_pred.dtype)
    loss = -reduce_sum(chosen * _log_probabilities(y_pred, from_logits, axis), axis=axis)
    if valid is None:
        return loss
    loss = where(valid, loss, zeros_like(loss))
    # means are over the others
    loss._keras_mask = valid
    return loss


def class_numbers(who: str, y_true: Any, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Targets as int32 class numbers, in the shape of the predictions without their class axis."""
    classes = cast(convert(y_true), "int32")
    if classes.ndim == y_pred.ndim and classes.shape[-1] == 1:
        classes = squeeze(classes, -1)
    sizes = list(y_pred.shape)
    del sizes[axis]
    if not classes.shape.is_compatible_with(sizes):
        raise ValueError(
            explain(
                who,
                "targets do not fit the predictions",
                {"y_true": tuple(convert(y_true).shape), "y_pred": tuple(y_pred.shape)},
                "targets are class numbers, one for each row of predictions",
                "One-hot targets need categorical_crossentropy." if classes.shape == y_pred.shape else "",
            )
        )
    return classes


@takes_ragged
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """mean(-y * log(p) - (1 - y) * log(1 - p)) over `axis`: targets and predictions [B, ..., n], between 0 and 1.

    label_smoothing  s moves each target towards 1/2: y * (1 - s) + s / 2.

    >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).numpy().round(4)  # log(2)
    array([0.6931], dtype=float32)
    """
    y_true, y_pred = pair("binary_crossentropy", y_true, y_pred)
    values = _binary(_smooth_pair(y_true, label_smoothing), y_pred, from_logits)
    return reduce_mean(values, axis=axis) if values.ndim else values


def _smooth_pair(y_true: Tensor, label_smoothing: float) -> Tensor:
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true


def _binary(y_true: Tensor, y_pred: Tensor, from_logits: bool) -> Tensor:
    if from_logits:
        # -y*log(sigmoid(z)) - (1-y)*log(1-sigmoid(z)), without the sigmoid that rounds to 1 at z = 17
        return softplus(y_pred) - y_true * y_pred
    small = config.epsilon()
    p = clip_by_value(y_pred, small, 1.0 - small)
    return -(y_true * log(p) + (1.0 - y_true) * log(1.0 - p))


@takes_ragged
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """mean((1 - q)**gamma * binary cross-entropy) over `axis`, q the probability of the true class.

    alpha  with apply_class_balancing, the weight of class 1 (class 0 has 1 - alpha).

    Source: Lin et al. (2017), Focal loss for dense object detection.

    >>> binary_focal_crossentropy([[1.0]], [[0.5]]).numpy().round(4)  # 0.25 * log(2)
    array([0.1733], dtype=float32)
    """
    y_true, y_pred = pair("binary_focal_crossentropy", y_true, y_pred)
    y_true = _smooth_pair(y_true, label_smoothing)
    p = sigmoid(y_pred) if from_logits else y_pred
    q = y_true * p + (1.0 - y_true) * (1.0 - p)
    values = pow(1.0 - q, gamma) * _binary(y_true, y_pred, from_logits)
    if apply_class_balancing:
        values = values * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return reduce_mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """sum(alpha * (1 - p)**gamma * -y_true * log(p)) over the classes, p the predicted shares.

    >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)  # 0.25 * 0.25 * log(2)
    array([0.0433], dtype=float32)
    """
    y_true, y_pred = pair("categorical_focal_crossentropy", y_true, y_pred)
    y_true = _smooth_classes(y_true, label_smoothing, axis)
    logs = _log_probabilities(y_pred, from_logits, axis)
    return -reduce_sum(alpha * pow(1.0 - exp(logs), gamma) * y_true * logs, axis=axis)


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """sum(y_true * log(y_true / y_pred)) over the last axis; shares are clipped to [epsilon, 1].

    >>> kl_divergence([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)  # log(2)
    array([0.6931], dtype=float32)
    """
    y_true, y_pred = pair("kl_divergence", y_true, y_pred)
    small = config.epsilon()
    y_true, y_pred = clip_by_value(y_true, small, 1.0), clip_by_value(y_pred, small, 1.0)
    return reduce_sum(y_true * log(y_true / y_pred), axis=-1)


def _signs(y_true: Tensor) -> Tensor:
    """Targets as -1 and 1: where they are all 0 and 1, 0 becomes -1."""
    binary = reduce_all(logical_or(equal(y_true, 0.0), equal(y_true, 1.0)))
    return where(binary, y_true * 2.0 - 1.0, y_true)


@takes_ragged
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y_true * y_pred, 0)) over the last axis; targets are -1 and 1 (0 and 1 are understood).

    >>> hinge([[-1.0, 1.0]], [[0.5, 0.5]]).numpy()
    array([1.], dtype=float32)
    """
    y_true, y_pred = pair("hinge", y_true, y_pred)
    return reduce_mean(maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


@takes_ragged
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - y_true * y_pred, 0)**2) over the last axis; targets are -1 and 1 (0 and 1 are understood).

    >>> squared_hinge([[-1.0, 1.0]], [[0.5, 0.5]]).numpy()
    array([1.25], dtype=float32)
    """
    y_true, y_pred = pair("squared_hinge", y_true, y_pred)
    return reduce_mean(square(maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """max(1 + largest wrong score - right score, 0); targets are one-hot [B, ..., C].

    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]]).numpy()
    array([0.75], dtype=float32)
    """
    y_true, y_pred = pair("categorical_hinge", y_true, y_pred)
    right = reduce_sum(y_true * y_pred, axis=-1)
    wrong = reduce_max((1.0 - y_true) * y_pred, axis=-1)
    return maximum(wrong - right + 1.0, 0.0)


class CategoricalCrossentropy(Loss):
    """The function `categorical_crossentropy` as a loss, with its settings.

    >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).numpy().item(), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)

    def get_config(self) -> dict[str, Any]:
        own = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": self.axis}
        return {**super().get_config(), **own}


class SparseCategoricalCrossentropy(Loss):
    """The function `sparse_categorical_crossentropy` as a loss, with its settings.

    >>> SparseCategoricalCrossentropy(from_logits=True)([0, 1], [[9.0, 0.0], [0.0, 9.0]]).numpy().item() < 0.001
    True
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Any = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits, self.ignore_class, self.axis)

    def get_config(self) -> dict[str, Any]:
        own = {"from_logits": self.from_logits, "ignore_class": self.ignore_class}
        if self.axis != -1:
            own["axis"] = self.axis
        return {**super().get_config(), **own}


class BinaryCrossentropy(Loss):
    """The function `binary_crossentropy` as a loss, with its settings.

    >>> round(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]]).numpy().item(), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)

    def get_config(self) -> dict[str, Any]:
        own = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": self.axis}
        return {**super().get_config(), **own}


class BinaryFocalCrossentropy(Loss):
    """The function `binary_focal_crossentropy` as a loss, with its settings.

    >>> round(BinaryFocalCrossentropy()([[1.0]], [[0.5]]).numpy().item(), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing, self.alpha, self.gamma = apply_class_balancing, alpha, gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return binary_focal_crossentropy(y_true, y_pred, **self._settings())

    def _settings(self) -> dict[str, Any]:
        names = ("from_logits", "label_smoothing", "axis", "apply_class_balancing", "alpha", "gamma")
        return {name: getattr(self, name) for name in names}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._settings()}


class CategoricalFocalCrossentropy(Loss):
    """The function `categorical_focal_crossentropy` as a loss, with its settings.

    >>> loss = CategoricalFocalCrossentropy(gamma=0.0, alpha=1.0)
    >>> round(loss([[0.0, 1.0]], [[0.5, 0.5]]).numpy().item(), 4)
    0.6931
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Any = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha, self.gamma = alpha, gamma
        self.from_logits, self.label_smoothing, self.axis = from_logits, label_smoothing, axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return categorical_focal_crossentropy(y_true, y_pred, **self._settings())

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("from_logits", "label_smoothing", "axis", "alpha", "gamma")}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._settings()}


class KLDivergence(Loss):
    """The function `kl_divergence` as a loss.

    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]).numpy().item()
    0.0
    """

    # not the snake_case of the class, which would be kldivergence
    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return kl_divergence(y_true, y_pred)


class Hinge(Loss):
    """The function `hinge` as a loss.

    >>> Hinge()([[-1.0], [1.0]], [[0.5], [0.5]]).numpy().item()
    1.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return hinge(y_true, y_pred)


class SquaredHinge(Loss):
    """The function `squared_hinge` as a loss.

    >>> SquaredHinge()([[-1.0], [1.0]], [[0.5], [0.5]]).numpy().item()
    1.25
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return squared_hinge(y_true, y_pred)


class CategoricalHinge(Loss):
    """The function `categorical_hinge` as a loss.

    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]).numpy().item()
    0.75
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return categorical_hinge(y_true, y_pred)
