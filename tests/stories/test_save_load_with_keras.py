"""Files go between this library and real Keras, each in fresh processes: same predictions, training goes on."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.support.process import ROOT, python

MODELS = '''
import warnings
import numpy as np

x = np.linspace(-1.5, 1.5, 24, dtype="float32").reshape(8, 3)
y = np.sin(x[:, :1])


def chapter(keras):
    model = keras.Sequential([
        keras.Input((3,)),
        keras.layers.Dense(6, activation="selu", kernel_initializer="lecun_normal"),
        keras.layers.Dense(1),
    ])
    model.compile(loss="mse", optimizer=keras.optimizers.Nadam(0.02), metrics=["mae"])
    return model


def graph(keras):
    L = keras.layers
    a = keras.Input((3,), name="a")
    shared = L.Dense(4, activation="tanh", name="shared")
    left, right = L.Dense(3, name="left")(a), L.Dense(3, activation="relu", name="right")(a)
    both = L.Concatenate(name="both")([shared(left), shared(right)])
    both = L.Dropout(0.2)(L.BatchNormalization()(both))
    twin1, twin2 = L.Dense(2, name="twin1")(both), L.Dense(2, name="twin2")(both)
    model = keras.Model(a, L.Dense(1, name="out")(L.Add()([twin2, twin1])), name="graph")
    model.compile(loss=keras.losses.Huber(0.5), optimizer=keras.optimizers.Adam(0.01), metrics=["mse"])
    return model


def custom(keras):
    model = keras.Sequential([keras.Input((3,)), Scaled(4, by=0.5, activation="tanh"), keras.layers.Dense(1)])
    model.compile(loss=far, optimizer="rmsprop")
    return model


def parts(keras):
    global Scaled, far

    class Scaled(keras.layers.Dense):
        def __init__(self, units, by=1.0, **kwargs):
            super().__init__(units, **kwargs)
            self.by = by

        def call(self, inputs):
            return super().call(inputs) * self.by

        def get_config(self):
            return {**super().get_config(), "by": self.by}

    def far(y_true, y_pred):
        return (y_true - y_pred) ** 2

    return {"Scaled": Scaled, "far": far}


class Steps:
    """Trains the same way everywhere: in order, so that two libraries can be compared."""

    def __call__(self, model, epochs=2):
        return model.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0).history["loss"]


steps = Steps()
'''

WRITE = """
from exchange import *

