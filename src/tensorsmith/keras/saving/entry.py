"""save_model, load_model, save_weights, load_weights: which form a path means, and the steps in their order.

Saving collects everything first and then writes once. Loading reads and checks everything first, makes the model,
compares every array with its variable, and then assigns: what fails before that leaves all as it was.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from tensorsmith.core.errors import ModelFileError, warn
from tensorsmith.exchange import atomic, safety
from tensorsmith.exchange.safety import quoted, refusal
from tensorsmith.keras import registry
from tensorsmith.keras.saving import (
    archive,
    dialects,
    hdf5,
    layer_weights,
    optimizer_state,
    tree,
    user_classes,
    weights,
)
from tensorsmith.keras.saving.loading import Loaded

_VERSIONS = {"common": ("2.15.0", "tensorflow"), "k2": ("2.15.0", "tensorflow"), "k3": (archive.KERAS_VERSION, "jax")}

# what Keras 2 code writes at the end of a name that is to become a folder or a checkpoint
_NO_ENDINGS = (".ckpt", ".tf")

_ELSEWHERE = "Load it in TensorFlow, and save it again with save_weights('model.weights.h5')."


# the files of a model saved as a folder, the one that must be there first
FOLDER = ("config.json", "metadata.json", "model.weights.h5")


# ---- saving


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    save_format: str | None = None,
    include_optimizer: bool = True,
    dialect: str | None = None,
    **kwargs: Any,
) -> None:
    """Writes a model: `name.keras`, `name.h5`, or a folder where the name has no ending (or `.ckpt`, as in Keras 2).

    include_optimizer  False leaves out what `compile` set.
    dialect            "common" (both Keras generations, where one file can serve both), "k2" or "k3".

    The old file stays whole until the new one is; a failure leaves it as it was.
    """
    dialect = dialects.check(dialect)
    for other in ("signatures", "options", "save_traces", "zipped"):  # they speak of TensorFlow's graphs
        kwargs.pop(other, None)
    if kwargs:
        raise TypeError(f"save() got unexpected arguments: {', '.join(map(repr, kwargs))}.")
    form = _form(filepath, save_format)
    path = atomic.checked_target(filepath, overwrite)
    try:
        with registry.saving(os.fspath(filepath)):
            if form == "h5":
                data = tree.write(_h5_tree(model, include_optimizer, dialect))
            else:
                files = archive.members(_archive_contents(model, include_optimizer, dialect))
    except Exception as error:
        error.add_note(f"while saving the model {model.name!r} to {os.fspath(filepath)!r}, which was left as it is")
        raise
    if form == "h5":
        _write_hdf5(path, data)
    elif form == "keras":
        atomic.write_file(
            path, lambda file: archive.pack(files, file), lambda temporary: archive.check(temporary, files)
        )
    else:
        atomic.write_folder(path, lambda folder: _fill_folder(folder, files), FOLDER)


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None, **kwargs: Any
) -> None:
    """Writes the weights of a model.

    `name.weights.h5` or a name without ending: every object's by its path, with the optimizer's state. Another `.h5`:
    those of the layers in order, as Keras 2 does.
    """
    name = os.fsdecode(filepath)
    path = atomic.checked_target(name, overwrite)
    if not model.built and not model.weights:
        raise ValueError(
            f"The model {model.name!r} has no weights to save yet: call it on data, or build(input_shape) it, first."
        )
    by_path = name.endswith(".weights.h5")
    if not by_path and (name.endswith((".h5", ".hdf5")) or save_format == "h5"):
        layers, top = layer_weights.collect(model)
        version, backend = _VERSIONS["common"]
        content = hdf5.write(hdf5.Contents(layers=layers, top=top, version=version, backend=backend))
    else:
        if not by_path:
            _refuse_other_endings(name, (".weights.h5", ".h5"))
        content = weights.to_tree(model, _optimizer_arrays(model))
    _write_hdf5(path, tree.write(content))


def _form(filepath: Any, save_format: str | None) -> str:
    name = os.fsdecode(filepath)
    if save_format not in (None, "keras", "h5", "tf", "tensorflow"):
        raise ValueError(f"save_format must be 'keras', 'h5' or 'tf'; given {save_format!r}.")
    if name.endswith(".keras"):
        return "keras"
    if name.endswith((".h5", ".hdf5")):
        return "h5"
    if save_format in ("keras", "h5"):
        return save_format
    if save_format is None:
        _refuse_other_endings(name, (".keras", ".h5"))
    return "folder"


def _refuse_other_endings(name: str, known: tuple[str, ...]) -> None:
    # a digit first is no ending but a version: "model_v1.2"
    ending = re.search(r"\.[A-Za-z]\w{0,9}$", os.path.basename(name))
    if ending and ending.group() not in _NO_ENDINGS:
        raise ValueError(
            f"A model cannot be saved to {name!r}: the ending {ending.group()!r} is not known. "
            f"Use {' or '.join(known)}, or a name without ending."
        )


def _serialized(model: Any, include_optimizer: bool) -> dict[str, Any]:
    """The model as data, its compile config in `compile_config`."""
    if not model.built and not hasattr(model, "_sequence"):
        raise ValueError(
            f"The model {model.name!r} cannot be saved yet: it has no weights. Call it on data, or fit it, first."
        )
    data = dict(registry.serialize_keras_object(model))
    data.pop("compile_config", None)
    build = model.get_build_config()
    if build is not None:
        data["build_config"] = build
    if include_optimizer and model.compiled:
        data["compile_config"] = model.get_compile_config()
    return data


def _optimizer_arrays(model: Any) -> list[np.ndarray] | None:
    optimizer = getattr(model, "optimizer", None)
    return None if optimizer is None else optimizer_state.to_keras3(optimizer)


def _archive_contents(model: Any, include_optimizer: bool, dialect: str) -> archive.Contents:
    state = None
    if include_optimizer and getattr(model, "optimizer", None) is not None:
        if dialect == "k2":
            state = [value for _, value in optimizer_state.to_keras2(model.optimizer, model.trainable_variables)]
        else:
            state = optimizer_state.to_keras3(model.optimizer)
    config = dialects.for_archive(_serialized(model, include_optimizer), dialect)
    version = _VERSIONS["k2"][0] if dialect == "k2" else archive.KERAS_VERSION
    return archive.Contents(config, weights.to_tree(model, state), version)


def _h5_tree(model: Any, include_optimizer: bool, dialect: str) -> tree.Group:
    data = _serialized(model, include_optimizer)
    compile_config = data.pop("compile_config", None)
    config = dialects.for_h5(data, dialect)
    subclassed = "layers" not in config["config"]
    version, backend = _VERSIONS["k3" if subclassed and dialect == "common" else dialect]
    layers, top = layer_weights.collect(model, "k3" if version.startswith("3") else "k2")
    contents = hdf5.Contents(config, layers=layers, top=top, version=version, backend=backend)
    if subclassed:
        contents.build = data.get("build_config")
    if compile_config is not None:
        contents.training = dialects.training(compile_config, "k3" if version.startswith("3") else dialect)
        if model.optimizer is not None:
            if version.startswith("3"):
                arrays = optimizer_state.to_keras3(model.optimizer)
                contents.optimizer = [
                    (f"{n}_{v.name}", a) for n, (v, a) in enumerate(zip(model.optimizer.variables, arrays, strict=True))
                ]
            else:
                contents.optimizer = optimizer_state.to_keras2(model.optimizer, model.trainable_variables)
    return hdf5.write(contents)


def _write_hdf5(path: str, data: bytes) -> None:
    def check(temporary: str) -> None:
        # the digest in the file is compared while it is read
        tree.read(temporary, temporary, len(data))

    atomic.write_file(path, lambda file: file.write(data), check)


def _fill_folder(folder: str, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        with open(os.path.join(folder, name), "xb") as file:
            file.write(data)
    if archive._read_folder(folder) != files:
        raise refusal(folder, "what was written reads back differently", way_out="Is the disk sound?")


# ---- loading


def load_model(
    filepath: Any,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """The model in a file or folder, ready to predict and, where it was compiled, to train on.

    custom_objects  the user's own classes and functions that the file names: `{"huber_fn": huber_fn}`.
    compile         False: losses, metrics and optimizer of the file are not looked at.
    safe_mode       kept for the sake of Keras code: code stored in a file (of Lambda layers) is never run; give the
                    function in custom_objects.

    Raises FileNotFoundError, and ModelFileError for everything that is wrong with the file.
    """
    path = _existing(filepath)
    kind = safety.kind_of(path)
    custom = dict(custom_objects or {})
    if kind == "hdf5":
        content = tree.read(path, path, safety.size_of(path))
        stored = hdf5.read(content, path) if hdf5.is_legacy(content) else hdf5.Contents()
        loaded = Loaded.of_h5(path, stored, custom)
    else:
        loaded = Loaded.of_archive(path, archive.read(path), custom)
    if kind == "folder":
        # as with a SavedModel, classes of this process need not be given again
        custom = {**user_classes.known(), **custom}
    return loaded.model(custom, compile, safe_mode)


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, **kwargs: Any) -> None:
    """Sets the weights of a model from a file; ModelFileError, and nothing changed, when they do not fit.

    skip_mismatch  True: what does not fit is left out, with one warning that lists it.
    by_name        True: layers are matched by name; the others keep their weights. Only in legacy .h5 files.
    """
    path = _existing(filepath)
    kind = safety.kind_of(path)
    content, state, generation = None, None, 3
    if kind == "hdf5":
        content = tree.read(path, path, safety.size_of(path))
        if hdf5.is_legacy(content):
            plan = layer_weights.plan(model, hdf5.read(content, path), path, skip_mismatch, by_name)
            plan.carry_out(path)
            return
    else:
        stored = archive.read(path)
        content, generation = stored.weights, stored.generation
    if by_name:
        raise ValueError(f"by_name=True works for legacy .h5 files only; {quoted(str(path))!r} holds weights by path.")
    plan = weights.plan(model, content, path, skip_mismatch)
    state = weights.optimizer_arrays(content, path)
    optimizer = getattr(model, "optimizer", None)
    if state is not None and optimizer is not None:
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        # a Keras 2 file of weights does not say so; its optimizer has no learning rate
        for each in (generation, 2):
            try:
                plan.pairs += optimizer_state.plan(optimizer, state, None, each, path).pairs
                break
            except ModelFileError:
                continue
        else:
            warn(f"{path!r}: the state of its optimizer does not fit and was left out.")
    plan.carry_out(path)


def _existing(filepath: Any) -> str:
    path = os.fspath(filepath)
    path = os.fsdecode(path) if isinstance(path, bytes) else path
    if not os.path.exists(path) and "\0" not in path:
        # a saver may have been stopped between putting the old folder aside and the new one in its place
        atomic.recover_folder(os.path.abspath(path))
        if os.path.exists(path + ".index"):
            raise refusal(path, "it is a TensorFlow checkpoint, which is not read here", way_out=_ELSEWHERE)
    return safety.checked_path(path)
