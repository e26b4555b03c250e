"""The public namespace `keras.callbacks`."""

from tensorsmith.keras.callbacks.base import Callback, CallbackList
from tensorsmith.keras.callbacks.history import History

__all__ = ["Callback", "CallbackList", "History"]
