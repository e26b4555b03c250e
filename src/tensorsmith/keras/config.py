"""floatx, epsilon, image_data_format: three words that Keras code asks for, each with one value for the process."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import explain

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_FORMATS = ("channels_last", "channels_first")
_values: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def values() -> Any:
    """A live view of the three, for those who keep what they made of them."""
    return _values.values()


def floatx() -> str:
    """The dtype of weights and losses that name none.

    >>> floatx()
    'float32'
    """
    return _values["floatx"]


def set_floatx(value: str) -> None:
    """Sets `floatx`; ValueError unless it is the name of a floating dtype."""
    value = getattr(value, "name", value)
    if value not in _FLOATS:
        raise ValueError(
            explain("set_floatx", f"{value!r} is no floating dtype", rule=f"it is one of {', '.join(_FLOATS)}")
        )
    _values["floatx"] = value


def epsilon() -> float:
    """The small number that keeps logarithms and divisions finite.

    >>> epsilon()
    1e-07
    """
    return _values["epsilon"]


def set_epsilon(value: float) -> None:
    """Sets `epsilon`; ValueError unless it is a number above 0."""
    if not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(explain("set_epsilon", "epsilon must be a number above 0", {"value": repr(value)}))
    _values["epsilon"] = float(value)


def image_data_format() -> str:
    """Where images hold their colours: "channels_last" [B, H, W, C] or "channels_first" [B, C, H, W].

    >>> image_data_format()
    'channels_last'
    """
    return _values["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Sets `image_data_format`; ValueError for any other word than the two."""
    if data_format not in _FORMATS:
        raise ValueError(
            explain(
                "set_image_data_format", f"{data_format!r} is no data format", rule=f"it is {' or '.join(_FORMATS)}"
            )
        )
    _values["image_data_format"] = data_format


def backend() -> str:
    """ "tensorflow": code that asks wants to know whose functions its parts may call, and those are TensorFlow's."""
    return "tensorflow"
