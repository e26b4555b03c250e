"""The command line: `tensorsmith`, or `python -m tensorsmith`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tensorsmith.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; returns what the process should exit with."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    # What a command needs is imported here and not above: `--help` and `--version` answer at once.
    if asked.command == "run":
        from tensorsmith.tools.run import run

        return run(asked.script, asked.arguments, full_traceback=asked.full_traceback)
    if asked.command == "demo":
        from tensorsmith.tools.demo import demo

        return demo(data=asked.data, out=asked.out, epochs=asked.epochs)
    if asked.command == "show":
        from tensorsmith.tools.show import show

        return show(asked.path, asked.count, asked.draw)
    parser.print_help()
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tensorsmith",
        description="TensorFlow 2 and Keras scripts, run on NumPy and XLA.",
    )
    parser.add_argument("--version", action="version", version=f"tensorsmith {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="run a script written for TensorFlow or Keras",
        description="Run a script written for `import tensorflow as tf` or `import keras`, unchanged. Neither needs "
        "to be installed; if one is, the script gets Tensorsmith all the same.",
    )
    run.add_argument(
        "--full-traceback", action="store_true", help="show an error with the frames of Tensorsmith and its libraries"
    )
    run.add_argument("script", metavar="SCRIPT.py")
    run.add_argument("arguments", metavar="...", nargs=argparse.REMAINDER, help="handed to the script as they are")

    demo = commands.add_parser(
        "demo",
        help="train, save and reload a model made of custom parts",
        description="Train a model made of custom parts on a real table (20,000 diamonds and their prices, or "
        "California housing), show how well it does, and check that it is the same after a save and a load.",
    )
    demo.add_argument(
        "--data", metavar="CSV", help="housing.csv, the California housing table, in place of the diamonds"
    )
    demo.add_argument("--out", metavar="DIR", default="demo-out", help="where models and picture go (%(default)s)")
    demo.add_argument("--epochs", metavar="N", type=_positive, default=30, help="passes over the table (%(default)s)")

    show = commands.add_parser(
        "show",
        help="list the programs of a saved model",
        description="List the signatures of a model saved by tf.saved_model.save or model.export: their operations, "
        "shapes, dtypes and lines. Nothing in it is run.",
    )
    show.add_argument("path", metavar="FOLDER")
    show.add_argument(
        "--count",
        metavar="BATCH",
        type=_positive,
        help="what a run costs for this batch size: operations, FLOPs, bytes",
    )
    show.add_argument("--draw", metavar="FILE.svg", help="draw the first signature")
    return parser


def _positive(text: str) -> int:
    """A whole number of 1 or more.

    >>> _positive("3")
    3
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} given; it must be a whole number of 1 or more")
    return int(text)
