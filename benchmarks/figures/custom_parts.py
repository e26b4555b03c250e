"""One epoch with every custom part: loss, streaming metric, regularizer, constraint, layer."""

from benchmarks.contender import Figure, Target
from benchmarks.figures.entrants import KERAS_JAX, RAW_SCAN, TENSORSMITH
from benchmarks.figures.epochs import STEADY

JOB = "benchmarks.figures.epochs:epoch_job"

FIGURE = Figure(
    name="custom_parts",
    title="The same with HuberLoss, HuberMetric, L1 regularizer, positive weights and MyDense",
    contenders=(
        TENSORSMITH.enter(JOB, problem="custom"),
        RAW_SCAN.enter(JOB, problem="custom"),
        KERAS_JAX.enter(JOB, problem="custom"),
    ),
    targets=(Target(STEADY, 1.1, "raw JAX scan"),),
    rounds=(11, 3),
)
