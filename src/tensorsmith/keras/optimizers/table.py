"""The names by which optimizers are known, and how a name or a config becomes one."""

from __future__ import annotations

import inspect
from typing import Any

from tensorsmith.core.naming import snake_case
from tensorsmith.keras import registry
from tensorsmith.keras.optimizers import adam, adaptive, base, lion, sgd

for _class in (
    base.Optimizer, sgd.SGD, adaptive.RMSprop, adaptive.Adagrad, adaptive.Adadelta, adaptive.Ftrl, adam.Adam,
    adam.AdamW, adam.Adamax, adam.Nadam, lion.Lion,
):  # fmt: skip
    registry.register(
        "optimizer", _class, _class.__name__.lower(), *{snake_case(_class.__name__)} - {_class.__name__.lower()}
    )


def get(identifier: Any) -> Any:
    """The optimizer that a name (in any case), config, class or instance stands for; None stays None.

    Raises ValueError for an unknown name.

    >>> get("nadam").learning_rate.numpy().item() == get("Nadam").learning_rate.numpy().item()
    True
    """
    if isinstance(identifier, str) and registry.find("optimizer", identifier) is None:
        identifier = identifier.lower()
    made = registry.get("optimizer", identifier)
    if made is not None and inspect.isroutine(made):
        raise ValueError(f"keras.optimizer: {made!r} is a function; an optimizer is an object or the name of one.")
    return made


def serialize(optimizer: Any) -> Any:
    """The config of an optimizer."""
    return registry.serialize("optimizer", optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that `serialize` described."""
    if isinstance(config, str):
        return get(config)
    return registry.deserialize("optimizer", config, custom_objects)
