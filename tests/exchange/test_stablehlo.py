"""What is exported as StableHLO runs through JAX in a process that knows nothing of Tensorsmith."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tests.support.process import python

RUNNER = """
import sys, numpy as np, jax
import jax.export
exported = jax.export.deserialize(bytearray(open("m.stablehlo", "rb").read()))
given = np.load("given.npz")
results = exported.call(*[given[f"x{at}"] for at in range(len(given.files))])
np.savez("results.npz", *map(np.asarray, results))
assert not any(name.startswith("tensorsmith") for name in sys.modules)
print([list(map(str, value.shape)) for value in exported.in_avals])
"""


def elsewhere(tmp_path: Path, *inputs: np.ndarray) -> tuple[list[np.ndarray], str]:
    (tmp_path / "runs.py").write_text(RUNNER)
    np.savez(tmp_path / "given.npz", **{f"x{at}": value for at, value in enumerate(inputs)})
    ran = python("-P", "runs.py", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    with np.load(tmp_path / "results.npz") as results:
        return [results[name] for name in results.files], ran.stdout


def test_a_trained_model_for_any_batch(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    x = chance.normal(size=(40, 3)).astype("float32")
    model = keras.Sequential(
        [keras.Input([3]), keras.layers.Dense(5, "selu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    )
    model.compile(loss="mse", optimizer="nadam")
    model.fit(x, x[:, :1] * np.ones([1, 5], "float32"), verbose=0)
    model.export(tmp_path / "m.stablehlo", format="stablehlo", verbose=False)
    (found,), shapes = elsewhere(tmp_path, x[:7])
    np.testing.assert_allclose(found, model(x[:7]), rtol=1e-5, atol=1e-6)
    assert shapes == "[['d0_0', '3']]\n"


def test_a_function_with_loops_sizes_and_a_gradient(tmp_path: Path) -> None:
    w = tf.Variable([[1.0], [2.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None, 2])])
    def f(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.matmul(x, w)) * tf.reduce_sum(y)
        g = tape.gradient(loss, w)
        w.assign_sub(g)
        while tf.reduce_sum(x) < 100.0:
            x = x * 2.0
        return tf.reshape(x, [tf.shape(x)[0] * 2, 1]), g, w + 0.0

    tf.export(f, tmp_path / "m.stablehlo")
    x, y = np.ones([3, 2], "float32"), np.arange(4, dtype="float32").reshape(2, 2)
    found, _ = elsewhere(tmp_path, x, y)
    expected = f(x, y)
    for mine, theirs in zip(expected, found, strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-5, atol=1e-6)


def test_sizes_that_must_be_equal_share_one_name(tmp_path: Path) -> None:
    inputs = [keras.Input([3]), keras.Input([2])]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    tf.export(model, tmp_path / "m.stablehlo")
    x = np.arange(12, dtype="float32").reshape(4, 3)
    (found,), shapes = elsewhere(tmp_path, x, x[:, :2])
    np.testing.assert_array_equal(found, np.concatenate([x, x[:, :2]], 1))
    assert shapes == "[['batch', '3'], ['batch', '2']]\n"


def test_what_xla_cannot_run_is_named(tmp_path: Path) -> None:
    f = tf.function(lambda s: tf.boolean_mask(s, s > 0.0), input_signature=[tf.TensorSpec([None])])
    with pytest.raises(
        ValueError, match=r"export to StableHLO: the program holds what XLA cannot run \(operations=boolean_mask\)"
    ):
        tf.export(f, tmp_path / "m.stablehlo")
    assert not (tmp_path / "m.stablehlo").exists()


def test_what_cannot_be_exported_at_all(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"export: there is nothing here to export \(given=3\)"):
        tf.export(3, tmp_path / "m.stablehlo")
    with pytest.raises(
        ValueError, match=r"export: there is no such format \(format='pt', formats='onnx', 'stablehlo'\)"
    ):
        tf.export(tf.function(tf.exp), tmp_path / "m.pt")
    f = tf.function(tf.exp)
    with pytest.raises(ValueError, match="the function was traced in 0 forms and a signature is one"):
        tf.export(f, tmp_path / "m.stablehlo")
    tf.export(f, tmp_path / "m.stablehlo", input_signature=tf.TensorSpec([2]))
    (found,), _ = elsewhere(tmp_path, np.zeros(2, "float32"))
    assert found.tolist() == [1.0, 1.0]
