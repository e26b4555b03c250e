"""A whole script in miniature: build the chapter's model, train it for two epochs, say the loss.

    python -m benchmarks.cold TRAINER DATA.npz OPTIONS

TRAINER is a file of benchmarks/trainers, OPTIONS its further settings as JSON.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

from benchmarks.hiding import hide
from benchmarks.housing import Table

EPOCHS = 2


def main(name: str, data: str, options: str) -> None:
    hide()
    module = import_module(f"benchmarks.trainers.{name}")
    logs = module.trainer("plain", Table.load(data), **json.loads(options)).train(EPOCHS)
    print(json.dumps(logs))


if __name__ == "__main__":
    main(*sys.argv[1:])
