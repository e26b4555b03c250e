"""The skeleton of an HDF5 file is looked through before the C library follows it."""

import random
import struct

import h5py
import numpy as np
import pytest

from tensorsmith.core.errors import ModelFileError
from tensorsmith.keras.saving import structure, tree
from tensorsmith.keras.saving.tree import Group
from tests.support.process import python


def sample():
    made = Group({"model_config": "{" + "x" * 500 + "}"})
    for number in range(40):
        made.put(f"layer_{number}/kernel:0", np.arange(4, dtype="float32"))
        made.group(f"layer_{number}").set_strings("weight_names", ["kernel:0"])
    return tree.write(made)


def address_of(data, signature):
    return data.index(signature)


def changed(data, at, value, form="<Q"):
    made = bytearray(data)
    struct.pack_into(form, made, at, value)
    return bytes(made)


def heap_object(data):
    heap = address_of(data, b"GCOL")
    return changed(data, heap + 16 + 8, 2**59)


def heap_that_stands_still(data):
    heap = address_of(data, b"GCOL")
    return changed(changed(data, heap + 16, 0, "<H"), heap + 16 + 8, 0)


def heap_too_long(data):
    return changed(data, address_of(data, b"GCOL") + 8, 2**40)


def tree_circle(data):
    node = next(at for at in range(0, len(data), 8) if data[at : at + 4] == b"TREE")
    # the node becomes an inner one, whose only child is itself
    return changed(changed(changed(data, node + 5, 1, "<B"), node + 6, 1, "<H"), node + 32, node)


def node_outside(data):
    return changed(data, address_of(data, b"TREE") + 32, len(data) + 8)


def name_outside(data):
    return changed(data, address_of(data, b"SNOD") + 8, 2**40)


def free_circle(data):
    heap = address_of(data, b"HEAP")
    place = struct.unpack_from("<Q", data, heap + 16)[0]
    start = struct.unpack_from("<Q", data, heap + 24)[0]
    return changed(data, start + place, place)


def header_circle(data):
    root = struct.unpack_from("<Q", data, 64)[0]
    size = struct.unpack_from("<I", data, root + 8)[0]
    # the first message becomes a continuation that leads to the block it stands in
    made = changed(changed(data, root + 16, 0x10, "<H"), root + 24, root + 16)
    return changed(made, root + 32, size)


DAMAGE = [
    (heap_object, "an object of the heap at .* is longer than the heap"),
    (heap_that_stands_still, "an object of the heap at .* is longer than the heap"),
    (heap_too_long, "the heap at .* reaches beyond the end of the file"),
    (tree_circle, "the tree at .* has a circle"),
    (node_outside, "reaches beyond the end of the file"),
    (name_outside, "the name at .* lies outside of its heap"),
    (free_circle, "the free places of the heap at .* do not end"),
    (header_circle, "the header at .* continues in a circle"),
    (lambda data: changed(data, 64, 2**63), "a header at .* reaches beyond the end of the file"),
    (lambda data: data[:50], "it ends within its first block"),
    (lambda data: changed(data, 8, 1, "<B"), "the version of its first block is 1"),
]


@pytest.mark.parametrize(("damage", "text"), DAMAGE)
def test_damage_that_would_lead_astray(damage, text):
    data = sample()
    structure.check(data, "m.h5")
    with pytest.raises(ModelFileError, match=rf"its HDF5 structure is damaged \(.*({text})"):
        structure.check(damage(data), "m.h5")


def test_a_file_that_the_library_would_read_for_ever_is_refused_in_time(tmp_path):
    (tmp_path / "m.h5").write_bytes(heap_object(sample()))
    code = "from tensorsmith.keras.saving import tree\ntree.read('m.h5', 'm.h5', 10**6)"
    done = python("-c", code, cwd=tmp_path, timeout_s=60)
    assert "ModelFileError: The model file 'm.h5' cannot be loaded: its HDF5 structure is damaged" in done.stderr


def test_files_of_every_form_that_h5py_writes_pass(tmp_path, keras_files):
    for path in sorted(keras_files.glob("*.h5")):
        structure.check_file(str(path), path)
    for version in ("earliest", "v108", "latest"):
        path = tmp_path / f"{version}.h5"
        with h5py.File(path, "w", libver=version) as file:
            for number in range(300):
                file[f"group/{number}"] = np.arange(3)
            file.create_dataset("packed", data=np.arange(5000), chunks=(10,), compression="gzip")
            file.attrs["text"] = "x" * 5000
        structure.check_file(str(path), path)
        assert len(list(tree.read(str(path), path, path.stat().st_size).arrays())) == 301


def test_the_scan_never_fails_by_another_error():
    data, rng = sample(), random.Random(20240615)
    full = [place for place, byte in enumerate(data) if byte]
    refused = 0
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[rng.choice(full)] = rng.randrange(256)
        try:
            structure.check(bytes(damaged), "m.h5")
        except ModelFileError:
            refused += 1
    assert refused > 30
