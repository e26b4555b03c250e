"""Layers as configs, and configs as layers."""

from __future__ import annotations

from typing import Any

from tensorsmith.keras import registry


def serialize(layer: Any) -> Any:
    """The config of a layer, from which `deserialize` makes another like it (without its weights)."""
    return registry.serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The layer that a config describes."""
    return registry.deserialize("layer", config, custom_objects)
