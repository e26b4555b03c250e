"""One epoch of the chapter's ResidualRegressor, a subclassed model with residual blocks."""

from benchmarks.contender import Figure, Target
from benchmarks.figures.entrants import KERAS_JAX, RAW_SCAN, TENSORSMITH, TORCH
from benchmarks.figures.epochs import STEADY

JOB = "benchmarks.figures.epochs:epoch_job"

FIGURE = Figure(
    name="residual_epoch",
    title="Steady epoch of ResidualRegressor: 12 dense layers of 30 units, squared error",
    contenders=(
        TENSORSMITH.enter(JOB, problem="residual"),
        RAW_SCAN.enter(JOB, problem="residual"),
        KERAS_JAX.enter(JOB, problem="residual"),
        TORCH.enter(JOB, rounds=5, problem="residual"),
    ),
    targets=(Target(STEADY, 1.1, "raw JAX scan"),),
    rounds=(11, 3),
)