{import_keras}
known = parts(keras)
for make in (chapter, graph, custom):
    model = make(keras)
    steps(model)
    arrays = {{"y": model.predict(x, verbose=0)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for ending in {endings}:
            model.save(f"{who}_{{make.__name__}}{{ending}}")
        model.save_weights(f"{who}_{{make.__name__}}.weights.h5")
    if make is not graph:      # its Dropout draws other numbers in every library
        arrays["loss"] = np.asarray(steps(model, 1))
        arrays["after"] = model.predict(x, verbose=0)
    np.savez(f"{who}_{{make.__name__}}.npz", **arrays)
print("written")
"""

READ = """
from exchange import *

{import_keras}
known = parts(keras)
for make in (chapter, graph, custom):
    arrays = np.load(f"{who}_{{make.__name__}}.npz")
    for ending in {endings}:
        if (make.__name__, ending) in {skip}:
            continue
        model = keras.models.load_model(f"{who}_{{make.__name__}}{{ending}}", custom_objects=known)
        np.testing.assert_allclose(model.predict(x, verbose=0), arrays["y"], rtol=1e-5, atol=1e-6)
        if "after" in arrays and ending in {resumes}:
            np.testing.assert_allclose(steps(model, 1), arrays["loss"], rtol={tolerance})
            np.testing.assert_allclose(model.predict(x, verbose=0), arrays["after"], rtol={tolerance}, atol=1e-5)
        print("read", make.__name__, ending or "folder")
    model = make(keras)
    model.load_weights(f"{who}_{{make.__name__}}.weights.h5")
    np.testing.assert_allclose(model.predict(x, verbose=0), arrays["y"], rtol=1e-5, atol=1e-6)
    print("read", make.__name__, "weights")
"""

OURS = "from tensorsmith import keras"
KERAS3 = "import keras"
KERAS2 = "import tf_keras as keras"
# TensorFlow wants other versions of what this library needs too: an environment of its own may hold it
KERAS2_PYTHON = os.environ.get("KERAS2_PYTHON") or (sys.executable if importlib.util.find_spec("tf_keras") else "")


def run(folder, source, **filled):
    (folder / "exchange.py").write_text(MODELS)
    (folder / "script.py").write_text(source.format(**filled))
    if filled["import_keras"] == OURS:
        done = python("script.py", cwd=folder)
    else:
        # this one must not find what this library puts in the place of Keras
        environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            [KERAS2_PYTHON if filled["import_keras"] == KERAS2 else sys.executable, "script.py"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def all_read(output, *endings, skip=()):
    wanted = {
        f"read {name} {ending or 'folder'}"
        for name in ("chapter", "graph", "custom") for ending in (*endings, "weights") if (name, ending) not in skip
    }  # fmt: skip
    assert {line for line in output.splitlines() if line.startswith("read")} == wanted


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras 3 is not installed")
def test_keras_3_opens_our_files_and_we_open_its(tmp_path):
    run(tmp_path, WRITE, import_keras=OURS, who="ours", endings=(".keras", ".h5", ""))
    read = run(
        # Keras 3 restores no optimizer from any .h5 file, its own included
        tmp_path, READ, import_keras=KERAS3, who="ours", endings=(".keras", ".h5"), resumes=(".keras",), skip=(),
        tolerance=1e-4,
    )  # fmt: skip
    all_read(read, ".keras", ".h5")
    # Keras 3.15 cannot name a custom loss function of its own .h5 file without compile=True; all else is read
    run(tmp_path, WRITE, import_keras=KERAS3, who="keras3", endings=(".keras", ".h5"))
    read = run(
        tmp_path, READ, import_keras=OURS, who="keras3", endings=(".keras", ".h5"), resumes=(".keras",), skip=(),
        tolerance=1e-4,
    )  # fmt: skip
    all_read(read, ".keras", ".h5")


@pytest.mark.skipif(not KERAS2_PYTHON, reason="no tf_keras here, and KERAS2_PYTHON names no Python that has it")
def test_keras_2_opens_our_files_and_we_open_its(tmp_path):
    run(tmp_path, WRITE, import_keras=OURS, who="ours", endings=(".keras", ".h5", ""))
    skip = [("graph", ".keras")]  # one archive cannot hold a graph for both generations
    (tmp_path / "script.py").unlink()
    source = READ.replace('model.load_weights(f"{who}_{{make.__name__}}.weights.h5")', "continue")
    read = run(
        tmp_path,
        source,
        import_keras=KERAS2,
        who="ours",
        endings=(".keras", ".h5"),
        resumes=(),
        skip=skip,
        tolerance=1e-4,
    )
    assert {line for line in read.splitlines() if line.startswith("read")} == {
        "read chapter .keras", "read chapter .h5", "read graph .h5", "read custom .keras", "read custom .h5",
    }  # fmt: skip
    run(tmp_path, WRITE, import_keras=KERAS2, who="keras2", endings=(".keras", ".h5"))
    read = run(
        # Keras 2's Nadam is not quite the one of the paper
        tmp_path, READ, import_keras=OURS, who="keras2", endings=(".keras", ".h5"), resumes=(".keras", ".h5"), skip=(),
        tolerance=2e-2,
    )  # fmt: skip
    all_read(read, ".keras", ".h5")


def test_our_files_are_read_by_a_fresh_process_of_ours(tmp_path):
    run(tmp_path, WRITE, import_keras=OURS, who="ours", endings=(".keras", ".h5", ""))
    read = run(
        tmp_path, READ, import_keras=OURS, who="ours", endings=(".keras", ".h5", ""), resumes=(".keras", ".h5", ""),
        skip=(), tolerance=1e-5,
    )  # fmt: skip
    all_read(read, ".keras", ".h5", "")
    assert (ROOT / "src" / "tensorsmith").is_dir()
