"""The first gradient of a fresh process: what a learner waits for behind the first cell with a tape."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.contender import OURS, Contender, Figure, Job, Target
from benchmarks.runner import child_env
from benchmarks.settings import Settings

FIRST = "from the import to the gradient"

# The chapter's example: 3 w1^2 + 2 w1 w2 at (5, 3), whose gradient is (36, 10).
TAPE = """
import {package} as tf
start = time.perf_counter()
w1, w2 = tf.Variable(5.0), tf.Variable(3.0)
with tf.GradientTape() as tape:
    z = 3 * w1 ** 2 + 2 * w1 * w2
gradient = [g.numpy().item() for g in tape.gradient(z, [w1, w2])]
"""
TORCH = """
import torch
start = time.perf_counter()
w1, w2 = torch.tensor(5.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
z = 3 * w1 ** 2 + 2 * w1 * w2
gradient = [g.item() for g in torch.autograd.grad(z, [w1, w2])]
"""
END = "\nprint(json.dumps([time.perf_counter() - start, *gradient]))"


def first_job(settings: Settings, package: str) -> Job:
    body = TORCH if package == "torch" else TAPE.format(package=package)
    code = f"import json, time\n{body}{END}"
    found: dict[str, float] = {}

    def measure() -> dict[str, float]:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=child_env({})
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        seconds, *gradient = json.loads(done.stdout.strip().splitlines()[-1])
        found.update({"by w1": gradient[0], "by w2": gradient[1]})
        return {FIRST: seconds}

    # The first process of a kind reads its files from disk and may write byte code.
    measure()
    return Job(measure, lambda: found)


def contender(name: str, package: str, rounds: int | None = None) -> Contender:
    return Contender(name, f"{__name__}:first_job", (package,), {"package": package}, rounds=rounds)


FIGURE = Figure(
    name="first_gradient",
    title="The first gradient of a fresh process, behind the import",
    contenders=(
        contender(OURS, "tensorsmith"),
        contender("PyTorch", "torch", rounds=5),
        contender("TensorFlow", "tensorflow", rounds=5),
    ),
    targets=(Target(FIRST, 0.1),),
    rounds=(11, 3),
    agree=1e-6,
)
