"""One epoch of 1.15 million rows: the housing table a hundred times, with noise."""

from benchmarks.contender import Figure, Target
from benchmarks.figures.entrants import KERAS_JAX, KERAS_TF, RAW_SCAN, TENSORSMITH
from benchmarks.figures.epochs import CALL

JOB = "benchmarks.figures.epochs:large_job"

FIGURE = Figure(
    name="large_table",
    title="One epoch of 1.15 million rows (100 times the table)",
    contenders=(
        TENSORSMITH.enter(JOB, problem="plain", warm_whole=True),
        RAW_SCAN.enter(JOB, problem="plain", warm_whole=True),
        KERAS_JAX.enter(JOB, rounds=2, problem="plain", warm_whole=False),
        KERAS_TF.enter(JOB, rounds=1, problem="plain", warm_whole=False),
    ),
    targets=(Target(CALL, 1.1, "raw JAX scan"),),
    rounds=(9, 2),
)
