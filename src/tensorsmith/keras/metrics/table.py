"""The names by which metrics are known, and how a name or a config becomes one."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras import registry
from tensorsmith.keras.losses.table import FUNCTIONS
from tensorsmith.keras.metrics import base, means, regression

for _class, _aliases in (
    (base.Metric, ()),
    (means.Mean, ()),
    (means.Sum, ()),
    (means.MeanMetricWrapper, ()),
    (regression.MeanSquaredError, ()),
    (regression.MeanAbsoluteError, ()),
):
    registry.register("metric", _class, *_aliases)
for _function, _aliases in FUNCTIONS:
    registry.register("metric", _function, *_aliases)


def get(identifier: Any) -> Any:
    """The metric that a name, config, class, function or instance stands for; None stays None.

    A name gives an instance where there is a class of it, else the function. Raises ValueError for an unknown name.

    >>> get("MeanSquaredError").name
    'mean_squared_error'
    """
    return registry.get("metric", identifier)


def serialize(metric: Any) -> Any:
    """The config of a metric; the name of a built-in function."""
    return registry.serialize("metric", metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that `serialize` described."""
    return registry.deserialize("metric", config, custom_objects)
