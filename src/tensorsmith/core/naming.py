"""Name scopes and unique names."""

from __future__ import annotations

import re
import threading
from typing import Any

from tensorsmith.core import context


class _Counters(threading.local):
    def __init__(self) -> None:
        self.used: dict[str, int] = {}


_counters = _Counters()


def snake_case(name: str) -> str:
    """The name of a class as variables are written.

    >>> snake_case("MyDense"), snake_case("HuberLoss"), snake_case("ReLU"), snake_case("Conv2DTranspose")
    ('my_dense', 'huber_loss', 're_lu', 'conv2d_transpose')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique(base: str) -> str:
    """`base`, then `base_1`, `base_2`, ... on this thread, until `forget()`."""
    count = _counters.used.get(base, 0)
    _counters.used[base] = count + 1
    return base if count == 0 else f"{base}_{count}"


def forget() -> None:
    """Numbers of unique names start again (keras.backend.clear_session)."""
    _counters.used.clear()


class name_scope:
    """A context in which new variables are named `scope/...`.

    name  what ends with "/" is a whole name, as the context gives it: that scope is opened again. None or "" leaves all
          scopes.

    >>> with name_scope("block") as scope:
    ...     scope
    'block/'
    """

    def __init__(self, name: str | None) -> None:
        self.name = name

    def __enter__(self) -> str:
        local, name = context.local, self.name or "/"
        self._outer = local.name_scopes, local.part
        whole = name.endswith("/")
        local.name_scopes = [part for part in name.split("/") if part] if whole else [*local.name_scopes, name]
        local.part = "/".join(local.name_scopes) if whole else below(local.part, name)
        return "/".join(local.name_scopes) + "/" if local.name_scopes else ""

    def __exit__(self, *exc: Any) -> None:
        context.local.name_scopes, context.local.part = self._outer


def get_current_name_scope() -> str:
    """The open name scopes, without a "/" at the end; "" where there is none.

    >>> with name_scope("block"), name_scope("dense"):
    ...     get_current_name_scope()
    'block/dense'
    """
    return "/".join(context.local.name_scopes)


def below(outer: str, name: str) -> str:
    """The name of a part in another: "block" and "dense" give "block/dense"."""
    return f"{outer}/{name}" if outer else name


def scoped(name: str) -> str:
    """`name` below the open name scopes."""
    return "/".join([*context.local.name_scopes, name])
