"""Loss and gradient of the chapter's two-layer network on one batch, run eagerly."""

from __future__ import annotations

import timeit
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import housing
from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.problems import BATCH, first_weights
from benchmarks.settings import Settings

ROW = "loss and gradient"

Work = Callable[[], tuple[Any, Sequence[Any]]]


def batch(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    x, y = housing.load(settings.data).train
    return x[:BATCH].copy(), y[:BATCH].copy()


def tape_work(settings: Settings, package: str) -> Work:
    """TensorFlow and Tensorsmith: the same lines."""
    tf = import_module(package)
    x, y = map(tf.constant, batch(settings))
    variables = [tf.Variable(w) for w in first_weights("plain")]
    w1, b1, w2, b2 = variables

    def work() -> tuple[Any, Sequence[Any]]:
        with tf.GradientTape() as tape:
            error = y - (tf.nn.selu(x @ w1 + b1) @ w2 + b2)
            size = tf.abs(error)
            loss = tf.reduce_mean(tf.where(size < 1.0, tf.square(error) / 2, size - 0.5))
        return loss, tape.gradient(loss, variables)

    return work


def torch_work(settings: Settings, package: str) -> Work:
    torch = import_module(package)
    # A second thread costs 7 % at this size.
    torch.set_num_threads(1)
    x, y = map(torch.tensor, batch(settings))
    weights = [torch.tensor(w, requires_grad=True) for w in first_weights("plain")]
    w1, b1, w2, b2 = weights

    def work() -> tuple[Any, Sequence[Any]]:
        error = y - (torch.nn.functional.selu(x @ w1 + b1) @ w2 + b2)
        size = error.abs()
        loss = torch.where(size < 1.0, error.square() / 2, size - 0.5).mean()
        return loss, torch.autograd.grad(loss, weights)

    return work


def torch_builtin_work(settings: Settings, package: str) -> Work:
    """PyTorch's own fused layers and Huber loss: what it costs when nothing is custom."""
    torch = import_module(package)
    torch.set_num_threads(1)
    f = torch.nn.functional
    x, y = map(torch.tensor, batch(settings))
    weights = [torch.tensor(np.ascontiguousarray(w.T), requires_grad=True) for w in first_weights("plain")]
    w1, b1, w2, b2 = weights

    def work() -> tuple[Any, Sequence[Any]]:
        loss = f.huber_loss(f.linear(f.selu(f.linear(x, w1, b1)), w2, b2), y)
        return loss, torch.autograd.grad(loss, weights)

    return work


def jax_work(settings: Settings, package: str) -> Work:
    """Compiled once, called from Python with arrays that are already JAX's."""
    jax = import_module(package)
    scan = import_module("benchmarks.trainers.raw_scan")
    x, y = map(jax.device_put, batch(settings))
    weights = jax.device_put(first_weights("plain"))
    both = jax.jit(jax.value_and_grad(lambda w, x, y: scan.objective("plain", w, x, y)[0]))

    def work() -> tuple[Any, Sequence[Any]]:
        return jax.block_until_ready(both(weights, x, y))

    return work


def gradient_job(settings: Settings, work: str, package: str) -> Job:
    once: Work = globals()[work](settings, package)
    timer = timeit.Timer("once()", globals={"once": once})
    calls = 100 if package == "tensorflow" else 500

    def measure() -> dict[str, float]:
        return {ROW: timer.timeit(calls) / calls}

    def check() -> dict[str, float]:
        loss, gradients = once()
        # Detached by hand: a PyTorch loss still carries its graph.
        value = loss.detach() if hasattr(loss, "detach") else loss
        squares = sum(float(np.sum(np.asarray(g, np.float64) ** 2)) for g in gradients)
        return {"loss": float(value), "gradient norm": squares**0.5}

    measure()
    return Job(measure, check)


def contender(name: str, work: str, package: str) -> Contender:
    options = {"work": work, "package": package}
    return Contender(name, f"{__name__}:gradient_job", (package,), options)


FIGURE = Figure(
    name="tape_gradient",
    title="Tape and gradient of the two-layer network with Huber loss, batch 32, eager",
    contenders=(
        contender(OURS, "tape_work", "tensorsmith"),
        contender("PyTorch", "torch_work", "torch"),
        contender("PyTorch, nothing custom", "torch_builtin_work", "torch"),
        contender("jitted JAX", "jax_work", "jax"),
        contender("TensorFlow", "tape_work", "tensorflow"),
    ),
    targets=(Target(ROW, 0.75, "PyTorch"),),
    rounds=(15, 4),
    agree=1e-4,
)
