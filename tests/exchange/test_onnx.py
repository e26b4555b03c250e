"""What is exported as ONNX is run in onnxruntime and gives the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.exchange.inference import Inference
from tensorsmith.exchange.onnx import writing
from tensorsmith.exchange.signatures import signature_of
from tensorsmith.function.function import Function
from tensorsmith.program.op import REQUIRED
from tensorsmith.tensor.apply import apply
from tests.support import spine

CHANCE = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    return CHANCE.normal(size=shape).astype("float32")


def session(model: Any) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(path: Path, *inputs: np.ndarray) -> list[np.ndarray]:
    opened = session(str(path))
    return opened.run(None, dict(zip([i.name for i in opened.get_inputs()], map(np.asarray, inputs))))


def agrees(thing: Any, tmp_path: Path, *batches: list[np.ndarray], called: Any = None, **how: Any) -> onnx.ModelProto:
    path = tmp_path / "m.onnx"
    tf.export(thing, path, **how)
    for inputs in batches:
        expected = (called or thing)(*inputs)
        found = run(path, *inputs)
        for mine, theirs in zip(tf.nest.flatten(expected), found, strict=True):
            assert np.asarray(mine).dtype == theirs.dtype
            np.testing.assert_allclose(theirs, mine, rtol=1e-5, atol=1e-5)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    return model


class Residual(keras.layers.Layer):
    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.hidden = [
            keras.layers.Dense(width, activation="elu", kernel_initializer="he_normal") for _ in range(count)
        ]

    def call(self, inputs):
        z = inputs
        for layer in self.hidden:
            z = layer(z)
        return inputs + z


class Reconstructing(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = [keras.layers.Dense(10, "selu", kernel_initializer="lecun_normal") for _ in range(3)]
        self.out = keras.layers.Dense(1)

    def build(self, shape) -> None:
        self.reconstruct = keras.layers.Dense(shape[-1])
        super().build(shape)

    def call(self, inputs, training=False):
        z = inputs
        for layer in self.hidden:
            z = layer(z)
        self.add_loss(0.05 * tf.reduce_mean(tf.square(self.reconstruct(z) - inputs)))
        return self.out(z)


def softplus_of(z):
    return tf.math.log(tf.exp(z) + 1.0)


def sequential(*layers):
    return keras.Sequential([keras.Input([8]), *layers])


def two_inputs():
    a, b = keras.Input([8], name="wide"), keras.Input([3], name="deep")
    return keras.Model([a, b], [keras.layers.Concatenate()([a, keras.layers.Dense(4, "relu")(b)]), a])


MODELS = {
    "selu": lambda: sequential(
        keras.layers.Dense(30, "selu", kernel_initializer="lecun_normal"), keras.layers.Dense(1)
    ),
    "elu": lambda: sequential(keras.layers.Dense(30, "elu"), keras.layers.Dense(1, softplus_of)),
    "softplus": lambda: sequential(keras.layers.Dense(30, "softplus"), keras.layers.Dense(3, "softmax")),
    "batch normalization": lambda: sequential(
        keras.layers.BatchNormalization(),
        keras.layers.Dense(5, "tanh"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1),
    ),
    "residual": lambda: sequential(
        keras.layers.Dense(30, "elu"), Residual(2, 30), Residual(2, 30), keras.layers.Dense(1)
    ),
    "lambda": lambda: sequential(keras.layers.Lambda(lambda x: tf.exp(x)), keras.layers.Dense(1)),
}


@pytest.mark.parametrize("kind", MODELS)
def test_the_chapters_models_for_any_batch(tmp_path: Path, kind: str) -> None:
    model = MODELS[kind]()
    model.compile(loss="mse", optimizer="sgd")
    model.fit(normal(64, 8), normal(64, model.output_shape[-1]), verbose=0)
    made = agrees(model, tmp_path, [normal(5, 8)], [normal(1, 8)])
    sizes = made.graph.input[0].type.tensor_type.shape.dim
    assert sizes[0].dim_param == "batch" == made.graph.output[0].type.tensor_type.shape.dim[0].dim_param
    # readable: weights by name, nodes by layer, no more of them than the program has
    weights = {v.path for v in model.trainable_variables}
    assert weights <= {i.name for i in made.graph.initializer}
    if kind == "selu":
        assert [n.op_type for n in made.graph.node] == ["MatMul", "Add", "Selu", "MatMul", "Add", "Identity"]
        assert made.graph.node[2].name.startswith(f"{model.name}/dense")


def test_a_model_with_a_reconstruction_loss(tmp_path: Path) -> None:
    model = Reconstructing()
    model(normal(2, 8))
    made = agrees(model, tmp_path, [normal(4, 8)])
    # neither the loss nor what only it needs
    assert len(made.graph.initializer) == 8 and not any("reduce_mean" in n.name for n in made.graph.node)


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    model = two_inputs()
    made = agrees(model, tmp_path, [normal(4, 8), normal(4, 3)], called=lambda *x: model(list(x)))
    assert [i.name for i in made.graph.input] == ["wide", "deep"]
    assert [o.name for o in made.graph.output] == ["output_0", "output_1"]


def test_export_of_a_model_and_of_what_was_loaded(tmp_path: Path) -> None:
    model = MODELS["elu"]()
    model.export(tmp_path / "there.onnx", format="onnx", verbose=False)
    x = normal(3, 8)
    np.testing.assert_allclose(run(tmp_path / "there.onnx", x)[0], model(x), rtol=1e-5, atol=1e-6)
    tf.saved_model.save(model, tmp_path / "saved")
    loaded = tf.saved_model.load(tmp_path / "saved")
    agrees(loaded, tmp_path, [x])
    agrees(loaded.signatures["serve"], tmp_path, [x], called=lambda x: list(loaded.signatures["serve"](x).values()))


@tf.function(input_signature=[tf.TensorSpec([None, 3])])
def branches(x):
    if tf.reduce_sum(x) > 0.0:
        y = x * 2.0
    elif tf.reduce_max(x) > 0.0:
        y = -x
    else:
        y = tf.zeros_like(x)
    return y


@tf.function(input_signature=[tf.TensorSpec([None, 3]), tf.TensorSpec([], tf.int32)])
def loops(x, n):
    total = tf.zeros_like(x)
    for i in tf.range(n):
        if i == 3:
            break
        total += x * tf.cast(i + 1, tf.float32)
    while tf.reduce_max(tf.abs(total)) > 1.0:
        total = total / 2.0
    for _ in tf.range(4):
        total = tf.matmul(total, tf.ones([3, 3]) / 4.0)
    return total, tf.map_fn(lambda row: tf.reduce_sum(row * row), x)


@tf.function(input_signature=[tf.TensorSpec([None, 3])])
def gradients(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(tf.tanh(x) * x)
    return y, tape.gradient(y, x)


@tf.function(input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([None], tf.int32)])
def sizes(x, at):
    batch = tf.shape(x)[0]
    y = tf.reshape(x, [batch * 2, 2]) + tf.zeros([batch * 2, 1])
    return y, tf.gather(x, at), tf.cast(batch, tf.float32), tf.shape(x), x[1:, ::-1], tf.concat([x, x], 0)


@tf.function(input_signature=[tf.TensorSpec([None]), tf.TensorSpec([None])])
def quotients(x, y):
    return x // y, x % y


@pytest.mark.parametrize(
    ("function", "batches"),
    [
        (branches, [[np.ones([2, 3])], [np.array([[-5.0, 1.0, 0.0]])], [-np.ones([4, 3])]]),
        (loops, [[normal(2, 3), np.int32(0)], [normal(4, 3), np.int32(2)], [normal(1, 3), np.int32(9)]]),
        (gradients, [[normal(3, 3)]]),
        (sizes, [[normal(5, 4), np.array([1, 4], "int32")], [normal(1, 4), np.array([0], "int32")]]),
        (quotients, [[np.array([-7.0, 7.0, -6.5, 0.0]), np.array([3.0, -3.0, 1.5, 2.0])]]),
    ],
    ids=["branches", "loops", "gradients", "sizes", "quotients"],
)
def test_control_flow_gradients_and_open_sizes(tmp_path: Path, function, batches) -> None:
    batches = [[v.astype("float32") if v.dtype == "float64" else v for v in inputs] for inputs in batches]
    agrees(function, tmp_path, *batches)


# ---- every operation

# what these need ONNX has not: factorisations, complex numbers, texts, sizes that hang on values, special functions
NOT_IN_ONNX = frozenset(
    """
    angle banded_triangular_solve bessel_i0 bessel_i0e bessel_i1 bessel_i1e betainc bitcast cholesky
    circulant_kernel circulant_product column_ids complex conj correlate cumprod cumulative_logsumexp dct
    digamma eig eigh eigvals eigvalsh encode_jpeg encode_png erfinv expm extract_jpeg_shape fft ifft igamma igammac imag
    inv irfft is_jpeg
    isotonic_regression lbeta left_shift lgamma logdet lstsq lu lu_solve matrix_rank nextafter pinv polygamma
    qr random_binomial random_gamma random_normal_within random_order random_poisson range real rfft
    right_shift row_ids searchsorted singular_values signbit slogdet solve sparse_order splits_from_row_ids sqrtm svd
    table_lookup tensor_diag_part toeplitz_product triangular_solve tridiagonal_solve zeta
    """.split()
)


def _cases(name: str) -> list[Any]:
    row = spine.rows()[name]
    return row.cases[:3] if isinstance(row, spine.Row) else []


OPERATIONS = sorted(n for n, op in spine.operations().items() if not op.eager and _cases(n))


def _function(op: Any, inputs: Any, settings: Any) -> tuple[Any, list[Any]]:
    """An operation as a function of tensors, and the tensors."""
    form = [
        [tf.constant(p) for p in i] if isinstance(i, list) else None if i is None else tf.constant(i) for i in inputs
    ]
    flat = [t for t in tf.nest.flatten(form) if t is not None]
    settings = {**{k: v for k, v in op.settings.items() if v is not REQUIRED}, **settings}

    def function(*tensors):
        rest = iter(tensors)
        given = [[next(rest) for _ in g] if isinstance(g, list) else None if g is None else next(rest) for g in form]
        return apply(op, given, settings)

    specs = [tf.TensorSpec(t.shape, t.dtype, f"x{at}") for at, t in enumerate(flat)]
    return Function(function, autograph=False).get_concrete_function(*specs), flat


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_agrees_or_says_that_it_is_not_in_onnx(name: str) -> None:
    op, done = spine.operations()[name], 0
    for inputs, settings in _cases(name):
        concrete, tensors = _function(op, inputs, settings)
        expected = [np.asarray(e) for e in tf.nest.flatten(concrete.run(tensors))]
        try:
            model = writing.model(Inference(signature_of(name, concrete)))
        except ValueError as error:
            assert "export to ONNX" in str(error) or "has no form in ONNX" in str(error) or name == "range"
            continue
        try:
            opened = session(model.SerializeToString())
        except NotImplemented:
            # onnxruntime has Erf for float32 alone
            assert name == "random_normal_within"
            continue
        found = opened.run(None, {i.name: np.asarray(t) for i, t in zip(model.graph.input, tensors)})
        for mine, theirs in zip(expected, found, strict=True):
            assert (theirs.dtype, theirs.shape) == (mine.dtype, mine.shape)
            np.testing.assert_allclose(theirs, mine, rtol=1e-5, atol=1e-5)
        done += 1
    assert (done == 0) == (name in NOT_IN_ONNX or name.startswith("string_")), f"{done} cases were exported"


def test_the_list_of_what_is_not_in_onnx_is_of_operations(capsys: pytest.CaptureFixture) -> None:
    assert set(OPERATIONS) >= NOT_IN_ONNX
    with capsys.disabled():
        count = sum(name not in NOT_IN_ONNX and not name.startswith("string_") for name in OPERATIONS)
        print(f" [{count} of {len(OPERATIONS)} operations in ONNX]", end="")


def test_what_onnx_lacks_is_named_with_the_users_line() -> None:
    line = sys._getframe().f_lineno + 3

    def f(x):
        return tf.linalg.inv(x) + 1.0

    with pytest.raises(ValueError) as caught:
        tf.export(f, "never.onnx", input_signature=[tf.TensorSpec([2, 2])])
    assert str(caught.value) == (
        f"export to ONNX: 'inv' at {__file__}:{line}, in f has no form in ONNX, which lacks 'lu'. "
        "tf.saved_model.save and the format 'stablehlo' hold every program that XLA runs."
    )
    with pytest.raises(ValueError, match=r"'string_upper' at .* which lacks texts"):
        tf.export(lambda s: tf.strings.upper(s), "never.onnx", input_signature=[tf.TensorSpec([2], tf.string)])
    assert not Path("never.onnx").exists()


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, form in [("onnx", "onnx"), ("flatbuffers", "stablehlo")]:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ModuleNotFoundError) as caught:
            tf.export(branches, f"never.{form}")
        assert str(caught.value) == (
            f'{package!r} is needed for export(..., "m.{form}"): pip install "tensorsmith[export]"'
        )
