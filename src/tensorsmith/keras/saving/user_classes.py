"""Classes of layers and models that this process defined, for folders that were saved by it.

A folder saved from a model whose class has no `get_config` can be loaded where that class is defined, as TensorFlow's
SavedModel can: its name is looked up among the subclasses that exist. Files never resolve names so.
"""

from __future__ import annotations

from typing import Any


def known() -> dict[str, Any]:
    """The user's subclasses of Layer by name; of several of one name the one defined last."""
    from tensorsmith.keras import registry
    from tensorsmith.keras.layers import Layer

    found: dict[str, Any] = {}
    stack = [Layer]
    seen = set()
    while stack:
        for cls in stack.pop().__subclasses__():
            if cls in seen:
                continue
            seen.add(cls)
            stack.append(cls)
            # a class that was mixed with Functional bears its own base's name, and the base makes it again
            mixed = any(base.__name__ == cls.__name__ for base in cls.__bases__)
            if not mixed and not cls.__module__.startswith("tensorsmith."):
                found[registry.get_registered_name(cls)] = cls
    return found
