"""Lets `tensorflow`, `keras` and `tf_keras` be names of Tensorsmith, in this process alone.

A name given to a script is the very module that `import tensorsmith` gives, not a copy: what the script sets on
it is set, and `isinstance` agrees on both sides. Where Tensorsmith keeps a namespace as an attribute and not as a
file, the attribute stands in for the module.
"""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

from tensorsmith.version import __version__

# Longest prefix wins. None is a name on the way to others, with nothing of its own.
NAMES: dict[str, str | None] = {
    "keras": "tensorsmith.keras",
    "tensorflow": "tensorsmith",
    "tensorflow.compat": None,
    "tensorflow.compat.v2": "tensorsmith",
    "tensorflow.keras": "tensorsmith.keras",
    "tensorflow.python": None,
    "tensorflow.python.keras": "tensorsmith.keras",
    "tf_keras": "tensorsmith.keras",
}

# Scripts ask `tf.__version__ >= "2.0"`: they are told the version whose interface is kept, ours behind the plus sign.
VERSION = f"2.21.0+tensorsmith.{__version__}"

_ABSENT = object()


def install() -> None:
    """Make the names resolve to Tensorsmith from here on; a second call changes nothing."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    _forget()
    # First, so that an installed TensorFlow or Keras is not found before us.
    sys.meta_path.insert(0, _Finder())


def hint(error: BaseException) -> str | None:
    """What stands near the name that `from tensorflow... import name` did not find; None for any other error.

    >>> hint(ImportError("cannot import name 'Adom' from 'collections'", name="collections"))
    """
    if not isinstance(error, ImportError) or not (error.name or "").startswith("tensorsmith"):
        return None
    wanted = re.match(r"cannot import name '(\w+)'", str(error))
    module = sys.modules.get(error.name or "")
    if wanted is None or module is None:
        return None
    return f"{error.name} has no {wanted[1]!r} yet; {_near(wanted[1], module, modules_only=False)}"


class _Finder(MetaPathFinder):
    """Answers for the names above and all below them, whether or not there is such a module."""

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in NAMES:
            return None
        # Raises where None would be usual: None would send Python on to look for `tensorflow.core` in our own
        # folder, and load a second copy of a floor of ours under that name.
        return ModuleSpec(fullname, _Loader(_resolve(fullname)), is_package=True)


class _Loader(Loader):
    def __init__(self, found: Any) -> None:
        self.found = found

    def exec_module(self, module: ModuleType) -> None:
        # Put in place here and not by `create_module`, which would have Python overwrite our module's own __spec__.
        if self.found is None:
            return
        sys.modules[module.__name__] = self.found
        if not hasattr(self.found, "__path__"):
            # Else Python would not ask us for what lies in it: `from tensorflow.keras.preprocessing.text import ...`.
            self.found.__path__ = []
        if NAMES.get(module.__name__) == "tensorsmith":
            self.found.__version__ = VERSION


def _resolve(fullname: str) -> Any:
    """What the name stands for; None for a name that only leads to others."""
    head = fullname
    while head not in NAMES:
        head = head.rpartition(".")[0]
    root = NAMES[head]
    if root is None:
        if head == fullname:
            return None
        raise _not_found(fullname, head, [name for name in NAMES if name.startswith(f"{head}.")])
    found: Any = importlib.import_module(root)
    for part in fullname[len(head) + 1 :].split(".") if head != fullname else ():
        child = _child(found, part)
        if child is _ABSENT:
            raise _not_found(fullname, head, found)
        found, head = child, f"{head}.{part}"
    return found


def _child(parent: Any, part: str) -> Any:
    """The namespace `part` of `parent`, or _ABSENT."""
    name = getattr(parent, "__name__", "")
    value = getattr(parent, part, _ABSENT)
    if value is _ABSENT and name.startswith("tensorsmith.") and hasattr(parent, "__path__"):
        try:
            value = importlib.import_module(f"{name}.{part}")
        except ModuleNotFoundError as error:
            if error.name != f"{name}.{part}":
                raise
    if name == "tensorsmith" and part not in parent.__all__ and getattr(value, "__name__", "") == f"{name}.{part}":
        return _ABSENT  # a floor of the house: once loaded an attribute of the package, but no part of its face
    return value if _is_namespace(value) else _ABSENT


def _is_namespace(value: Any) -> bool:
    """Whether `import` may give it: not NumPy, say, that a module of ours happens to import."""
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] == "tensorsmith"
    return isinstance(value, SimpleNamespace)


def _not_found(fullname: str, parent: str, nearby: Any) -> ModuleNotFoundError:
    missing = fullname[len(parent) + 1 :].partition(".")[0]
    if hasattr(nearby, missing) and not isinstance(getattr(nearby, missing), ModuleType):
        why = f"it is no module; write `from {parent} import {missing}`."
    else:
        why = f"Tensorsmith has no {parent}.{missing} yet; {_near(missing, nearby)}"
    return ModuleNotFoundError(f"No module named {fullname!r}: {why}", name=fullname)


def _leads_to_namespace(place: Any, name: str) -> bool:
    try:
        return _is_namespace(getattr(place, name, None))
    except ImportError:  # a name that is loaded when asked for, and needs a package that is not installed
        return False


def _near(wanted: str, place: Any, modules_only: bool = True) -> str:
    """The names of `place` (a namespace, or a list of names) that look like the one wanted, or else its modules."""
    if isinstance(place, list):
        return f"there is {', '.join(place)}."
    names = [name for name in getattr(place, "__all__", dir(place)) if not name.startswith("_")]
    modules = sorted(name for name in names if _leads_to_namespace(place, name))
    lowered = {name.lower(): name for name in (modules if modules_only else names)}
    close = [lowered[name] for name in difflib.get_close_matches(wanted.lower(), lowered, n=3, cutoff=0.6)]
    if close:
        return f"near it: {', '.join(close)}."
    return f"there is {', '.join(modules)}." if modules else "there are no modules in it."


def _forget() -> None:
    """Drop the names from the modules loaded so far, so that the next import asks again."""
    for name in [name for name in sys.modules if name.partition(".")[0] in NAMES]:
        del sys.modules[name]
