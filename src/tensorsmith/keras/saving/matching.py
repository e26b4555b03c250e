"""Which array goes into which variable: compared whole before the first is assigned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tensorsmith.core.errors import warn

_MOST_TOLD = 12


@dataclass
class Plan:
    """Pairs of a variable and the array for it, and what does not fit."""

    pairs: list[tuple[Any, np.ndarray]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, label: str, variables: list[Any], arrays: list[np.ndarray], owner: Any = None) -> None:
        """Pairs by position; notes counts and shapes that differ."""
        problems = differences(label, variables, arrays, owner)
        if problems:
            self.problems += problems
        else:
            self.pairs += zip(variables, arrays, strict=True)

    def carry_out(self, file: Any) -> None:
        """Assigns everything. Cannot fail: all values were converted before the first is assigned."""
        values = [(variable, converted(variable, array)) for variable, array in self.pairs]
        bad = [variable for variable, value in values if value.dtype.kind == "f" and not np.isfinite(value).all()]
        for variable, value in values:
            variable.assign(value)
        if bad:
            names = ", ".join(str(getattr(v, "path", v.name)) for v in bad[:5])
            warn(f"{str(file)!r} holds values that are not finite, in {names}.")


def differences(label: str, variables: list[Any], arrays: list[np.ndarray], owner: Any = None) -> list[str]:
    """What differs between the variables of one object and the arrays stored for it, as text."""
    if len(variables) != len(arrays):
        wanted = ", ".join(f"{v.name} {tuple(v.shape)}" for v in variables) or "none"
        stored = ", ".join(str(a.shape) for a in arrays) or "none"
        unbuilt = ""
        if not variables and owner is not None and not getattr(owner, "built", True):
            unbuilt = "; it has not made its weights yet: call the model on data, or build it, before loading"
        return [f"{label}: the model has {len(variables)} ({wanted}), the file {len(arrays)} ({stored}){unbuilt}"]
    problems = []
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            problems.append(f"{label}: {variable.name} has shape {tuple(variable.shape)}, the file {array.shape}")
        elif not _fits(array, variable.dtype.numpy_dtype):
            problems.append(f"{label}: {variable.name} is {variable.dtype.name}, the file has {array.dtype.name}")
    return problems


def _fits(array: np.ndarray, dtype: np.dtype) -> bool:
    """True where values of the array can be kept: floats as floats, whole numbers as whole numbers or floats."""
    if array.dtype == dtype:
        return True
    kinds = {"b": "b", "u": "i", "i": "i"}
    given, wanted = kinds.get(array.dtype.kind, "f"), kinds.get(dtype.kind, "f")
    if given == wanted == "i":
        limits = np.iinfo(dtype)
        return not array.size or (int(array.min()) >= limits.min and int(array.max()) <= limits.max)
    if given == wanted == "f":
        finite = np.isfinite(array)
        with np.errstate(over="ignore"):
            return bool(np.isfinite(array[finite].astype(dtype)).all())
    return given == wanted or (given == "i" and wanted == "f")


def converted(variable: Any, array: np.ndarray) -> np.ndarray:
    """The array in the variable's dtype."""
    return np.ascontiguousarray(array, dtype=variable.dtype.numpy_dtype).reshape(array.shape)


def told(problems: list[str], what: str) -> str:
    """One text of all problems, the first dozen in full."""
    more = len(problems) - _MOST_TOLD
    lines = [what + ":", *("  " + problem for problem in problems[:_MOST_TOLD])]
    if more > 0:
        lines.append(f"  and {more} more")
    return "\n".join(lines)
