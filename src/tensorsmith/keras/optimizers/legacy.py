"""The optimizers, for code that asks for the older ones as Keras 2.11 and later name them."""

from tensorsmith.keras.optimizers.adam import Adam, Adamax, Nadam
from tensorsmith.keras.optimizers.adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from tensorsmith.keras.optimizers.base import Optimizer
from tensorsmith.keras.optimizers.sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
