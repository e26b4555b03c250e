"""Tracing a train step of some 200 operations in a fresh process: nothing is compiled, no shape was seen before."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.settings import Settings

ROW = "trace of 200 operations"
BLOCKS, BATCH, WIDTH = 11, 64, 512


def trace_job(settings: Settings, package: str) -> Job:
    tf = import_module(package)
    # every block is wider than the one before, so that no operation meets a shape again
    widths = [WIDTH + 2 * n for n in range(BLOCKS)]
    weights = [tf.Variable(np.zeros((width, width), np.float32)) for width in widths]

    def block(x: Any, w: Any, wider: int) -> Any:
        h = tf.nn.softmax(tf.matmul(x, w))
        h = h - tf.reduce_mean(h, axis=-1, keepdims=True)
        h = h * tf.math.rsqrt(tf.math.reduce_variance(h, axis=-1, keepdims=True) + 1e-3)
        a, b = tf.split(h, 2, axis=-1)
        h = tf.concat([tf.nn.gelu(a), tf.sigmoid(b)], -1)
        h = tf.reshape(tf.transpose(tf.reshape(h, [BATCH, 2, -1]), [0, 2, 1]), [BATCH, -1])
        return tf.gather(h, tf.range(wider) % h.shape[1], axis=1)

    @tf.function
    def train_step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            h = x
            for w, width in zip(weights, widths, strict=True):
                h = block(h, w, width + 2)
            loss = tf.reduce_sum(tf.square(h))
        for w, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            w.assign_sub(0.1 * gradient)
        return loss

    def measure() -> dict[str, float]:
        start = time.perf_counter()
        train_step.get_concrete_function(tf.TensorSpec((BATCH, WIDTH)))
        return {ROW: time.perf_counter() - start}

    return Job(measure)


def contender(name: str, package: str, rounds: int | None = None) -> Contender:
    return Contender(name, f"{__name__}:trace_job", (package,), {"package": package}, fresh=True, rounds=rounds)


FIGURE = Figure(
    name="tracing",
    title="Tracing a train step of 200 operations in a fresh process",
    contenders=(contender(OURS, "tensorsmith"), contender("TensorFlow", "tensorflow", rounds=3)),
    targets=(Target(ROW, 0.15),),
    rounds=(7, 3),
)
