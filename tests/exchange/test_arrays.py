"""The file of arrays is one that the safetensors library itself reads."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open

import tensorsmith as tf

DTYPES = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64".split()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3)])
def test_the_library_reads_every_variable(tmp_path, dtype, shape) -> None:
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    module = tf.Module()
    module.first, module.second = tf.Variable(values), tf.Variable(np.float32([7, 8]))
    tf.saved_model.save(module, str(tmp_path / "saved"))
    with safe_open(tmp_path / "saved" / "arrays.safetensors", framework="np") as file:
        found = [file.get_tensor(name) for name in sorted(file.keys())]
    (same,) = [array for array in found if array.shape == shape and array.dtype == values.dtype]
    np.testing.assert_array_equal(same, values)
    assert any(array.tolist() == [7, 8] for array in found)


def test_the_library_knows_half_floats_of_both_kinds(tmp_path) -> None:
    module = tf.Module()
    module.wide = tf.Variable(np.array([1.5, -2.0], ml_dtypes.bfloat16))
    tf.saved_model.save(module, str(tmp_path / "saved"))
    with safe_open(tmp_path / "saved" / "arrays.safetensors", framework="np") as file:
        (name,) = file.keys()
        held = file.get_slice(name)
        assert held.get_dtype() == "BF16" and held.get_shape() == [2]
