"""The settings of a layer that wrote no `get_config`: the arguments that its constructor was given."""

from __future__ import annotations

import inspect
from typing import Any


def settings_of(layer: Any, base: dict[str, Any]) -> dict[str, Any]:
    """The config of a layer from its constructor's arguments, beside the `base` that every layer has.

    Raises NotImplementedError, with the lines to write, where an argument is no plain value.
    """
    given = layer._auto_config
    names = list(inspect.signature(type(layer).__init__).parameters.values())[1:]
    own = [p.name for p in names if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    values = {**dict(zip(own, given["args"])), **given["kwargs"]}
    own_values = {key: value for key, value in values.items() if key not in base}
    plain = not own or all(_is_plain(value) for value in own_values.values())
    if plain and len(given["args"]) <= len(own):
        return {**base, **own_values}
    lines = ", ".join(f'"{name}": self.{name}' for name in own if name not in base)
    raise NotImplementedError(
        f"{type(layer).__name__} cannot be saved: its constructor takes {', '.join(own)}, and it has no get_config "
        f"that tells them. Write in the class:\n    def get_config(self):\n"
        f"        return {{**super().get_config(), {lines}}}"
    )


def tells_its_settings(cls: type, root: type) -> bool:
    """True when some class below `root` has a get_config, and no class below that one takes further settings."""
    for base in cls.__mro__:
        if base is root:
            return False
        if "get_config" in base.__dict__ and issubclass(base, root):
            return True
        if "__init__" in base.__dict__:
            return False
    return False


def _is_plain(value: Any) -> bool:
    """A value that JSON can hold."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    if isinstance(value, (list, tuple)):
        return all(_is_plain(part) for part in value)
    return isinstance(value, dict) and all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
