"""A train step of an LSTM written with plain operations, its loop over time inside `@tf.function`, its tape too."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.settings import Settings

ROW = "train step"
BATCH, STEPS, FEATURES, UNITS, RATE = 32, 50, 8, 64, 0.1
CHECKED_STEPS = 20

Step = Callable[[np.ndarray, np.ndarray], Any]


def problem() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Sequences, their targets, and the first weights: of the input, of the state, bias, of the output."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, STEPS, FEATURES)).astype(np.float32)
    y = x[:, -5:].mean((1, 2), keepdims=True)[:, 0]
    shapes = (FEATURES, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,), (UNITS, 1)
    return x, y, [(rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32) for shape in shapes]


def tf_step(package: str, form: str) -> Step:
    """TensorFlow and Tensorsmith: the same lines. form: how the loop over time is written."""
    tf = import_module(package)
    w, u, b, v = variables = [tf.Variable(value) for value in problem()[2]]

    def cell(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        gates = tf.matmul(x, w) + tf.matmul(h, u) + b
        i, f, g, o = tf.split(gates, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    def by_autograph(x: Any) -> Any:
        h, c = tf.zeros((BATCH, UNITS)), tf.zeros((BATCH, UNITS))
        for t in tf.range(STEPS):
            h, c = cell(x[:, t], h, c)
        return h

    def by_while_loop(x: Any) -> Any:
        def body(t: Any, h: Any, c: Any) -> tuple[Any, Any, Any]:
            return (t + 1, *cell(x[:, t], h, c))

        zeros = tf.zeros((BATCH, UNITS))
        return tf.while_loop(lambda t, h, c: t < STEPS, body, (tf.constant(0), zeros, zeros))[1]

    last_state = by_while_loop if form == "while_loop" else by_autograph

    @tf.function
    def train_step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.matmul(last_state(x), v) - y))
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(RATE * gradient)
        return loss

    return train_step


def jax_step(package: str, form: str) -> Step:
    """By hand: the loop is a `lax.scan`, all weights one donated argument."""
    jax = import_module(package)
    jnp = jax.numpy

    def objective(weights: list[Any], x: Any, y: Any) -> Any:
        w, u, b, v = weights

        def cell(state: Any, x: Any) -> tuple[Any, None]:
            h, c = state
            i, f, g, o = jnp.split(x @ w + h @ u + b, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        zeros = jnp.zeros((BATCH, UNITS))
        (h, _), _ = jax.lax.scan(cell, (zeros, zeros), jnp.swapaxes(x, 0, 1))
        return jnp.mean(jnp.square(h @ v - y))

    def step(weights: list[Any], x: Any, y: Any) -> tuple[list[Any], Any]:
        loss, gradients = jax.value_and_grad(objective)(weights, x, y)
        return [a - RATE * g for a, g in zip(weights, gradients, strict=True)], loss

    compiled = jax.jit(step, donate_argnums=0)
    weights = jax.device_put(problem()[2])

    def train_step(x: np.ndarray, y: np.ndarray) -> Any:
        nonlocal weights
        weights, loss = compiled(weights, x, y)
        return jax.block_until_ready(loss)

    return train_step


def step_job(settings: Settings, make: str, package: str, form: str) -> Job:
    x, y, _ = problem()
    train_step: Step = globals()[make](package, form)
    losses = [float(train_step(x, y)) for _ in range(CHECKED_STEPS)]
    timer = timeit.Timer("train_step(x, y)", globals={"train_step": train_step, "x": x, "y": y})
    calls = 20 if settings.quick else 50
    checked = {"first loss": losses[0], "last loss": losses[-1]}
    return Job(lambda: {ROW: timer.timeit(calls) / calls}, lambda: checked)


def contender(name: str, make: str, package: str, form: str = "") -> Contender:
    return Contender(name, f"{__name__}:step_job", (package,), {"make": make, "package": package, "form": form})


JAX = "jax.value_and_grad by hand"
FIGURE = Figure(
    name="recurrent_step",
    title="A train step of an LSTM of plain operations: batch 32, 50 steps, 64 units",
    contenders=(
        contender(OURS, "tf_step", "tensorsmith", "for"),
        contender(f"{OURS}, tf.while_loop", "tf_step", "tensorsmith", "while_loop"),
        contender(JAX, "jax_step", "jax"),
        contender("TensorFlow", "tf_step", "tensorflow", "for"),
    ),
    targets=(Target(ROW, 1.1, JAX),),
    rounds=(11, 3),
    agree=1e-3,
)
