"""Data sets in the cache folder, and files fetched into it, from a folder that stands for the network."""

from __future__ import annotations

import gzip
import hashlib
import os
import pathlib

import numpy as np
import pytest

from tensorsmith import keras
from tensorsmith.keras.datasets import fashion_mnist, files, mnist

RNG = np.random.default_rng(0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"


@pytest.fixture
def network(tmp_path, monkeypatch):
    """A folder from which files are fetched."""
    folder = tmp_path / "network"
    folder.mkdir()
    for module in (files, mnist, fashion_mnist):
        monkeypatch.setattr(module, "ORIGIN", folder.as_uri() + "/", raising=False)
    return folder


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def clothes():
    arrays = {}
    for part, count in (("train", 6), ("t10k", 3)):
        arrays[f"{part}-images-idx3-ubyte.gz"] = RNG.integers(0, 256, (count, 28, 28), np.uint8)
        arrays[f"{part}-labels-idx1-ubyte.gz"] = RNG.integers(0, 10, count, np.uint8)
    return arrays


def test_fashion_mnist_is_fetched_once(home, network):
    arrays = clothes()
    for name, array in arrays.items():
        (network / name).write_bytes(idx(array))
    first = keras.datasets.fashion_mnist.load_data()
    for name in arrays:
        (network / name).unlink()
    for loaded in (first, keras.datasets.fashion_mnist.load_data()):
        flat = [array for pair in loaded for array in pair]
        for found, wanted in zip(flat, arrays.values(), strict=True):
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, wanted)
            found[:] = 0  # the user's own copy


def test_mnist(home, network, monkeypatch):
    arrays = {
        "x_train": RNG.integers(0, 256, (4, 28, 28), np.uint8), "y_train": np.arange(4, dtype=np.uint8),
        "x_test": RNG.integers(0, 256, (2, 28, 28), np.uint8), "y_test": np.arange(2, dtype=np.uint8),
    }  # fmt: skip
    np.savez(network / "mnist.npz", **arrays)
    monkeypatch.setattr(mnist, "_SHA256", hashlib.sha256((network / "mnist.npz").read_bytes()).hexdigest())
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    for found, wanted in zip((x, y, x_test, y_test), arrays.values(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert os.listdir(home) == ["mnist.npz"]


def test_another_file_is_not_kept(home, network):
    (network / "mnist.npz").write_bytes(b"something else")
    with pytest.raises(ValueError) as caught:
        keras.datasets.mnist.load_data()
    digest = hashlib.sha256(b"something else").hexdigest()
    url = (network / "mnist.npz").as_uri()
    assert str(caught.value) == (
        f"mnist.npz: another file was fetched than the one expected (url={url}, sha256={digest})."
    )
    assert os.listdir(home) == []


def test_without_a_network_the_error_says_where_to_put_the_file(home, network):
    with pytest.raises(FileNotFoundError) as caught:
        keras.datasets.mnist.load_data()
    text = str(caught.value)
    assert text.startswith("mnist.npz: the file is not in the cache folder and cannot be fetched (path=")
    assert str(home / "mnist.npz") in text and text.endswith("Fetch it by other means and put it at that path.")
    assert os.listdir(home) == []


@pytest.mark.parametrize("damage", ["cut", "longer", "kind", "empty"])
def test_damaged_files_are_refused(home, network, damage):
    arrays = clothes()
    for name, array in arrays.items():
        (network / name).write_bytes(idx(array))
    name = "train-images-idx3-ubyte.gz"
    whole = gzip.decompress((network / name).read_bytes())
    changed = {"cut": whole[:-1], "longer": whole + b"x", "kind": b"\0\0\x0d" + whole[3:], "empty": b""}[damage]
    (network / name).write_bytes(gzip.compress(changed))
    with pytest.raises(ValueError, match=f"^{name}: it is no IDX file of the kind expected .*Remove .*{name}"):
        keras.datasets.fashion_mnist.load_data()


def test_the_cache_folder_is_that_of_keras(monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert pathlib.Path(files.cache_folder()) == pathlib.Path.home() / ".keras" / "datasets"
