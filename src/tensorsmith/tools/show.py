"""Shows the programs of a saved model."""

from __future__ import annotations

import sys

from tensorsmith.core.errors import ModelFileError
from tensorsmith.exchange.saved_model import load


def show(path: str, batch: int | None = None, picture: str | None = None) -> int:
    """Prints each signature's program, or what it costs; draws the first. Returns what the process should exit with."""
    try:
        loaded = load(path)
    except (ModelFileError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    signatures = list(loaded.signatures.values())
    if not signatures:
        print(f"{path} has no signatures.", file=sys.stderr)
        return 1
    for signature in signatures:
        print(f"# {signature.name}({', '.join(signature.input_names)}) -> {', '.join(signature.output_names)}")
        print(signature.program if batch is None else signature.program.count(batch))
    if picture is not None:
        signatures[0].program.draw(picture)
    return 0
