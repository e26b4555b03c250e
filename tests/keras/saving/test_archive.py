"""The .keras archive: what it holds, and zip files that are refused."""

import io
import random
import struct
import zipfile

import numpy as np
import pytest

from tensorsmith.core.errors import ModelFileError
from tensorsmith.keras.saving import archive, tree
from tensorsmith.keras.saving.tree import Group

CONFIG = {
    "module": "keras",
    "class_name": "Sequential",
    "config": {"name": "größe", "layers": []},
    "registered_name": None,
}


def contents():
    weights = Group()
    weights.put("layers/dense/vars/0", np.arange(6, dtype="float32"))
    return archive.Contents(CONFIG, weights)


def packed(**changes):
    files = archive.members(contents(), dated=False)
    files.update(changes)
    out = io.BytesIO()
    archive.pack({name: data for name, data in files.items() if data is not None}, out)
    return out.getvalue()


def load(tmp_path, data):
    path = tmp_path / "m.keras"
    path.write_bytes(data)
    return archive.read(str(path))


def test_what_is_written_reads_back(tmp_path):
    found = load(tmp_path, packed())
    assert found.config == CONFIG and found.generation == 3
    np.testing.assert_array_equal(found.weights.at("layers/dense/vars/0"), np.arange(6, dtype="float32"))
    files = archive.members(contents())
    archive.check(str(tmp_path / "m.keras"), archive.members(contents(), dated=False))
    assert files["config.json"] == archive.members(contents(), dated=False)["config.json"]
    assert "date_saved" in files["metadata.json"].decode()


def test_equal_models_give_equal_bytes():
    assert packed() == packed()


def test_a_folder_of_the_same_files(tmp_path):
    for name, data in archive.members(contents()).items():
        (tmp_path / name).write_bytes(data)
    assert archive.read(str(tmp_path)).config == CONFIG
    (tmp_path / "config.json").unlink()
    with pytest.raises(ModelFileError, match=r"it has no config\.json"):
        archive.read(str(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ModelFileError, match="it is a TensorFlow SavedModel, whose graph is not read here"):
        archive.read(str(tmp_path))


def rezipped(change):
    """The archive written again, each entry changed by `change(entry, data)` -> a list of (entry, data)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed())) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            for one, data in change(zipfile.ZipInfo(entry.filename), source.read(entry.filename)):
                target.writestr(one, data)
    return out.getvalue()


def named(name):
    def change(entry, data):
        extra = zipfile.ZipInfo("x")
        extra.filename = name
        return [(entry, data), (extra, b"")] if entry.filename == "config.json" else [(entry, data)]

    return change


def linked(entry, data):
    entry.external_attr = 0o120777 << 16
    return [(entry, data)]


def bomb(entry, data):
    if entry.filename == "model.weights.h5":
        data, entry.compress_type = bytes(50 * 2**20), zipfile.ZIP_DEFLATED
    return [(entry, data)]


def lzma(entry, data):
    entry.compress_type = zipfile.ZIP_LZMA
    return [(entry, data)]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (named("../evil.py"), "in member '../evil.py': it is none of metadata.json, config.json, model.weights.h5."),
        (named("/etc/passwd"), "in member '/etc/passwd': it is none of"),
        (named("..\\evil"), "it is none of"),
        (named("config.json"), "members of one name stand in it twice"),
        (named("CONFIG.json"), "members of one name stand in it twice"),
        (named("assets/vocabulary.txt"), "it is none of"),
        (named("model.weights.npz"), "weights as .npz are not read. Save them as model.weights.h5."),
        (linked, "it is a link or no plain file"),
        (bomb, "bytes would become 52428800"),
        (lzma, "it is packed by method 14"),
    ],
)
def test_zip_files_that_are_refused(tmp_path, change, text):
    with pytest.raises(ModelFileError) as caught:
        load(tmp_path, rezipped(change))
    assert text in str(caught.value)


def test_members_packed_by_the_known_method_are_read(tmp_path):
    def deflated(entry, data):
        entry.compress_type = zipfile.ZIP_DEFLATED
        return [(entry, data)]

    assert load(tmp_path, rezipped(deflated)).config == CONFIG


def test_a_name_that_differs_between_directory_and_header(tmp_path):
    data = bytearray(packed())
    at = data.index(b"config.json")  # the local header comes first
    data[at : at + 6] = b"c0nfig"
    with pytest.raises(ModelFileError, match=r"another name in its header|damaged"):
        load(tmp_path, bytes(data))


def test_overlapping_members(tmp_path):
    data = bytearray(packed())
    # the directory's entry of the second member points to the first
    at = [i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"][1]
    data[at + 42 : at + 46] = struct.pack("<L", 0)
    with pytest.raises(ModelFileError, match=r"overlaps another member|another name in its header"):
        load(tmp_path, bytes(data))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"metadata.json": None}, "it has no metadata.json"),
        ({"config.json": None}, "it has no config.json"),
        ({"model.weights.h5": None}, "it has no model.weights.h5"),
        ({"metadata.json": b"{}"}, "in metadata.json: the version of Keras is None"),
        ({"metadata.json": b'{"keras_version": "4.0"}'}, "saved by Keras 4.0, newer than what is known here (3)"),
        ({"config.json": b'["x"]'}, "in config.json: it describes no model"),
        ({"model.weights.h5": b"no"}, "its HDF5 structure is damaged"),
    ],
)
def test_members_that_are_missing_or_say_nothing(tmp_path, changes, text):
    with pytest.raises(ModelFileError) as caught:
        load(tmp_path, packed(**changes))
    assert text in str(caught.value)


def outcome(tmp_path, data):
    try:
        found = load(tmp_path, data)
    except ModelFileError as error:
        assert len(str(error)) <= 2000
        return None
    return found.version, found.config, tree.digest(found.weights)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    data = packed()
    for at in range(25):
        assert outcome(tmp_path, data[: len(data) * at // 25]) is None, at


def test_a_flipped_bit_is_noticed_or_changes_nothing(tmp_path):
    data, rng = packed(), random.Random(20240612)
    wanted = outcome(tmp_path, data)
    found = set()
    for _ in range(50):
        damaged = bytearray(data)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        result = outcome(tmp_path, bytes(damaged))
        assert result is None or result == wanted
        found.add(result is None)
    assert True in found
