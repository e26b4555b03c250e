"""The chapter's custom training loop as it is written, eager: batch draw, tape, gradients, Nadam, constraints, metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import housing
from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.problems import BATCH, WIDTH, first_weights
from benchmarks.settings import Settings

ROW = "one step"

RATE, PENALTY = 0.01, 0.05
CHECKED_STEPS = 300

# a step gives the mean loss and the mean absolute error so far
Step = Callable[[], tuple[Any, Any]]


def random_batch(x: np.ndarray, y: np.ndarray, batch_size: int = BATCH) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.randint(len(x), size=batch_size)
    return x[drawn], y[drawn]


def tape_step(x: np.ndarray, y: np.ndarray, package: str, keras_name: str) -> Step:
    """TensorFlow and Tensorsmith: the same lines, those of the chapter."""
    tf, keras = import_module(package), import_module(keras_name)
    l2_reg = keras.regularizers.l2(PENALTY)
    model = keras.models.Sequential(
        [
            keras.layers.Dense(
                WIDTH,
                activation="elu",
                kernel_initializer="he_normal",
                kernel_regularizer=l2_reg,
                input_shape=x.shape[1:],
            ),
            keras.layers.Dense(1, kernel_regularizer=l2_reg),
        ]
    )
    model.set_weights(first_weights("plain"))
    optimizer = keras.optimizers.Nadam(learning_rate=RATE)
    loss_fn = keras.losses.mean_squared_error
    mean_loss = keras.metrics.Mean()
    metrics = [keras.metrics.MeanAbsoluteError()]

    def step() -> tuple[Any, Any]:
        X_batch, y_batch = random_batch(x, y)
        with tf.GradientTape() as tape:
            y_pred = model(X_batch, training=True)
            main_loss = tf.reduce_mean(loss_fn(y_batch, y_pred))
            loss = tf.add_n([main_loss, *model.losses])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        for variable in model.variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        mean = mean_loss(loss)
        for metric in metrics:
            value = metric(y_batch, y_pred)
        return mean, value

    return step


def torch_step(x: np.ndarray, y: np.ndarray) -> Step:
    """The same by hand, with PyTorch's own layers and NAdam, whose two last settings make it the Nadam of Keras."""
    torch: Any = import_module("torch")
    # A second thread costs time at this size.
    torch.set_num_threads(1)
    first, last = torch.nn.Linear(x.shape[1], WIDTH), torch.nn.Linear(WIDTH, 1)
    model = torch.nn.Sequential(first, torch.nn.ELU(), last)
    weights = first_weights("plain")
    with torch.no_grad():
        for layer, kernel, bias in zip((first, last), weights[::2], weights[1::2], strict=True):
            layer.weight.copy_(torch.tensor(np.ascontiguousarray(kernel.T)))
            layer.bias.copy_(torch.tensor(bias))
    optimizer = torch.optim.NAdam(model.parameters(), lr=RATE, eps=1e-7, momentum_decay=1.0)
    kernels = [first.weight, last.weight]
    mean_squared_error = torch.nn.functional.mse_loss
    loss_sum, steps = torch.zeros(()), 0
    error_sum, rows = torch.zeros(()), 0

    def step() -> tuple[Any, Any]:
        nonlocal steps, rows, loss_sum, error_sum
        X_batch, y_batch = map(torch.from_numpy, random_batch(x, y))
        y_pred = model(X_batch)
        loss = mean_squared_error(y_pred, y_batch)
        for kernel in kernels:
            loss = loss + PENALTY * kernel.square().sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            loss_sum += loss
            steps += 1
            error_sum += (y_batch - y_pred).abs().sum()
            rows += len(y_batch)
            return loss_sum / steps, error_sum / rows

    return step


