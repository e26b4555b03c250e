"""The names by which losses are known, and how a name or a config becomes one."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras import registry
from tensorsmith.keras.losses import base, classification, regression

for _class in (
    base.Loss, base.LossFunctionWrapper, regression.MeanSquaredError, regression.MeanAbsoluteError,
    regression.MeanAbsolutePercentageError, regression.MeanSquaredLogarithmicError, regression.Huber,
    regression.LogCosh, regression.Poisson, regression.CosineSimilarity, classification.BinaryCrossentropy,
    classification.BinaryFocalCrossentropy, classification.CategoricalCrossentropy,
    classification.CategoricalFocalCrossentropy, classification.SparseCategoricalCrossentropy, classification.Hinge,
    classification.SquaredHinge, classification.CategoricalHinge, classification.KLDivergence,
):  # fmt: skip
    registry.register("loss", _class)

FUNCTIONS = (
    (regression.mean_squared_error, ("mse", "MSE")),
    (regression.mean_absolute_error, ("mae", "MAE")),
    (regression.mean_absolute_percentage_error, ("mape", "MAPE")),
    (regression.mean_squared_logarithmic_error, ("msle", "MSLE")),
    (regression.huber, ("huber_loss",)),
    (regression.log_cosh, ("logcosh",)),
    (regression.poisson, ()),
    (regression.cosine_similarity, ()),
    (classification.binary_crossentropy, ("bce", "BCE")),
    (classification.binary_focal_crossentropy, ()),
    (classification.categorical_crossentropy, ()),
    (classification.categorical_focal_crossentropy, ()),
    (classification.sparse_categorical_crossentropy, ()),
    (classification.hinge, ()),
    (classification.squared_hinge, ()),
    (classification.categorical_hinge, ()),
    (classification.kl_divergence, ("kld", "KLD", "kullback_leibler_divergence")),
)
for _function, _aliases in FUNCTIONS:
    registry.register("loss", _function, *_aliases)


def get(identifier: Any) -> Any:
    """The loss that a name, config, class, function or instance stands for; None stays None.

    Names of functions give functions, names of classes instances. Raises ValueError for an unknown name.

    >>> get("mse").__name__, get("MeanSquaredError").name
    ('mean_squared_error', 'mean_squared_error')
    """
    return registry.get("loss", identifier)


def serialize(loss: Any) -> Any:
    """The config of a loss; the name of a built-in function.

    >>> serialize(get("mse"))
    'mean_squared_error'
    """
    return registry.serialize("loss", loss)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that `serialize` described."""
    return registry.deserialize("loss", config, custom_objects)
