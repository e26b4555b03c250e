"""The weights of a model's layers in order, as legacy .h5 files hold them, and back."""

from __future__ import annotations

from typing import Any

from tensorsmith.core.errors import warn
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras.saving import hdf5, matching
from tensorsmith.keras.saving.weights import own_variables


def collect(model: Any, dialect: str = "common") -> tuple[list[tuple[str, hdf5.Named]], hdf5.Named]:
    """(the weights of each layer, those of the model itself), named as the dialect does."""
    end = "" if dialect == "k3" else ":0"
    layers = [(layer.name, _named(layer.weights, layer.name, end)) for layer in model.layers]
    # a Sequential model has no entry for its Input in either generation
    return layers, _named(own_variables(model), model.name, end)


def _named(variables: list[Any], owner: str, end: str) -> hdf5.Named:
    found: hdf5.Named = []
    used: dict[str, int] = {}
    for variable in variables:
        path = str(getattr(variable, "path", None) or variable.name.split(":")[0])
        path = "/".join(part for part in path.split("/") if part not in ("", ".", "..")) or "variable"
        if path.split("/")[0] != owner:
            path = f"{owner}/{path}"
        number = used[path] = used.get(path, -1) + 1
        found.append((f"{path}_{number}{end}" if number else f"{path}{end}", variable.numpy()))
    return found


def plan(
    model: Any, stored: hdf5.Contents, file: Any, skip_mismatch: bool = False, by_name: bool = False
) -> matching.Plan:
    """Which array goes into which variable; ModelFileError when they do not fit.

    Layers without weights are left out on both sides, and the rest matched in order, or by name: always in a file
    whose names are all the model's, and with `by_name` for those that are.
    """
    there = [(name, weights) for name, weights in stored.layers if weights]
    layers = [layer for layer in model.layers if layer.weights]
    names = [layer.name for layer in layers]
    found = matching.Plan()
    by_names = dict(there)
    if by_name or sorted(names) == sorted(by_names):
        pairs = [(layer, by_names[layer.name]) for layer in layers if layer.name in by_names]
    elif len(there) != len(layers):
        unbuilt = [layer.name for layer in model.layers if not layer.built]
        more = f"; not built yet: {', '.join(unbuilt[:8])}. Call the model on data before loading" if unbuilt else ""
        found.problems.append(
            f"the model has {len(layers)} layers with weights ({quoted(', '.join(names), 300)}), "
            f"the file {len(there)} ({quoted(', '.join(name for name, _ in there), 300)}){more}"
        )
        pairs = []
    else:
        pairs = list(zip(layers, (weights for _, weights in there), strict=True))
    for layer, weights in pairs:
        found.add(f"layer {layer.name!r}", layer.weights, [value for _, value in weights], layer)
    if not by_name or stored.top:
        found.add("the model itself", own_variables(model), [value for _, value in stored.top], model)
    if found.problems and not skip_mismatch:
        raise refusal(file, matching.told(found.problems, f"its weights do not fit the model {model.name!r}"))
    if found.problems:
        warn(matching.told(found.problems, f"{quoted(str(file))!r}: skipped, as they do not fit"))
    return found
