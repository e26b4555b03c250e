"""Metrics: numbers gathered over batches."""

from tensorsmith.keras.metrics.base import Metric
from tensorsmith.keras.metrics.means import Mean, MeanMetricWrapper, Sum
from tensorsmith.keras.metrics.regression import MeanAbsoluteError, MeanSquaredError
from tensorsmith.keras.metrics.table import deserialize, get, serialize
