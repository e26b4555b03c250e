"""What a file may be and hold: recognition by content, and JSON within bounds."""

import gzip
import os
import pickle
import zipfile

import h5py
import pytest

from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange import safety


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "it is empty. Was the disk full, or a copy interrupted?"),
        (b"\n<!DOCTYPE html><html>not found</html>", "it is a web page. The download gave a page, perhaps an error"),
        (gzip.compress(b"model", mtime=0), "it is a gzip archive. Unpack it first."),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1",
            "it is a Git LFS pointer: the model itself was not fetched.",
        ),
        (pickle.dumps([1]), "it is a pickle, which could run any code: it is never read."),
        (b"\x93NUMPY\x01\x00", "it is a NumPy array: read it with numpy.load."),
        (b'{"class_name": "Sequential"}', "it is a JSON text: keras.models.model_from_json reads those."),
        (b"nothing\x00known", "it is neither a .keras archive nor an HDF5 file (it starts with b'nothing\\x00')."),
    ],
)
def test_other_files_are_told_by_name(tmp_path, content, text):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        safety.kind_of(str(path))
    assert text in str(caught.value) and "model.keras' cannot be loaded: " in str(caught.value)


def test_the_content_decides_and_not_the_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.h5", "w") as archive:
        archive.writestr("config.json", "{}")
    h5py.File(tmp_path / "b.keras", "w").close()
    assert safety.kind_of(str(tmp_path / "a.h5")) == "zip" and safety.kind_of(str(tmp_path / "b.keras")) == "hdf5"
    assert safety.kind_of(str(tmp_path)) == "folder"


def test_a_missing_file_and_a_pipe(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no model file at '.*absent.keras'"):
        safety.checked_path(tmp_path / "absent.keras")
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(ModelFileError, match="it is neither a file nor a folder"):
        safety.checked_path(tmp_path / "pipe.keras")  # opening it would wait for ever


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice in one object"),
        (b"[" * 201 + b"]" * 201, "it is deeper than 200 levels"),
        (b"[" * 10**6, "it is deeper than 200 levels"),
        (b"[" + b"1," * 1_000_001 + b"1]", "more than 1000000 parts"),
        (b'["' + b"x" * (2**20) + b'"]', "a string of 1048578 characters is longer than 1048576"),
        (b"[" + b"9" * 5000 + b"]", "needs more than 64 bits"),
        (b"[18446744073709551616]", "needs more than 64 bits"),
        (b'{"a": "\xff"}', "the text is no UTF-8 (byte 7)"),
        (b'{"a": ', "the text is no JSON"),
        (b'{"a": "b', "the text is no JSON"),
    ],
)
def test_json_within_bounds(text, wrong):
    with pytest.raises(ModelFileError) as caught:
        safety.parse_json(text, "m.keras", "config.json")
    assert str(caught.value).startswith("The model file 'm.keras' cannot be loaded: in config.json: ")
    assert wrong in str(caught.value)


def test_json_that_is_fine():
    text = (
        '{"a": [1, -2.5, null, true, "brackets [[ {{ \\" in strings"], "größe": {"deep": [[[18446744073709551615]]]}}'
    )
    assert safety.parse_json(text.encode(), "m", "c")["a"][4] == 'brackets [[ {{ " in strings'
    assert safety.parse_json("[" * 200 + "]" * 200, "m", "c") is not None


def test_a_config_that_json_cannot_hold_is_named():
    with pytest.raises(TypeError) as caught:
        safety.write_json({"config": {"layers": [{"rate": {1, 2}}]}}, "the model's config")
    assert str(caught.value) == (
        "the model's config['config']['layers']['rate'] cannot be saved: it is {1, 2} (set), and a config holds only "
        "numbers, strings, booleans, None, and lists and dictionaries of them. Convert it in get_config."
    )


@pytest.mark.parametrize("shape", [[None, 2**31], [2**20, 2**20], [1] * 33, [-5, 2]])
def test_impossible_shapes_in_a_config(shape):
    with pytest.raises(ModelFileError, match=r"the shape|too large"):
        safety.check_config_shapes({"layers": [{"config": {"batch_shape": shape}}]}, "m.keras")


def test_possible_shapes_in_a_config():
    safety.check_config_shapes(
        {"target_shape": [-1, 4], "batch_shape": [None, 8], "input_shape": [[None, 2], [None, 3]]}, "m"
    )


def test_messages_quote_what_a_file_says_short_and_printable():
    message = str(safety.refusal("m\x1b[31m.h5", "x" * 5000))
    assert len(message) == 2000 and "\x1b" not in message
    assert safety.quoted("a\nb\x00") == "a\\nb\\x00" and len(safety.quoted("y" * 999)) == 200
