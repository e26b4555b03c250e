"""tf.saved_model: a module or model with its variables and traced functions in a folder, without Python code, and back.

The folder holds `saved_model.json` (objects, functions, programs) and `arrays.safetensors` (variables and constants).
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange import atomic
from tensorsmith.exchange.arrays import Reader, Writer
from tensorsmith.exchange.loaded import LoadedModule
from tensorsmith.exchange.objects import ObjectReader, ObjectWriter
from tensorsmith.exchange.reading import Place
from tensorsmith.exchange.safety import checked_path, parse_json, quoted, refusal
from tensorsmith.exchange.signatures import chosen

MODEL, ARRAYS = "saved_model.json", "arrays.safetensors"
FILES = (MODEL, ARRAYS)
FORMAT, VERSION = "tensorsmith.saved_model", 1


class SaveOptions:
    """Taken as `tf.saved_model.SaveOptions` is; nothing in it changes what is written here."""

    def __init__(self, **kwargs: Any) -> None:
        self.given = kwargs


class LoadOptions(SaveOptions):
    """Taken as `tf.saved_model.LoadOptions` is; nothing in it changes what is read here."""


def save(obj: Any, export_dir: Any, signatures: Any = None, options: Any = None) -> None:
    """Writes a module or a model with its variables and the traced forms of its functions to a folder.

    obj         a `tf.Module`, a Keras layer or model, or what `load` gave.
    export_dir  the folder; folders above it are made. An older saved model in it is replaced as a whole.
    signatures  a traced function, or a dict of them by name, to be called by argument names
                (`loaded.signatures["serving_default"]`). By default the one function that has an `input_signature`.

    Functions are saved in the forms in which they were traced, or by their `input_signature`. No Python code is written.

    Raises ValueError, naming the operation and its line, for a function that holds what is no data, such as a call of
    Python code; TypeError for an object that cannot be saved.

    >>> import os, tempfile, tensorsmith as tf
    >>> class Scale(tf.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = tf.Variable(3.0)
    ...     @tf.function(input_signature=[tf.TensorSpec([None])])
    ...     def __call__(self, x):
    ...         return x * self.factor
    >>> path = os.path.join(tempfile.mkdtemp(), "scale")
    >>> tf.saved_model.save(Scale(), path)
    >>> tf.saved_model.load(path)([1.0, 2.0]).numpy()
    array([3., 6.], dtype=float32)
    """
    arrays = Writer()
    writer = ObjectWriter(arrays)
    root = writer.add(obj, "the object")
    named = chosen(obj, signatures)
    content = writer.content(root, named)
    text = _text(content)
    path = os.path.abspath(os.fsdecode(export_dir))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    path = atomic.checked_target(path)

    def fill(folder: str) -> None:
        with open(os.path.join(folder, ARRAYS), "wb") as file:
            digest = arrays.write(file)
        head = {"format": FORMAT, "version": VERSION, "arrays": digest, "sha256": _digest(text), "content": content}
        with open(os.path.join(folder, MODEL), "w", encoding="utf-8") as file:
            file.write(json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False))

    atomic.write_folder(path, fill, FILES)


def load(export_dir: Any, tags: Any = None, options: Any = None) -> LoadedModule:
    """Reads what `save` wrote: an object with the same variables and functions, which needs none of the code they came from.

    Its functions can be called, differentiated under a tape, traced into other functions, and saved again.

    Raises FileNotFoundError where there is nothing; ModelFileError, naming the file and the place in it, for what is
    damaged, was written by something else, or asks for what no saved model may.
    """
    path = checked_path(export_dir)
    atomic.recover_folder(os.path.abspath(path))
    if not os.path.isdir(path):
        raise refusal(path, "it is a file, and a saved model is a folder", way_out=_WAY_OUT)
    file = os.path.join(path, MODEL)
    if not os.path.isfile(file):
        _refuse_others(path)
    try:
        with open(file, "rb") as opened:
            data = opened.read()
    except OSError as error:
        raise refusal(file, f"it cannot be read ({error.strerror})") from error
    head = Place(parse_json(data, file, "the file"), file, "the file")
    form, version, digest, own, content = _head(head)
    if form.text() != FORMAT:
        raise form.refuse(f"{quoted(form.value, 60)!r} is not {FORMAT!r}")
    if version.number(2**31) > VERSION:
        raise version.refuse(f"its format is {version.value}, the newest known here {VERSION}", "Update Tensorsmith.")
    if _digest(_text(content.value)) != own.text():
        raise content.refuse("it is damaged: its digest is not the one that was saved with it")
    arrays = os.path.join(path, ARRAYS)
    if not os.path.isfile(arrays):
        raise refusal(path, f"there is no {ARRAYS} in it")
    try:
        return ObjectReader(Reader(arrays, digest.text())).root(Place(content.value, file, "content"))
    except ModelFileError:
        raise
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError, OverflowError) as error:
        raise refusal(path, f"it is not as it must be ({quoted(str(error))})") from error


_WAY_OUT = "A file is read by keras.models.load_model."


def _head(head: Place) -> list[Place]:
    return head.fields("format", "version", "arrays", "sha256", "content")


def _refuse_others(path: str) -> None:
    names = set(os.listdir(path))
    if names & {"saved_model.pb", "saved_model.pbtxt"}:
        raise refusal(
            path,
            "it was saved by TensorFlow, whose SavedModel holds operations of TensorFlow's runtime",
            way_out="In TensorFlow, save the model with model.save('name.keras') or its weights with "
            "model.save_weights('name.weights.h5'), which keras.models.load_model and load_weights read here.",
        )
    if "config.json" in names:
        raise refusal(path, "it is a Keras model saved as a folder", way_out="keras.models.load_model reads it.")
    raise refusal(path, f"there is no {MODEL} in it")


def contains_saved_model(export_dir: Any) -> bool:
    """Whether there is a folder at this path that `load` could read."""
    try:
        return os.path.isfile(os.path.join(os.fsdecode(export_dir), MODEL))
    except (TypeError, ValueError):
        return False


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
