"""Optimizers: how variables follow their gradients."""

from tensorsmith.keras.optimizers import legacy, schedules
from tensorsmith.keras.optimizers.adam import Adam, Adamax, AdamW, Nadam
from tensorsmith.keras.optimizers.adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from tensorsmith.keras.optimizers.base import Optimizer
from tensorsmith.keras.optimizers.lion import Lion
from tensorsmith.keras.optimizers.sgd import SGD
from tensorsmith.keras.optimizers.table import deserialize, get, serialize

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "Optimizer", "RMSprop",
    "deserialize", "get", "legacy", "schedules", "serialize",
]  # fmt: skip
