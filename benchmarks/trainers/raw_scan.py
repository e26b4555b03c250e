"""The chapter's training written by hand in JAX: one compiled program per epoch, default options.

This is the strongest plain form that was found. Also tried: a permutation drawn inside the program
(7.6 ms an epoch against 2.8, because of the sort), rows gathered by the host before the call (3.3),
validation in batches of 32 (2.9), and rows gathered inside the loop (the same 2.8).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.housing import Table
from benchmarks.problems import BATCH, L1_FACTOR, LEARNING_RATE, THRESHOLD, Problem, first_weights

Weights = list[Any]
# weights, first and second moments, step number, product of Nadam's momentum schedule
State = tuple[Weights, Weights, Weights, Any, Any]


def huber(threshold: float, y: jax.Array, p: jax.Array) -> jax.Array:
    size = jnp.abs(y - p)
    return jnp.where(size < threshold, jnp.square(y - p) / 2, threshold * size - threshold**2 / 2)


def predict(problem: Problem, w: Weights, x: jax.Array) -> jax.Array:
    if problem == "residual":
        z = jax.nn.elu(x @ w[0] + w[1])
        for block in (2, 2, 2, 2, 6):
            inner = jax.nn.elu(z @ w[block] + w[block + 1])
            z = z + jax.nn.elu(inner @ w[block + 2] + w[block + 3])
        return z @ w[10] + w[11]
    z = jax.nn.selu(x @ w[0] + w[1]) @ w[2] + w[3]
    return jnp.log(jnp.exp(z) + 1.0) if problem == "custom" else z


def objective(problem: Problem, w: Weights, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The loss with its penalty, and the sum of the metric over the rows."""
    p = predict(problem, w, x)
    if problem == "residual":
        return jnp.mean(jnp.square(y - p)), jnp.zeros(())
    values = huber(THRESHOLD[problem], y, p)
    if problem == "custom":
        return jnp.mean(values) + jnp.sum(jnp.abs(L1_FACTOR * w[2])), jnp.sum(values)
    return jnp.mean(values), jnp.sum(jnp.abs(y - p))


def nadam(state: State, grads: Weights, rate: jax.Array) -> State:
    w, m, v, t, product = state
    t = t + 1
    now = 0.9 * (1 - 0.5 * 0.96**t)
    following = 0.9 * (1 - 0.5 * 0.96 ** (t + 1))
    product = product * now
    m = [a + (g - a) * (1 - 0.9) for a, g in zip(m, grads, strict=True)]
    v = [a + (jnp.square(g) - a) * (1 - 0.999) for a, g in zip(v, grads, strict=True)]
    ahead, here, scale = (
        following / (1 - product * following),
        (1 - now) / (1 - product),
        1 - 0.999**t,
    )
    w = [
        a - rate * (ahead * b + here * g) / (jnp.sqrt(c / scale) + 1e-7)
        for a, b, c, g in zip(w, m, v, grads, strict=True)
    ]
    return w, m, v, t, product


@cache
def epoch_program(problem: Problem) -> Callable[..., Any]:
    """One program for all models of an architecture: rate, weights and data are its arguments."""

    def epoch(state: State, rate: Any, x: Any, y: Any, xv: Any, yv: Any, order: Any) -> tuple[State, jax.Array]:
        def step(carry: Any, batch: Any) -> tuple[Any, None]:
            state, loss_sum, metric_sum = carry
            (loss, metric), grads = jax.value_and_grad(lambda w: objective(problem, w, *batch), has_aux=True)(state[0])
            w, *rest = nadam(state, grads, rate)
            if problem == "custom":
                w[2] = jnp.where(w[2] < 0, 0.0, w[2])
            return ((w, *rest), loss_sum + loss * len(batch[0]), metric_sum + metric), None

        x, y = x[order], y[order]
        whole = len(x) // BATCH * BATCH
        batches = x[:whole].reshape(-1, BATCH, x.shape[1]), y[:whole].reshape(-1, BATCH, 1)
        carry, _ = lax.scan(step, (state, jnp.zeros(()), jnp.zeros(())), batches)
        if whole < len(x):
            carry, _ = step(carry, (x[whole:], y[whole:]))
        state, loss_sum, metric_sum = carry
        val_loss, val_metric = objective(problem, state[0], xv, yv)
        logs = [loss_sum / len(x), metric_sum / len(x), val_loss, val_metric / len(xv)]
        return state, jnp.stack(logs)

    return jax.jit(epoch, donate_argnums=0)


class RawScan:
    def __init__(self, problem: Problem, table: Table, shuffle: bool, seed: int, learning_rate: float) -> None:
        weights = first_weights(problem, seed)
        zeros = [np.zeros_like(w) for w in weights]
        # device_put and not jnp.array: that would compile a small program of its own first.
        self.state: State = jax.device_put((weights, zeros, [z.copy() for z in zeros], np.float32(0), np.float32(1)))
        self.data = jax.device_put((*table.train, *table.valid))
        self.rows, self.shuffle, self.rate = len(table.train[0]), shuffle, np.float32(learning_rate)
        self.rng = np.random.default_rng(seed)
        self.program = epoch_program(problem)
        self.problem = problem

    def train(self, epochs: int) -> dict[str, float]:
        logs = np.zeros(4)
        for _ in range(epochs):
            order = np.arange(self.rows, dtype=np.int32)
            if self.shuffle:
                self.rng.shuffle(order)
            self.state, out = self.program(self.state, self.rate, *self.data, order)
            logs = np.asarray(out)
        loss, metric, val_loss, val_metric = logs.tolist()
        if self.problem == "residual":
            return {"loss": loss, "val_loss": val_loss}
        return {"loss": loss, "metric": metric, "val_loss": val_loss, "val_metric": val_metric}


def trainer(
    problem: Problem,
    table: Table,
    shuffle: bool = True,
    seed: int = 0,
    learning_rate: float = LEARNING_RATE,
) -> RawScan:
    return RawScan(problem, table, shuffle, seed, learning_rate)
