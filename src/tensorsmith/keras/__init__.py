"""The public namespace `keras`."""

from typing import TYPE_CHECKING, Any

from tensorsmith.keras import (
    activations,
    backend,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    random,
    regularizers,
    utils,
)
from tensorsmith.keras.initializers import Initializer
from tensorsmith.keras.layers import Input, Layer
from tensorsmith.keras.losses import Loss
from tensorsmith.keras.metrics import Metric
from tensorsmith.keras.models import Model, Sequential
from tensorsmith.keras.optimizers import Optimizer
from tensorsmith.keras.regularizers import Regularizer
from tensorsmith.keras.variable import Variable
from tensorsmith.public import keras_ops as ops

if TYPE_CHECKING:
    # what __getattr__ finds
    from tensorsmith.keras import datasets, saving

__version__ = "3.15.0"

__all__ = [
    "Initializer", "Input", "Layer", "Loss", "Metric", "Model", "Optimizer", "Regularizer", "Sequential", "Variable",
    "activations", "backend", "callbacks", "constraints", "datasets", "initializers", "layers", "losses", "metrics", "models",
    "ops", "optimizers", "random", "regularizers", "saving", "utils",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # files are read and written through h5py, data sets fetched through urllib: each costs more to import than all of this
    if name in ("datasets", "saving"):
        import importlib

        return importlib.import_module(f"tensorsmith.keras.{name}")
    raise AttributeError(f"module 'keras' has no attribute {name!r}")
