"""Imports every room in which operations are made: a file may name any of them, so all are there when one is read."""

import functools
import importlib
import pkgutil

FLOORS = ("program", "ops", "state", "function", "structures")


@functools.cache
def every_operation() -> None:
    """Fills the registry. What is imported are this package's own files, whatever a model file says."""
    for floor in FLOORS:
        package = importlib.import_module(f"tensorsmith.{floor}")
        for room in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(room.name)
