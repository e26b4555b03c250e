"""What the tests of model files share: files made by real Keras, recorded once."""

import io
import pathlib
import zipfile

import numpy as np
import pytest

RECORDED = pathlib.Path(__file__).parents[2] / "fixtures" / "keras_files.zip"


@pytest.fixture(scope="session")
def keras_files(tmp_path_factory):
    """A folder of the files that Keras 2 (`name.k2.ending`) and Keras 3 (`name.k3.ending`) wrote."""
    folder = tmp_path_factory.mktemp("keras_files")
    with zipfile.ZipFile(RECORDED) as recorded:
        recorded.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def recorded_arrays(keras_files):
    """(name, generation) -> the arrays recorded with a case: inputs x0, ..., predictions y0, ..., loss, after."""

    def load(name, generation):
        with np.load(io.BytesIO((keras_files / f"{name}.{generation}.npz").read_bytes())) as arrays:
            return dict(arrays)

    return load
