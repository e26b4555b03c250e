"""The process of one contender: it gets its job ready, then works whenever it is told to."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from typing import Any, TextIO

from benchmarks.contender import Job
from benchmarks.hiding import hide
from benchmarks.settings import Settings


def answers() -> TextIO:
    """The pipe to the runner. Whatever a framework prints goes to stderr instead, so that a
    banner or a progress bar is never read as an answer."""
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return pipe


def start(order: dict[str, Any]) -> Job:
    module, function = order["job"].split(":")
    settings = Settings(**order["settings"])
    return getattr(importlib.import_module(module), function)(settings, **order["options"])


def obey(order: dict[str, Any], job: Job | None) -> tuple[Job | None, dict[str, float]]:
    if order["do"] == "start":
        return start(order), {}
    assert job is not None
    if order["do"] == "check":
        return job, job.check() if job.check else {}
    # A collection that one round's garbage provoked would land in the next one's time.
    gc.collect()
    return job, job.measure()


def main() -> None:
    hide()
    out = answers()
    job: Job | None = None
    for line in sys.stdin:
        try:
            job, result = obey(json.loads(line), job)
            answer: dict[str, Any] = {"result": result}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out)


if __name__ == "__main__":
    main()
