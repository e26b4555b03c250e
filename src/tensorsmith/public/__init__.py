"""The roof: one file per public namespace, imports and `__all__` only."""
