"""The roof: one file for each public namespace."""
