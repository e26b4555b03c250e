"""The public namespace `tf.saved_model`."""

from tensorsmith.exchange.saved_model import LoadOptions, SaveOptions, contains_saved_model, load, save

__all__ = ["LoadOptions", "SaveOptions", "contains_saved_model", "load", "save"]
