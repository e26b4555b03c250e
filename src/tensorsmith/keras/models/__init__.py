"""The public namespace `keras.models`."""

from typing import TYPE_CHECKING, Any

from tensorsmith.keras import registry
from tensorsmith.keras.models.copying import clone_model, model_from_config, model_from_json
from tensorsmith.keras.models.functional import Functional
from tensorsmith.keras.models.model import Model
from tensorsmith.keras.models.sequential import Sequential

if TYPE_CHECKING:
    # what __getattr__ finds
    from tensorsmith.keras.saving.entry import load_model, save_model

__all__ = [
    "Model", "Sequential", "clone_model", "load_model", "model_from_config", "model_from_json", "save_model",
]  # fmt: skip

registry.register("layer", Sequential)
registry.register("layer", Functional)


def __getattr__(name: str) -> Any:
    # reading and writing files needs h5py, which costs more to import than all of Keras here
    if name in ("load_model", "save_model"):
        from tensorsmith.keras.saving import entry

        return getattr(entry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
