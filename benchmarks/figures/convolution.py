"""Convolutions and poolings with their gradients: steps of training in one compiled loop, and one step at once."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.settings import Settings

BATCH, SIZE, CHANNELS, FILTERS, RATE, STEPS = 16, 28, 16, 32, 0.1, 10
# shapes of the filters, None for poolings
WORKS: dict[str, tuple[int, ...] | None] = {
    "conv2d 3x3": (3, 3, CHANNELS, FILTERS),
    "conv2d 5x5": (5, 5, CHANNELS, FILTERS),
    "depthwise 3x3": (3, 3, CHANNELS, 1),
    "max_pool 2x2": None,
    "avg_pool 2x2": None,
}
LOOP, EAGER = "in a loop", "at once"

# run() does the work and gives the last loss
Run = Callable[[], float]


def problem(work: str) -> list[np.ndarray]:
    """The image, and the filters where there are some."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((BATCH, SIZE, SIZE, CHANNELS)).astype(np.float32)
    shape = WORKS[work]
    if shape is None:
        return [image]
    return [image, (rng.standard_normal(shape) / np.sqrt(np.prod(shape[:3]))).astype(np.float32)]


def tf_runs(package: str) -> dict[str, Run]:
    """TensorFlow and Tensorsmith: the same lines."""
    tf = import_module(package)

    def forward(work: str, x: Any, *filters: Any) -> Any:
        if work.startswith("conv2d"):
            return tf.nn.conv2d(x, filters[0], 1, "SAME")
        if work.startswith("depthwise"):
            return tf.nn.depthwise_conv2d(x, filters[0], [1, 1, 1, 1], "SAME")
        return (tf.nn.max_pool2d if work.startswith("max") else tf.nn.avg_pool2d)(x, 2, 2, "VALID")

    def runs_of(work: str) -> tuple[Run, Run]:
        start = [tf.constant(value) for value in problem(work)]

        def step(*values: Any) -> tuple[Any, tuple[Any, ...]]:
            with tf.GradientTape() as tape:
                tape.watch(values)
                loss = tf.reduce_mean(tf.square(forward(work, *values)))
            return loss, tuple([v - RATE * g for v, g in zip(values, tape.gradient(loss, values))])

        @tf.function
        def train(*values: Any) -> Any:
            loss = tf.constant(0.0)
            for _ in tf.range(STEPS):
                loss, values = step(*values)
            return loss

        return lambda: float(train(*start)), lambda: float(step(*start)[0])

    return _named(runs_of)


def torch_runs(package: str) -> dict[str, Run]:
    torch = import_module(package)
    torch.set_num_threads(2)
    functional = torch.nn.functional

    def forward(work: str, x: Any, *filters: Any) -> Any:
        if filters:
            size = filters[0].shape[-1]
            groups = CHANNELS if work.startswith("depthwise") else 1
            return functional.conv2d(x, filters[0], padding=size // 2, groups=groups)
        return (functional.max_pool2d if work.startswith("max") else functional.avg_pool2d)(x, 2)

    def runs_of(work: str) -> tuple[Run, Run]:
        image, *filters = problem(work)
        start = [torch.tensor(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))]
        order = (2, 3, 0, 1) if work.startswith("depthwise") else (3, 2, 0, 1)
        start += [torch.tensor(np.ascontiguousarray(f.transpose(order))) for f in filters]

        def steps(count: int) -> float:
            values = [v.clone().requires_grad_() for v in start]
            loss: Any = None
            for _ in range(count):
                loss = forward(work, *values).square().mean()
                gradients = torch.autograd.grad(loss, values)
                values = [(v.detach() - RATE * g).requires_grad_() for v, g in zip(values, gradients)]
            return float(loss.detach())

        return lambda: steps(STEPS), lambda: steps(1)

    return _named(runs_of)


def jax_runs(package: str) -> dict[str, Run]:
    """By hand: `lax.conv_general_dilated` and `lax.reduce_window`, the loop is a `fori_loop`."""
    jax = import_module(package)
    lax, jnp = jax.lax, jax.numpy

    def forward(work: str, x: Any, *filters: Any) -> Any:
        if filters:
            w = filters[0]
            groups = 1
            if work.startswith("depthwise"):
                groups, w = CHANNELS, w.reshape(*w.shape[:2], 1, -1)
            names = ("NHWC", "HWIO", "NHWC")
            return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=names, feature_group_count=groups)
        window = (1, 2, 2, 1)
        if work.startswith("max"):
            return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        return lax.reduce_window(x, 0.0, lax.add, window, window, "VALID") / 4

    def runs_of(work: str) -> tuple[Run, Run]:
        start = jax.device_put(problem(work))

        def loss_of(values: list[Any]) -> Any:
            return jnp.mean(jnp.square(forward(work, *values)))

        def step(_: Any, state: Any) -> Any:
            loss, gradients = jax.value_and_grad(loss_of)(state[1])
            return loss, [v - RATE * g for v, g in zip(state[1], gradients)]

        train = jax.jit(lambda values: lax.fori_loop(0, STEPS, step, (jnp.float32(0), values))[0])
        once = jax.jit(lambda values: step(0, (0.0, values)))
        return lambda: float(train(start)), lambda: float(once(start)[0])

    return _named(runs_of)


def _named(runs_of: Callable[[str], tuple[Run, Run]]) -> dict[str, Run]:
    found = {}
    for work in WORKS:
        found[f"{work}, {LOOP}"], found[f"{work}, {EAGER}"] = runs_of(work)
    return found


def job(settings: Settings, make: str, package: str) -> Job:
    runs: dict[str, Run] = globals()[make](package)
    losses = {row: run() for row, run in runs.items()}
    for run in runs.values():
        run()  # what comes again may be compiled then
    timers = {row: timeit.Timer("run()", globals={"run": run}) for row, run in runs.items()}
    calls = {row: 1 if row.endswith(LOOP) else 3 for row in runs}
    return Job(lambda: {row: t.timeit(calls[row]) / calls[row] for row, t in timers.items()}, lambda: losses)


def contender(name: str, make: str, package: str) -> Contender:
    return Contender(name, f"{__name__}:job", (package,), {"make": make, "package": package})


JAX = "jax.lax by hand"
FIGURE = Figure(
    name="convolution",
    title=f"Convolutions, poolings and their gradients, {BATCH}x{SIZE}x{SIZE}x{CHANNELS}: {STEPS} steps in a loop, one at once",
    contenders=(
        contender(OURS, "tf_runs", "tensorsmith"),
        contender("PyTorch", "torch_runs", "torch"),
        contender(JAX, "jax_runs", "jax"),
        contender("TensorFlow", "tf_runs", "tensorflow"),
    ),
    targets=tuple(Target(f"{work}, {LOOP}", 1.1, than) for work in WORKS for than in (JAX, "PyTorch")),
    rounds=(7, 2),
    agree=1e-3,
)
