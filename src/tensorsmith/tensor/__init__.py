"""The value: an immutable array, or a symbol of the program being traced."""
