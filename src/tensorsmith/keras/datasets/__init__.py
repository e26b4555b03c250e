"""The public namespace `keras.datasets`."""

from tensorsmith.keras.datasets import fashion_mnist, mnist

__all__ = ["fashion_mnist", "mnist"]
