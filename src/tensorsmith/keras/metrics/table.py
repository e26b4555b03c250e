"""The names by which metrics are known, and how a name or a config becomes one."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.naming import snake_case
from tensorsmith.keras import registry
from tensorsmith.keras.losses.table import FUNCTIONS
from tensorsmith.keras.metrics import accuracy, auc, base, confusion, f_score, means, probabilistic, regression

for _class, _aliases in (
    (base.Metric, ()), (means.Mean, ()), (means.Sum, ()), (means.MeanMetricWrapper, ()),
    (regression.MeanSquaredError, ("mse", "MSE")), (regression.RootMeanSquaredError, ("rmse", "RMSE")),
    (regression.MeanAbsoluteError, ("mae", "MAE")), (regression.MeanAbsolutePercentageError, ("mape", "MAPE")),
    (regression.MeanSquaredLogarithmicError, ("msle", "MSLE")), (regression.LogCoshError, ("log_cosh", "logcosh")),
    (regression.CosineSimilarity, ()), (regression.R2Score, ("r2_score",)),
    (accuracy.Accuracy, ()), (accuracy.BinaryAccuracy, ()), (accuracy.CategoricalAccuracy, ()),
    (accuracy.SparseCategoricalAccuracy, ()), (accuracy.TopKCategoricalAccuracy, ("top_k_categorical_accuracy",)),
    (accuracy.SparseTopKCategoricalAccuracy, ("sparse_top_k_categorical_accuracy",)),
    (probabilistic.BinaryCrossentropy, ("bce", "BCE")), (probabilistic.CategoricalCrossentropy, ()),
    (probabilistic.SparseCategoricalCrossentropy, ()),
    (probabilistic.KLDivergence, ("kl_divergence", "kld", "KLD", "kullback_leibler_divergence")),
    (probabilistic.Poisson, ()), (probabilistic.Hinge, ()), (probabilistic.SquaredHinge, ()),
    (probabilistic.CategoricalHinge, ()),
    (confusion.TruePositives, ()), (confusion.FalsePositives, ()), (confusion.TrueNegatives, ()),
    (confusion.FalseNegatives, ()), (confusion.Precision, ()), (confusion.Recall, ()),
    (confusion.SensitivityAtSpecificity, ()), (confusion.SpecificityAtSensitivity, ()),
    (confusion.PrecisionAtRecall, ()), (confusion.RecallAtPrecision, ()), (auc.AUC, ()),
    (f_score.FBetaScore, ("fbeta_score", "f_beta_score")),
    (f_score.F1Score, ("f1_score",)),
):  # fmt: skip
    registry.register("metric", _class, *{snake_case(_class.__name__), *_aliases})

for _function in (
    accuracy.accuracy, accuracy.binary_accuracy, accuracy.categorical_accuracy, accuracy.sparse_categorical_accuracy,
    accuracy.top_k_categorical_accuracy, accuracy.sparse_top_k_categorical_accuracy, regression.cosine,
):  # fmt: skip
    registry.register("metric function", _function)
for _function, _aliases in FUNCTIONS:
    registry.register("metric function", _function, *_aliases)


def get(identifier: Any) -> Any:
    """The metric that a name, config, class, function or instance stands for; None stays None.

    A name gives a new metric where there is one of that name, else the function. Raises ValueError for an unknown name.

    >>> get("mae").name, get("huber").__name__
    ('mean_absolute_error', 'huber')
    """
    if isinstance(identifier, str) and registry.find("metric", identifier) is None:
        function = registry.find("metric function", identifier)
        if function is not None:
            return function
    return registry.get("metric", identifier)


def serialize(metric: Any) -> Any:
    """The config of a metric; the name of a built-in function."""
    name = registry.builtin_name("metric function", metric) if callable(metric) else None
    return name if name is not None else registry.serialize("metric", metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that `serialize` described."""
    if isinstance(config, str):
        with registry.CustomObjectScope(custom_objects or {}):
            return get(config)
    return registry.deserialize("metric", config, custom_objects)
