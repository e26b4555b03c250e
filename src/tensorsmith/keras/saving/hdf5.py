"""The legacy .h5 file, both ways: a whole model, or the weights of its layers in order.

    /                      model_config, training_config, keras_version, backend
    /model_weights         layer_names; one group a layer with weight_names, arrays below them
    /optimizer_weights     weight_names, arrays below them

A weights-only file is the content of /model_weights at the root. Names are opaque: layers are matched in order, weights
by position. They are read through the lists of names, because HDF5 orders children by the alphabet (bias, kernel).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tensorsmith.exchange import safety
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras.saving.tree import Group

TOP = "top_level_model_weights"

Named = list[tuple[str, np.ndarray]]


@dataclass
class Contents:
    """What a legacy file holds.

    config     {"class_name", "config"} of the model; None in a weights-only file.
    training   the arguments of `compile`; None when the model was not compiled.
    layers     (name, weights) of each layer, in order; weights are (name, array) in order.
    top        weights made by the model object itself.
    optimizer  variables in order; None when there are none.
    build      what the model was built with: only in files of subclassed models that we wrote.
    """

    config: Any = None
    training: Any = None
    layers: list[tuple[str, Named]] = field(default_factory=list)
    top: Named = field(default_factory=list)
    optimizer: Named | None = None
    build: Any = None
    version: str = "1"
    backend: str = ""

    @property
    def generation(self) -> int:
        return 3 if self.version.split(".")[0] == "3" else 2


def is_legacy(tree: Group) -> bool:
    """True for a whole model or layer weights; False for weights by path (`.weights.h5`)."""
    return "model_config" in tree.attributes or tree.strings("layer_names") is not None


def read(tree: Group, file: Any) -> Contents:
    """What the tree of an .h5 file says; ModelFileError where it is not of the legacy layout."""
    found = Contents(version=_text(tree, "keras_version", file) or "1", backend=_text(tree, "backend", file) or "")
    config = _text(tree, "model_config", file)
    holder: Any = tree
    if config is not None:
        found.config = safety.parse_json(config, file, "model_config")
        training = _text(tree, "training_config", file)
        found.training = None if training is None else safety.parse_json(training, file, "training_config")
        build = _text(tree, "build_config", file)
        found.build = None if build is None else safety.parse_json(build, file, "build_config")
        holder = tree.children.get("model_weights")
        if not isinstance(holder, Group):
            raise refusal(file, "it has no group 'model_weights'", way_out="Was it saved whole?")
        # files of TF up to 2.2 say the version only here
        found.version = found.version if found.version != "1" else _text(holder, "keras_version", file) or "1"
        unknown = set(tree.children) - {"model_weights", "optimizer_weights"}
        if unknown:
            raise refusal(file, f"it holds unknown groups: {quoted(sorted(unknown))}")
    names = holder.strings("layer_names")
    if names is None:
        raise refusal(file, "the list of its layers ('layer_names') is missing", "weights")
    if len(set(names)) != len(names):
        raise refusal(file, "a layer stands twice in 'layer_names'", "weights")
    unknown = set(holder.children) - {*names, TOP}
    if unknown:
        raise refusal(file, f"groups stand in no list of layers: {quoted(sorted(unknown))}", "weights")
    for name in names:
        found.layers.append((name, _named(holder.children.get(name), file, f"layer {quoted(name)!r}")))
    if TOP in holder.children:
        found.top = _named(holder.children[TOP], file, TOP)
    if "optimizer_weights" in tree.children and config is not None:
        found.optimizer = _named(tree.children["optimizer_weights"], file, "optimizer_weights")
    return found


def _text(group: Group, name: str, file: Any) -> str | None:
    value = group.attributes.get(name)
    if value is not None and not isinstance(value, str):
        raise refusal(file, f"it is {quoted(value)}, not a text", f"attribute {name!r}")
    return value


def _named(group: Any, file: Any, place: str) -> Named:
    """The arrays of a group in the order of its `weight_names`; every array must be named there, once."""
    if not isinstance(group, Group):
        raise refusal(file, "the group is missing", place)
    names = group.strings("weight_names")
    if names is None:
        raise refusal(file, "the list of its weights ('weight_names') is missing", place)
    found = []
    for name in names:
        value = group.at(name)
        if not isinstance(value, np.ndarray):
            raise refusal(file, f"the weight {quoted(name)!r} is missing", place)
        found.append((name, value))
    there = sum(1 for _ in group.arrays())
    if there != len(found) or len(set(names)) != len(names):
        raise refusal(file, f"'weight_names' lists {len(names)} arrays, {there} are stored", place)
    return found


def write(contents: Contents) -> Group:
    """The tree of the file that holds the contents."""
    tree = Group()
    holder = tree
    if contents.config is not None:
        tree.attributes["keras_version"], tree.attributes["backend"] = contents.version, contents.backend
        tree.attributes["model_config"] = safety.write_json(contents.config, "the model's config")
        if contents.training is not None:
            tree.attributes["training_config"] = safety.write_json(contents.training, "the compile config")
        if contents.build is not None:
            tree.attributes["build_config"] = safety.write_json(contents.build, "the build config")
        holder = tree.group("model_weights")
    holder.attributes["keras_version"], holder.attributes["backend"] = contents.version, contents.backend
    holder.set_strings("layer_names", [name for name, _ in contents.layers])
    for name, weights in contents.layers:
        _check_name(name)
        _fill(holder.group(name), weights)
    _fill(holder.group(TOP), contents.top)
    if contents.optimizer is not None:
        _fill(tree.group("optimizer_weights"), contents.optimizer)
    return tree


def _check_name(name: str) -> None:
    if not name or "/" in name or "\0" in name or name in (".", "..", TOP):
        raise ValueError(f"A layer named {name!r} cannot be saved to an .h5 file: give it a name without '/'.")


def _fill(group: Group, weights: Named) -> None:
    group.set_strings("weight_names", [name for name, _ in weights])
    for name, value in weights:
        group.put(name, value)
