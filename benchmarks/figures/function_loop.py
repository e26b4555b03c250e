"""The chapter's custom training loop with its step under `@tf.function`, per step, batch draw included."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import housing
from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.problems import BATCH, first_weights
from benchmarks.settings import Settings

# The loop as the chapter has it shows both metrics after each step: they are read each time. The second
# row never reads them, so that a contender may run ahead of the loop.
READ, UNREAD = "step, status read", "step, nothing read"
CHECKED_STEPS = 60
L2, RATE = 0.05, 0.01

Step = Callable[[np.ndarray, np.ndarray], Any]
Status = Callable[[], tuple[float, float]]


def random_batch(x: np.ndarray, y: np.ndarray, batch_size: int = BATCH) -> tuple[np.ndarray, np.ndarray]:
    """Rows drawn as the chapter draws them."""
    rows = np.random.randint(len(x), size=batch_size)
    return x[rows], y[rows]


def tf_step(package: str, keras_package: str) -> tuple[Step, Status]:
    """TensorFlow and Tensorsmith: the same lines."""
    tf, keras = import_module(package), import_module(keras_package)
    penalty = keras.regularizers.l2(L2)
    model = keras.models.Sequential(
        [
            keras.layers.Dense(30, activation="elu", kernel_initializer="he_normal", kernel_regularizer=penalty),
            keras.layers.Dense(1, kernel_regularizer=penalty),
        ]
    )
    model.build((None, 8))
    model.set_weights(first_weights("plain"))
    optimizer = keras.optimizers.Nadam(learning_rate=RATE)
    loss_fn = keras.losses.mean_squared_error
    mean_loss, metric = keras.metrics.Mean(), keras.metrics.MeanAbsoluteError()

    @tf.function
    def train_step(x_batch: Any, y_batch: Any) -> Any:
        with tf.GradientTape() as tape:
            y_pred = model(x_batch, training=True)
            main_loss = tf.reduce_mean(loss_fn(y_batch, y_pred))
            loss = tf.add_n([main_loss, *model.losses])
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        for variable in model.variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        mean_loss(loss)
        metric(y_batch, y_pred)
        return loss

    return train_step, lambda: (float(mean_loss.result()), float(metric.result()))


def jax_step(flat: bool) -> tuple[Step, Status]:
    """By hand: all state is one donated argument of one compiled function, as a tree or as one flat array."""
    jax = import_module("jax")
    if flat:
        jax.config.update("jax_cpu_enable_async_dispatch", False)
    jnp, scan = jax.numpy, import_module("benchmarks.trainers.raw_scan")
    weights = first_weights("plain")
    zeros = [np.zeros_like(w) for w in weights]
    first = (weights, zeros, [z.copy() for z in zeros], np.float32(0), np.float32(1)), [np.float32(0)] * 4
    leaves, tree = jax.tree.flatten(first)
    ends = np.cumsum([leaf.size for leaf in leaves])

    def step(state: Any, x: Any, y: Any) -> tuple[Any, Any]:
        trained, (loss_sum, count, error_sum, rows) = state

        def objective(w: Any) -> tuple[Any, Any]:
            p = jax.nn.elu(x @ w[0] + w[1]) @ w[2] + w[3]
            penalty = L2 * jnp.sum(jnp.square(w[0])) + L2 * jnp.sum(jnp.square(w[2]))
            return jnp.mean(jnp.square(p - y)) + penalty, p

        (loss, p), gradients = jax.value_and_grad(objective, has_aux=True)(trained[0])
        trained = scan.nadam(trained, gradients, jnp.float32(RATE))
        return (trained, [loss_sum + loss, count + 1, error_sum + jnp.sum(jnp.abs(y - p)), rows + len(x)]), loss

    def flat_step(state: Any, x: Any, y: Any) -> tuple[Any, Any]:
        parts = [part.reshape(leaf.shape) for part, leaf in zip(jnp.split(state, ends[:-1]), leaves, strict=True)]
        changed, loss = step(jax.tree.unflatten(tree, parts), x, y)
        return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(changed)]), loss

    compiled = jax.jit(flat_step if flat else step, donate_argnums=0)
    state = jax.device_put(np.concatenate([np.ravel(leaf) for leaf in leaves]) if flat else first)

    def train_step(x: np.ndarray, y: np.ndarray) -> Any:
        nonlocal state
        state, loss = compiled(state, x, y)
        return loss

    def status() -> tuple[float, float]:
        loss_sum, count, error_sum, rows = np.asarray(state)[-4:] if flat else map(float, state[1])
        return float(loss_sum / count), float(error_sum / rows)

    return train_step, status


def loop_job(settings: Settings, make: str, arguments: list[Any]) -> Job:
    x, y = housing.load(settings.data).train
    train_step, status = globals()[make](*arguments)
    steps = 300 if arguments[0] == "tensorflow" else 2_000

    def run(count: int, read: bool) -> float:
        start = time.perf_counter()
        for _ in range(count):
            train_step(*random_batch(x, y))
            if read:
                status()
        status()
        return (time.perf_counter() - start) / count

    # drawn before the first step: making a model may take from NumPy's generator too
    np.random.seed(42)
    batches = [random_batch(x, y) for _ in range(CHECKED_STEPS)]
    checked = {"first loss": float(train_step(*batches[0]))}
    for batch in batches[1:]:
        train_step(*batch)
    # (tf_keras's Nadam takes other steps from the second on than Keras 3's, which the rest follow)
    if arguments[0] != "tensorflow":
        checked["loss"], checked["error"] = status()

    def measure() -> dict[str, float]:
        return {READ: run(steps, True), UNREAD: run(steps, False)}

    run(steps // 10, True)
    return Job(measure, lambda: checked)


def contender(name: str, make: str, arguments: list[Any], *needs: str) -> Contender:
    return Contender(name, f"{__name__}:loop_job", needs, {"make": make, "arguments": arguments})


JAX = "raw JAX jit"
FIGURE = Figure(
    name="function_loop",
    title="The chapter's own training loop, its step under tf.function, batch 32",
    contenders=(
        contender(OURS, "tf_step", ["tensorsmith", "tensorsmith.keras"], "tensorsmith", "jax"),
        contender(JAX, "jax_step", [False], "jax"),
        contender("raw JAX jit, flat and synchronous", "jax_step", [True], "jax"),
        contender("TensorFlow", "tf_step", ["tensorflow", "tf_keras"], "tensorflow", "tf_keras"),
    ),
    targets=(Target(READ, 0.6, JAX),),
    rounds=(11, 3),
    agree=1e-3,
)
