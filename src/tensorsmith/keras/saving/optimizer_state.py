"""The optimizer's variables in a file: the orders of both Keras generations.

Keras 3, and this library, keep iteration, learning rate, averages, slots, and for Nadam a running product last.
Keras 2 keeps neither the rate (it stands in the config) nor the product, and holds momenta of SGD where it has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorsmith.exchange.safety import refusal
from tensorsmith.keras.saving import matching

# the slots that Keras 2 names, by optimizer: those of one inner tuple are stored variable by variable
_SLOTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "SGD": (("m",),),
    "RMSprop": (("velocity",), ("momentum",), ("average_gradient",)),
    "Adam": (("m", "v"), ("vhat",)),
    "AdamW": (("m", "v"), ("vhat",)),
    "Adamax": (("m", "u"),),
    "Nadam": (("m", "v"),),
    "Adagrad": (("accumulator",),),
    "Adadelta": (("accumulated_grad", "accumulated_delta_var"),),
    "Ftrl": (("accumulator", "linear"),),
    "Lion": (("m",),),
}


def to_keras3(optimizer: Any) -> list[np.ndarray]:
    """The arrays in the order of Keras 3."""
    return [variable.numpy() for variable in optimizer.variables]


def to_keras2(optimizer: Any, trainable: list[Any]) -> list[tuple[str, np.ndarray]]:
    """The arrays in the order of Keras 2, with its names.

    trainable  the variables that the optimizer changes, in order.
    """
    name = type(optimizer).__name__
    head, rest = _split(optimizer)
    found = [("iteration:0", head.numpy().astype("int64"))]
    # without a slot yet: it was not built
    names = _slot_names(name, optimizer, trainable)
    values = [variable.numpy() for variable in rest]
    if name == "SGD" and not values and optimizer.built:
        values = [np.zeros(tuple(v.shape), v.dtype.numpy_dtype) for v in trainable]
    if len(names) != len(values):  # a user's optimizer: names say nothing then, only the order counts
        names = [f"{name}/{number}/{variable.name}:0" for number, variable in enumerate(rest)]
    return found + list(zip(names, values, strict=True))


def _split(optimizer: Any) -> tuple[Any, list[Any]]:
    """The counter of steps, and the variables that Keras 2 knows too."""
    variables = list(optimizer.variables)
    rate = getattr(optimizer, "_learning_rate", None)
    rest = [v for v in variables[1:] if v is not rate]
    if _has_product(optimizer, rest):
        rest = rest[:-1]
    return variables[0], rest


def _has_product(optimizer: Any, rest: list[Any]) -> bool:
    """True for Nadam's running product of momenta, which Keras 3 stores last and Keras 2 computes anew."""
    return type(optimizer).__name__ == "Nadam" and len(rest) > 0 and len(rest) % 2 == 1 and tuple(rest[-1].shape) == ()


def _slot_names(name: str, optimizer: Any, trainable: list[Any]) -> list[str]:
    settings = optimizer.get_config()
    groups = _SLOTS.get(name, ())
    if name == "RMSprop":
        groups = (
            groups[:1]
            + (groups[1:2] if settings.get("momentum") else ())
            + (groups[2:] if settings.get("centered") else ())
        )
    elif not settings.get("amsgrad"):
        groups = groups[:1]
    if not optimizer.built:
        return []
    if settings.get("use_ema"):
        groups = (("average",), *groups)
    return [f"{name}/{slot}/{v.path}:0" for group in groups for v in trainable for slot in group]


# ---- back


def plan(
    optimizer: Any, arrays: list[np.ndarray], names: list[str] | None, generation: int, file: Any
) -> matching.Plan:
    """Which array goes into which variable of a built optimizer; ModelFileError with both lists if they do not fit."""
    variables = list(optimizer.variables)
    if not arrays:
        return matching.Plan()
    tries = [arrays]
    if generation == 2:
        tries.insert(0, _from_keras2(optimizer, arrays, names))
    # a compiled model that was never trained has made no slots: the counter, and in Keras 3 the rate
    fresh = (
        1 if generation == 2 else len(variables) - len(_split(optimizer)[1]) - _has_product(optimizer, variables[1:])
    )
    for candidate in tries:
        found = matching.Plan()
        found.add("optimizer", variables, candidate)
        if not found.problems:
            return found
    if len(arrays) <= max(fresh, 2) and all(a.shape == () for a in arrays):
        found = matching.Plan()
        found.add("optimizer", variables[: len(arrays)], arrays)
        if not found.problems:
            return found
    wanted = ", ".join(f"{v.name} {tuple(v.shape)}" for v in variables)
    labels = names or [""] * len(arrays)
    stored = ", ".join(f"{label} {a.shape}".strip() for label, a in zip(labels, arrays, strict=True))
    raise refusal(
        file,
        f"the state of its optimizer does not fit {type(optimizer).__name__}:\n"
        f"  the optimizer has {len(variables)} ({wanted[:600]})\n  the file {len(arrays)} ({stored[:600]})",
        way_out="\nload_model(..., compile=False) leaves the optimizer out.",
    )


def _from_keras2(optimizer: Any, arrays: list[np.ndarray], names: list[str] | None) -> list[np.ndarray]:
    """The arrays of Keras 2 in the order of Keras 3; what it does not store is computed or kept."""
    variables = list(optimizer.variables)
    rest = _split(optimizer)[1]
    slots = _interleaved(arrays[1:], names[1:] if names else [])
    if type(optimizer).__name__ == "SGD" and not rest:
        slots = []
    found = [arrays[0]]
    rate = getattr(optimizer, "_learning_rate", None)
    if rate is not None and any(v is rate for v in variables):
        found.append(rate.numpy())
    found += slots
    if _has_product(optimizer, variables[1:] if rate is None else [v for v in variables[1:] if v is not rate]):
        found.append(np.asarray(_product(float(optimizer.get_config()["beta_1"]), int(arrays[0])), "float32"))
    return found


def _interleaved(arrays: list[np.ndarray], names: list[str]) -> list[np.ndarray]:
    """Slots of Keras up to 2.10 (`Adam/dense/kernel/m:0`), stored slot by slot, in the later order."""
    kinds = [name.split(":")[0].rsplit("/", 1)[-1] for name in names]
    order = list(dict.fromkeys(kinds))
    if not names or not set(order) <= {"m", "v", "vhat", "u", "accumulator", "linear", "accum_grad", "accum_var"}:
        return arrays
    groups = [[a for a, k in zip(arrays, kinds, strict=True) if k == kind] for kind in order]
    if len(groups) < 2 or len(groups[0]) != len(groups[1]):
        return arrays
    first = [value for pair in zip(groups[0], groups[1], strict=True) for value in pair]
    return first + [value for group in groups[2:] for value in group]


def _product(beta: float, steps: int) -> float:
    """Nadam's product of momenta after so many steps: beta * (1 - 0.96**t / 2) for t = 1, 2, ..., steps."""
    product = 1.0
    for step in range(1, steps + 1):
        product *= beta * (1.0 - 0.5 * 0.96**step)
        if product == 0.0:  # from here on it stays so, however many steps a file claims
            break
    return product
