"""An HDF5 file as plain data: what is kept, and what is refused."""

import random

import h5py
import ml_dtypes
import numpy as np
import pytest

from tensorsmith.core.errors import ModelFileError
from tensorsmith.keras.saving import tree
from tensorsmith.keras.saving.tree import Group


def sample():
    made = Group({"keras_version": "3.15.1", "number": np.asarray(7)})
    made.put("a/b/kernel:0", np.arange(6, dtype="float32").reshape(2, 3))
    made.put("a/b/bias:0", np.asarray([1.5, np.nan], "float64"))
    made.put("counter", np.asarray(3, "int64"))
    made.put("ünïcode 层", np.asarray([True, False]))
    made.put("half", np.asarray([1.0, 2.5], ml_dtypes.bfloat16))
    made.put("empty", np.zeros((0, 4), "uint32"))
    made.group("names").set_strings("layer_names", ["kernel", "ß"])
    made.group("names").set_strings("none", [])
    return made


def same(one, other):
    assert [(path, a.dtype, a.shape) for path, a in sorted_arrays(one)] == [
        (p, a.dtype, a.shape) for p, a in sorted_arrays(other)
    ]
    for (_, a), (_, b) in zip(sorted_arrays(one), sorted_arrays(other), strict=True):
        np.testing.assert_array_equal(a.astype("float64"), b.astype("float64"))


def sorted_arrays(group):
    return sorted(group.arrays(), key=lambda pair: pair[0])


def test_what_is_written_reads_back():
    data = tree.write(sample())
    found = tree.read(data, "memory", len(data))
    same(found, sample())
    assert found.attributes["keras_version"] == "3.15.1" and found.attributes["number"] == 7
    assert found.group("names").strings("layer_names") == ["kernel", "ß"]
    assert found.group("names").strings("none") == [] and found.strings("absent") is None
    assert tree.DIGEST not in found.attributes


def test_equal_content_gives_equal_bytes():
    assert tree.write(sample()) == tree.write(sample())


def test_the_order_of_making_does_not_matter_to_the_digest_but_every_part_does():
    made = sample()
    turned = Group(dict(reversed(made.attributes.items())), dict(reversed(made.children.items())))
    assert tree.digest(made) == tree.digest(turned)
    for change in (
        lambda g: g.attributes.update(keras_version="3.15.2"),
        lambda g: g.put("new", np.zeros(1)),
        lambda g: g.children.update(counter=np.asarray(4, "int64")),
        lambda g: g.children.update(counter=np.asarray(3, "int32")),
        lambda g: g.children.update(other=g.children.pop("counter")),
        lambda g: g.children.update(half=np.asarray([1.0, 2.5], "float16")),
    ):
        changed = sample()
        change(changed)
        assert tree.digest(changed) != tree.digest(made)


def test_long_lists_are_split_so_that_any_reader_can_hold_them(tmp_path):
    names = [f"layer_{number}_größe" for number in range(12_000)]
    made = Group()
    made.set_strings("layer_names", names)
    assert "layer_names" not in made.attributes and len(made.attributes) > 3
    for part in made.attributes.values():
        assert np.asarray([name.encode() for name in part]).nbytes <= tree.LARGEST_ATTRIBUTE_BYTES
    data = tree.write(made)
    assert tree.read(data, "memory", len(data)).strings("layer_names") == names


def test_strings_of_every_kind_are_read(tmp_path):
    path = str(tmp_path / "kinds.h5")
    with h5py.File(path, "w") as file:
        file.attrs["fixed"] = np.asarray([b"a", b"bc"])
        file.attrs["bytes"] = np.bytes_(b"text")
        file.attrs["objects"] = np.asarray(["x", "y"], dtype=h5py.string_dtype())
        file.attrs["empty"] = np.zeros(0)
    found = tree.read(path, path, 10_000)
    assert found.strings("fixed") == ["a", "bc"] and found.attributes["bytes"] == "text"
    assert found.strings("objects") == ["x", "y"] and found.strings("empty") == []


def test_numbers_of_the_other_byte_order_and_packed_ones_are_read(tmp_path):
    path = str(tmp_path / "big.h5")
    values = np.arange(1000, dtype="float32").reshape(10, 100)
    with h5py.File(path, "w") as file:
        file["big"] = values.astype(">f4")
        file.create_dataset("packed", data=values, chunks=(5, 50), compression="gzip", shuffle=True, fletcher32=True)
    found = tree.read(path, path, 10_000)
    np.testing.assert_array_equal(found.children["big"], values)
    np.testing.assert_array_equal(found.children["packed"], values)
    assert found.children["big"].dtype == np.dtype("float32")


def soft(file, folder):
    file["real"] = np.zeros(2)
    file["link"] = h5py.SoftLink("/real")


