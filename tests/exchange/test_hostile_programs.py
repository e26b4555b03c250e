"""Saved models that are damaged or mean harm: every one is refused by one kind of error that says the place."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange.saved_model import _digest, _text


class Small(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable([[1.0], [2.0]], name="w")
        self.parts = [self.w]

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def f(self, x):
        with tf.GradientTape() as tape:
            loss = y = tf.reduce_sum(tf.matmul(x, self.w) * [1.0, 2.0, 3.0, 4.0, 5.0])
        if y > 0.0:
            y = -y
        self.w.assign_sub(tape.gradient(loss, self.w))
        return y, tf.cast(tf.reshape(x, [-1]), tf.float64)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "good"
    tf.saved_model.save(Small(), path)
    return path


def changed(good: Path, tmp_path: Path, change: Callable[[Any], Any]) -> Path:
    """The saved model with other content, and the digest that fits it: who means harm can compute it too."""
    path = tmp_path / "bad"
    shutil.copytree(good, path)
    head = json.loads((path / "saved_model.json").read_text())
    content = copy.deepcopy(head["content"])
    change(content)
    head.update(content=content, sha256=_digest(_text(content)))
    (path / "saved_model.json").write_text(json.dumps(head))
    return path


def program(content: Any) -> Any:
    return content["forms"][0]["program"]


def node(content: Any, op: str) -> Any:
    return next(n for n in program(content)["nodes"] if n["op"] == op)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"tuple": [value]}
    return value


def nested_programs(content: Any) -> None:
    branch = node(content, "cond")
    for _ in range(40):
        inner = copy.deepcopy(branch["settings"]["then"])
        inner["program"]["nodes"] = [copy.deepcopy(branch)]
        branch["settings"]["then"] = inner
        if len(json.dumps(content)) > 10**6:
            break


HARM: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an operation that there is not": (
        lambda c: node(c, "matmul").update(op="os.system"),
        "there is no operation 'os.system'",
    ),
    "a name with control signs": (
        lambda c: node(c, "matmul").update(op="\x1b[2J"),
        r"there is no operation '\\\\x1b\[2J'",
    ),
    "a setting that there is not": (
        lambda c: node(c, "matmul")["settings"].update(code="x"),
        "'matmul' has no setting 'code'",
    ),
    "a setting of another type": (
        lambda c: node(c, "matmul")["settings"].update(transpose_a="yes"),
        "'transpose_a' of 'matmul' is bool, not yes",
    ),
    "a missing setting": (
        lambda c: node(c, "cast")["settings"].pop("dtype"),
        "the setting 'dtype' of 'cast' is missing",
    ),
    "an unknown tag": (
        lambda c: node(c, "matmul")["settings"].update(transpose_a={"pickle": "gASV"}),
        "'pickle' is no kind of value",
    ),
    "two tags": (
        lambda c: node(c, "matmul")["settings"].update(transpose_a={"tuple": [], "dict": []}),
        "a value has one tag",
    ),
    "too deep": (lambda c: node(c, "matmul")["settings"].update(transpose_a=deep(70)), "nested too deeply"),
    "too deep for JSON": (
        lambda c: node(c, "matmul")["settings"].update(transpose_a=deep(300)),
        "deeper than 200 levels",
    ),
    "programs in programs": (nested_programs, "nested too deeply|deeper than 200 levels"),
    "a value used before it is made": (
        lambda c: node(c, "matmul").update(inputs=[node(c, "matmul")["outputs"][0]] * 2),
        "is used before it is made",
    ),
    "a cycle": (lambda c: program(c)["nodes"].reverse(), "is used before it is made"),
    "a value made twice": (lambda c: node(c, "reshape").update(outputs=node(c, "matmul")["outputs"]), "is made twice"),
    "a value that there is not": (lambda c: node(c, "matmul").update(inputs=[999, 0]), r"999 is not from 0 to \d+"),
    "a negative value": (lambda c: node(c, "matmul").update(inputs=[-2, 0]), r"-2 is not from 0"),
    "an argument too few": (lambda c: node(c, "matmul").update(inputs=[0]), "its groups do not add up to its inputs"),
    "an argument left out": (lambda c: node(c, "matmul").update(inputs=[0, -1]), "'b' of 'matmul' is missing"),
    "a list for one": (lambda c: node(c, "matmul").update(groups=[1, 1]), "'a' of 'matmul' is one array"),
    "another number of arrays": (
        lambda c: node(c, "matmul").update(inputs=[0], groups=[None]),
        "'matmul' takes 2 arrays, not 1",
    ),
    "a huge shape": (lambda c: program(c)["values"][0].__setitem__(1, [2**30, 2**30]), "is too large"),
    "a huge size": (lambda c: program(c)["values"][0].__setitem__(1, [2**40]), "is not from 0 to 2147483647"),
    "many axes": (lambda c: program(c)["values"][0].__setitem__(1, [1] * 40), "is too large"),
    "a negative size": (lambda c: program(c)["values"][0].__setitem__(1, [-1]), "-1 is not from 0"),
    "a broken size": (lambda c: program(c)["values"][0].__setitem__(1, [1.5]), "1.5 is no whole number"),
    "no dtype": (lambda c: program(c)["values"][0].__setitem__(0, "O"), "'O' is no dtype"),
    "a variable that there is not": (lambda c: program(c)["captures"][0].__setitem__(0, 9), "9 is not from 0 to 0"),
    "a variable of another shape": (
        lambda c: program(c)["values"][program(c)["captures"][0][1]].__setitem__(1, [5, 5]),
        "the variable is float32",
    ),
    "a variable of another dtype": (
        lambda c: c["variables"][0].update(dtype="int32"),
        "the value is float32 and the variable int32",
    ),
    "a constant of another shape": (
        lambda c: program(c)["constants"][0][1].update(shape=[7]),
        "elements are not those of shape",
    ),
    "a constant that there is not": (
        lambda c: program(c)["constants"][0][1].update(data="/etc/passwd"),
        "there is no array '/etc/passwd'",
    ),
    "outputs that nobody made": (lambda c: program(c)["outputs"].__setitem__(0, 10**6), "is not from 0"),
    "more outputs": (lambda c: program(c)["outputs"].append(0), "there are 3 outputs, which is not what it returns"),
    "other arguments": (
        lambda c: c["forms"][0].update(arguments={"tuple": [{"tuple": []}, {"dict": []}]}),
        "they are not the inputs",
    ),
    "arguments of no form": (lambda c: c["forms"][0].update(arguments=3), "arguments are a tuple and a dict"),
    "an object that there is not": (lambda c: c["objects"][0]["parts"].update(f=77), "77 is not from 0"),
    "an attribute of Python's": (
        lambda c: c["objects"][0]["parts"].update(__class__=0),
        "'__class__' is no name of an attribute",
    ),
    "an attribute of the class": (lambda c: c["objects"][0]["parts"].update(variables=0), "'variables' is no name"),
    "an attribute that is none": (lambda c: c["objects"][0]["parts"].update({"a b": 0}), "'a b' is no name"),
    "an object of no kind": (lambda c: c["objects"][0].update(kind="os"), "it is of no known kind"),
    "a root that is no module": (
        lambda c: c.update(root=next(i for i, o in enumerate(c["objects"]) if o["kind"] == "list")),
        "the outermost object is no module",
    ),
    "an unknown field": (lambda c: c.update(lambda_="code"), "'lambda_' is not known here"),
    "a missing field": (lambda c: c.pop("forms"), "there is no 'forms'"),
    "a signature of other names": (
        lambda c: c["signatures"]["serving_default"].update(inputs=["a", "b"]),
        "its names are not as many",
    ),
    "a record with code for a name": (
        lambda c: c["forms"][0].update(results={"record": ["P", ["a\nimport os", "b"], [1, 2]]}),
        "a name in it is none",
    ),
    "a parameter with code for a name": (
        lambda c: next(o for o in c["objects"] if o["kind"] == "function")["parameters"][0].__setitem__(0, "x=print()"),
        "it is no parameter",
    ),
    "a gradient of nothing": (lambda c: node(c, "gradient")["settings"].update(targets=0), "do not add up"),
    "a gradient by more than there is": (lambda c: node(c, "gradient")["settings"].update(sources=5), "do not add up"),
    "a gradient of no kind": (
        lambda c: node(c, "gradient")["settings"].update(mode="pickle"),
        "'pickle' is no kind of gradient",
    ),
    "a gradient by a text": (
        lambda c: node(c, "gradient")["settings"].update(stops="x"),
        "'stops' of 'gradient' is a number",
    ),
    "a whole number without end": (
        lambda c: node(c, "matmul")["settings"].update(transpose_a={"int": "9" * 5000}),
        "is no whole number",
    ),
}


@pytest.mark.parametrize("kind", HARM)
def test_harm_is_refused_with_the_file_and_the_place(good: Path, tmp_path: Path, kind: str) -> None:
    change, message = HARM[kind]
    path = changed(good, tmp_path, change)
    with pytest.raises(ModelFileError, match=message) as caught:
        tf.saved_model.load(path)
    text = str(caught.value)
    assert text.startswith(f"The model file {str(path / 'saved_model.json')!r} cannot be loaded: in ")
    assert len(text) <= 2000 and text.isprintable()


def test_the_content_as_it_was_is_taken(good: Path, tmp_path: Path) -> None:
    path = changed(good, tmp_path, lambda content: None)
    y, flat = tf.saved_model.load(path).f(np.ones([5, 2], "float32"))
    assert flat.shape == (10,) and y.numpy() < 0


@pytest.mark.parametrize("file", ["saved_model.json", "arrays.safetensors"])
def test_files_cut_anywhere_are_refused(good: Path, tmp_path: Path, file: str) -> None:
    path = tmp_path / "cut"
    shutil.copytree(good, path)
    whole = (path / file).read_bytes()
    for at in np.linspace(0, len(whole) - 1, 25).astype(int).tolist():
        (path / file).write_bytes(whole[:at])
        with pytest.raises(ModelFileError):
            tf.saved_model.load(path)


@pytest.mark.parametrize("file", ["saved_model.json", "arrays.safetensors"])
def test_flipped_bits_are_refused_or_change_nothing(good: Path, tmp_path: Path, file: str) -> None:
    path = tmp_path / "flipped"
    shutil.copytree(good, path)
    whole = (path / file).read_bytes()
    expected = tf.saved_model.load(good).f(np.ones([5, 2], "float32"))[0].numpy()
    chance = random.Random(1)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (path / file).write_bytes(data)
        try:
            loaded = tf.saved_model.load(path)
        except ModelFileError:
            refused += 1
        else:
            assert loaded.f(np.ones([5, 2], "float32"))[0].numpy() == expected
    assert refused >= 55


def arrays(header: Any, body: bytes, length: int | None = None) -> bytes:
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text) if length is None else length) + text + body


ARRAYS = {
    "shorter than its length": (lambda h, b: b"\0" * 7, "7 bytes are no file of arrays"),
    "a header longer than the file": (lambda h, b: arrays(h, b, 2**62), "is longer than the file"),
    "a header that is no JSON": (lambda h, b: arrays(b"{" * 8, b), "is no JSON|deeper"),
    "offsets outside": (lambda h, b: arrays({**h, "w": {**h["w"], "data_offsets": [0, 2**40]}}, b), "is not from 0 to"),
    "offsets backwards": (
        lambda h, b: arrays({**h, "w": {**h["w"], "data_offsets": [8, 0]}}, b),
        "bytes are not those of",
    ),
    "a shape larger than its bytes": (
        lambda h, b: arrays({**h, "w": {**h["w"], "shape": [2**30, 2**9]}}, b),
        "bytes are not those of",
    ),
    "an unknown dtype": (lambda h, b: arrays({**h, "w": {**h["w"], "dtype": "OBJ"}}, b), "'OBJ' is no dtype"),
    "a missing array": (lambda h, b: arrays({k: v for k, v in h.items() if k != "w"}, b), "there is no array 'w'"),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_that_are_not_what_they_say(good: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bad"
    shutil.copytree(good, path)
    data = (path / "arrays.safetensors").read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    make, message = ARRAYS[kind]
    bad = make(json.loads(data[8 : 8 + length]), data[8 + length :])
    (path / "arrays.safetensors").write_bytes(bad)
    head = json.loads((path / "saved_model.json").read_text())
    head["arrays"] = hashlib.sha256(bad).hexdigest()
    (path / "saved_model.json").write_text(json.dumps(head))
    with pytest.raises(ModelFileError, match=message):
        tf.saved_model.load(path)


def test_other_things_are_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no model file at"):
        tf.saved_model.load(tmp_path / "absent")
    (tmp_path / "a.keras").write_bytes(b"PK")
    with pytest.raises(ModelFileError, match=r"it is a file, and a saved model is a folder. A file is read by keras"):
        tf.saved_model.load(tmp_path / "a.keras")
    (tmp_path / "theirs" / "variables").mkdir(parents=True)
    with pytest.raises(ModelFileError, match=r"there is no saved_model.json in it"):
        tf.saved_model.load(tmp_path / "theirs")
    (tmp_path / "theirs" / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(ModelFileError, match=r"it was saved by TensorFlow.*model.save_weights\('name.weights.h5'\)"):
        tf.saved_model.load(tmp_path / "theirs")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "'other' is not 'tensorsmith.saved_model'"),
        ({"version": 2}, "its format is 2, the newest known here 1. Update Tensorsmith."),
        ({"sha256": "0"}, "it is damaged: its digest"),
        ({"arrays": "0"}, "it is damaged: its digest"),
    ],
)
def test_the_head_of_the_file(good: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "bad"
    shutil.copytree(good, path)
    head = json.loads((path / "saved_model.json").read_text())
    (path / "saved_model.json").write_text(json.dumps({**head, **change}))
    with pytest.raises(ModelFileError, match=message):
        tf.saved_model.load(path)
    os.unlink(path / "arrays.safetensors")
    if not change.get("format") and not change.get("version") and "arrays" in change:
        with pytest.raises(ModelFileError, match=r"there is no arrays.safetensors in it"):
            tf.saved_model.load(path)
