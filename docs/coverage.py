"""Writes docs/coverage.md: which public names of TensorFlow are here, which are not, and why.

    python docs/coverage.py

The names are those of `docs/tensorflow_names.txt`; reasons are written by hand below.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import tensorsmith

DOCS = Path(__file__).parent
NOT_YET = "Not built yet."

# (namespaces, or "" for any; names, "*" for any letters; why they are not here): the first row that fits is told
REASONS: list[tuple[str, str, str]] = [
    (
        "",
        "qint8 qint16 qint32 quint8 quint16 QUANTIZED_DTYPES",
        "Quantized dtypes: neither NumPy nor XLA's CPU compiler computes with them.",
    ),
    (
        "tf",
        "Graph Operation import_graph_def load_library load_op_library RegisterGradient no_gradient make_ndarray "
        "make_tensor_proto nondifferentiable_batch_function",
        "TensorFlow's own graphs, protocol buffers and C++ kernels: a `Program` is another thing, read and written as data.",
    ),
    (
        "tf",
        "ragged_fill_empty_rows*",
        "Kernels of derivatives, which are derived here.",
    ),
    (
        "tf.debugging",
        "*_log_device_placement",
        "There is one device placement to tell of: that of XLA.",
    ),
    (
        "tf.image",
        "decode_jxl",
        "JPEG XL: Pillow, which reads the other kinds of files, does not read it.",
    ),
    (
        "tf.nn",
        "RNNCell*Wrapper",
        "Wrappers of TensorFlow 1's cells; `keras.layers.RNN` and its cells stand for them.",
    ),
]  # fmt: skip


def names() -> dict[str, list[str]]:
    """TensorFlow's names by namespace."""
    found: dict[str, list[str]] = {}
    for line in (DOCS / "tensorflow_names.txt").read_text().splitlines():
        if line.startswith("  "):
            found[next(reversed(found))] += line.split()
        elif line.endswith(":"):
            found[line[:-1]] = []
    return found


def namespace(dotted: str) -> Any:
    """Our namespace of that name; None when there is none."""
    first, *rest = dotted.split(".")
    found: Any = tensorsmith if first == "tf" else tensorsmith.keras
    for part in rest:
        found = getattr(found, part, None)
    return found


def reason(space: str, name: str) -> str:
    for spaces, patterns, why in REASONS:
        if not spaces or space in spaces.split():
            for pattern in patterns.split():
                if re.fullmatch(pattern.replace("*", ".*"), name):
                    return why
    return NOT_YET


def page() -> str:
    """The text of docs/coverage.md."""
    table, chapters = [], []
    for space, wanted in names().items():
        own = namespace(space)
        here = [name for name in wanted if hasattr(own, name)]
        table.append(
            f"| [`{space}`](#{space.replace('.', '')}) | {len(wanted)} | {len(here)} | {share(here, wanted)} |"
        )
        missing: dict[str, list[str]] = {}
        for name in wanted:
            if name not in here:
                missing.setdefault(reason(space, name), []).append(name)
        chapters += [f"## {space}", ""]
        if here:
            chapters += ["Here:", "", *wrapped(here), ""]
        for why, group in missing.items():
            chapters += [f"Not here. {why}", "", *wrapped(group), ""]
    first = (DOCS / "tensorflow_names.txt").read_text().splitlines()[0].removeprefix("# ")
    head = f"""\
# Which names of TensorFlow are here

{first.split(", a namespace")[0]}, and which of them Tensorsmith has.
Written by `python docs/coverage.py`; the tests hold that it is up to date.

| namespace | names | here | |
| --- | --- | --- | --- |
"""
    return head + "\n".join(table) + "\n\n" + "\n".join(chapters).rstrip() + "\n"


def share(here: list[str], wanted: list[str]) -> str:
    # rounded down, so that only a namespace without a gap shows 100 %
    return f"{100 * len(here) // len(wanted)} %"


def wrapped(group: list[str]) -> list[str]:
    return textwrap.wrap(" ".join(f"`{name}`" for name in group), 110, break_on_hyphens=False)


if __name__ == "__main__":
    (DOCS / "coverage.md").write_text(page())