def numpy_step(x: np.ndarray, y: np.ndarray) -> Step:
    """The least that Python can do: derivatives by hand, all variables in one flat array."""
    weights = first_weights("plain")
    bounds = np.cumsum([0] + [w.size for w in weights])
    flat = np.concatenate([w.ravel() for w in weights])
    w1, b1, w2, b2 = (flat[a:b].reshape(w.shape) for a, b, w in zip(bounds, bounds[1:], weights))
    gradient, m, v = np.zeros_like(flat), np.zeros_like(flat), np.zeros_like(flat)
    g1, c1, g2, c2 = (gradient[a:b].reshape(w.shape) for a, b, w in zip(bounds, bounds[1:], weights))
    single = np.float32
    steps, product, loss_sum, error_sum = 0, 1.0, 0.0, 0.0

    def step() -> tuple[Any, Any]:
        nonlocal steps, product, loss_sum, error_sum
        X_batch, y_batch = random_batch(x, y)
        z = X_batch @ w1 + b1
        positive = z > 0
        h = np.where(positive, z, np.expm1(z))
        error = h @ w2 + b2 - y_batch
        loss = np.mean(error * error) + PENALTY * (np.sum(w1 * w1) + np.sum(w2 * w2))
        back = error * single(2 / len(error))
        np.matmul(h.T, back, out=g2)
        np.add(g2, w2 * single(2 * PENALTY), out=g2)
        np.sum(back, 0, out=c2)
        inner = (back * w2.T) * np.where(positive, single(1), h + single(1))
        np.matmul(X_batch.T, inner, out=g1)
        np.add(g1, w1 * single(2 * PENALTY), out=g1)
        np.sum(inner, 0, out=c1)
        steps += 1
        now, after = 0.9 * (1 - 0.5 * 0.96**steps), 0.9 * (1 - 0.5 * 0.96 ** (steps + 1))
        product *= now
        m[:] = m + (gradient - m) * single(0.1)
        v[:] = v + (gradient * gradient - v) * single(0.001)
        size = np.sqrt(v * single(1 / (1 - 0.999**steps))) + single(1e-7)
        flat[:] -= (
            m * single(RATE * after / (1 - product * after)) + gradient * single(RATE * (1 - now) / (1 - product))
        ) / size
        loss_sum += loss
        error_sum += np.mean(np.abs(error))
        return loss_sum / steps, error_sum / steps

    return step


def loop_job(settings: Settings, make: str, options: dict[str, str]) -> Job:
    x, y = housing.load(settings.data).train

    def fresh() -> Step:
        np.random.seed(7)
        return globals()[make](x, y, **options)

    step = fresh()
    steps = 20 if options.get("package") == "tensorflow" else 200

    def measure() -> dict[str, float]:
        before = time.perf_counter()
        for _ in range(steps):
            step()
        return {ROW: (time.perf_counter() - before) / steps}

    def check() -> dict[str, float]:
        once = fresh()
        for _ in range(CHECKED_STEPS):
            loss, error = once()
        return {"mean loss": float(loss), "mean absolute error": float(error)}

    measure()
    return Job(measure, check)


def contender(name: str, make: str, needs: tuple[str, ...], rounds: int | None = None, **options: str) -> Contender:
    return Contender(name, f"{__name__}:loop_job", needs, {"make": make, "options": options}, rounds=rounds)


FIGURE = Figure(
    name="eager_loop",
    title="The chapter's custom loop, one eager step: batch draw, tape, gradients, Nadam, metrics",
    contenders=(
        contender(OURS, "tape_step", ("tensorsmith",), package="tensorsmith", keras_name="tensorsmith.keras"),
        contender("PyTorch by hand", "torch_step", ("torch",)),
        contender("NumPy by hand", "numpy_step", ()),
        contender(
            "TensorFlow", "tape_step", ("tensorflow", "tf_keras"), 5, package="tensorflow", keras_name="tf_keras"
        ),
    ),
    targets=(Target(ROW, 0.8, "PyTorch by hand"),),
    rounds=(15, 4),
    agree=1e-3,
)
