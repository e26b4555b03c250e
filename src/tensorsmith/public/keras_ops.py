"""The public namespace `keras.ops`."""