def external_link(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = np.ones(2)
    file["link"] = h5py.ExternalLink("other.h5", "/secret")


def external_storage(file, folder):
    (folder / "secret").write_bytes(b"\1" * 16)
    file.create_dataset("data", shape=(2,), dtype="f8", external=[(str(folder / "secret"), 0, 16)])


def virtual(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = np.ones(2)
    layout = h5py.VirtualLayout(shape=(2,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "secret", shape=(2,))
    file.create_virtual_dataset("data", layout)


def reference(file, folder):
    file["real"] = np.zeros(2)
    file.create_dataset("data", data=np.asarray([file["real"].ref], dtype=h5py.ref_dtype))


def compound(file, folder):
    file["data"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i4")])


def strings(file, folder):
    file.create_dataset("data", data=["a", "b"], dtype=h5py.string_dtype())


def ragged(file, folder):
    file.create_dataset("data", shape=(2,), dtype=h5py.vlen_dtype(np.dtype("f4")))


def committed(file, folder):
    file["kind"] = np.dtype("f4")


def two_names(file, folder):
    file["data"] = np.zeros(2)
    file["again"] = file["data"]


def cycle(file, folder):
    file.create_group("a")["b"] = file["/"]


def never_stored(file, folder):
    file.create_dataset("data", shape=(10**9,), dtype="f4")


def far_packed(file, folder):
    file.create_dataset("data", data=np.zeros(10**7, "f4"), compression="gzip", chunks=(10**6,))


def huge(file, folder):
    file.create_dataset("data", shape=(2**31, 2**10), dtype="f4", chunks=(1, 1))


def complex_numbers(file, folder):
    file["data"] = np.zeros(2, "complex64")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (soft, "/link: it is a link to somewhere else, which is never followed."),
        (external_link, "/link: it is a link to somewhere else, which is never followed."),
        (external_storage, "/data: its data stand in another file, which is never opened."),
        (virtual, "/data: its data are virtual: they stand elsewhere."),
        (reference, "/data: it holds no plain numbers."),
        (compound, "/data: it holds no plain numbers."),
        (strings, "/data: it holds no plain numbers."),
        (ragged, "/data: it holds no plain numbers."),
        (committed, "/kind: it is neither a group nor an array."),
        (two_names, "the same object stands under two names."),
        (cycle, "the same object stands under two names."),
        (never_stored, "/data: its shape (1000000000,) needs 4000000000 bytes, 0 are stored."),
        (far_packed, "would become 40000000."),
        (huge, "/data: the shape (2147483648, 1024) has a size outside of [0, 2**31)."),
        (complex_numbers, "/data: it holds no plain numbers."),
    ],
)
def test_what_points_elsewhere_or_is_no_plain_array_is_refused(tmp_path, make, text):
    path = tmp_path / "hostile.h5"
    with h5py.File(path, "w") as file:
        make(file, tmp_path)
    with pytest.raises(ModelFileError) as caught:
        tree.read(str(path), "hostile.h5", path.stat().st_size)
    assert str(caught.value).startswith("The model file 'hostile.h5' cannot be loaded:") and text in str(caught.value)


def outcome(data):
    """The content's digest, or None for a clear refusal; any other exception fails the test."""
    try:
        found = tree.read(data, "damaged.h5", len(data))
    except ModelFileError as error:
        assert len(str(error)) <= 2000
        return None
    # a flip in the name of the checksum makes it an attribute that nobody looks at
    found.attributes = {name: found.attributes[name] for name in sample().attributes}
    return tree.digest(found)


def test_a_file_cut_anywhere_is_refused():
    data = tree.write(sample())
    for at in range(25):
        assert outcome(data[: len(data) * at // 25]) is None, at


def test_a_flipped_bit_is_noticed_or_changes_nothing():
    data, rng = tree.write(sample()), random.Random(20240611)
    wanted = tree.digest(sample())
    full = [place for place, byte in enumerate(data) if byte]
    refused = 0
    for _ in range(50):
        damaged = bytearray(data)
        damaged[rng.choice(full)] ^= 1 << rng.randrange(8)
        found = outcome(bytes(damaged))
        refused += found is None
        assert found in (None, wanted)
    assert refused > 25  # most of them hit something that counts


def test_changed_weights_are_noticed_by_the_checksum():
    made = sample()
    data = tree.write(made)
    at = data.index(made.children["a"].children["b"].children["kernel:0"].tobytes())
    damaged = data[: at + 5] + bytes([data[at + 5] ^ 1]) + data[at + 6 :]
    with pytest.raises(ModelFileError) as caught:
        tree.read(damaged, "damaged.h5", len(damaged))
    assert str(caught.value) == (
        "The model file 'damaged.h5' cannot be loaded: its content does not agree with the checksum stored in it. "
        "The file was damaged."
    )
