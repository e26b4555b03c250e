"""Models made from text, from configs and from other models."""

from __future__ import annotations

import json
from typing import Any

from tensorsmith.keras import registry


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model that `to_json` described, with new weights."""
    return model_from_config(json.loads(json_string), custom_objects)


def model_from_config(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model that a config describes, with new weights."""
    return registry.deserialize("model", config, custom_objects)


def clone_model(model: Any) -> Any:
    """A model of the same layers, made anew from its config, with new weights. The user's own layers are known."""
    own = {
        type(layer).__name__: type(layer) for layer in model._flatten_layers() if registry.role_of(type(layer)) is None
    }
    with registry.CustomObjectScope(own):
        return type(model).from_config(model.get_config())
