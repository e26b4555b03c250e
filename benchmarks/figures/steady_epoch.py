"""One epoch of the chapter's model: Huber function, Nadam, MAE, batch 32, with validation."""

from benchmarks.contender import Figure, Target
from benchmarks.figures.entrants import KERAS_JAX, KERAS_TF, RAW_SCAN, SKLEARN, TENSORSMITH, TORCH
from benchmarks.figures.epochs import STEADY

JOB = "benchmarks.figures.epochs:epoch_job"

FIGURE = Figure(
    name="steady_epoch",
    title="Steady epoch: chapter model, custom Huber function, Nadam, MAE, batch 32, validation",
    contenders=(
        TENSORSMITH.enter(JOB, problem="plain"),
        RAW_SCAN.enter(JOB, problem="plain"),
        KERAS_JAX.enter(JOB, problem="plain"),
        KERAS_TF.enter(JOB, rounds=5, problem="plain"),
        TORCH.enter(JOB, problem="plain"),
        SKLEARN.enter(JOB, problem="plain"),
    ),
    targets=(
        Target(STEADY, 1.0, "raw JAX scan"),
        Target(STEADY, 1 / 30, "Keras 3 on JAX"),
        Target(STEADY, 1 / 150, "Keras 3 on TensorFlow"),
    ),
    rounds=(11, 3),
)
