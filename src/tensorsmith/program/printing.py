"""How a program reads: a line a value, with its operation, dtype and shape, and the user's line that asked for it."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from tensorsmith.program.program import Node, Program

# constants of up to this many elements are told by their values, where they are used
SHORT = 4
# a column is no wider than this: a longer line runs over it alone
WIDEST = 60


class Row(NamedTuple):
    """One line of a listing: how deep it is in sub-programs, what is named, how it is made, and what is known of it."""

    depth: int
    name: str
    sign: str
    text: str
    type: str = ""
    part: str = ""
    where: str = ""


def is_program(setting: Any) -> bool:
    """True for a sub-program among the settings of a node."""
    return hasattr(setting, "nodes") and hasattr(setting, "captures")


def shown(text: Any) -> str:
    """A name as it may stand on a screen: what cannot be printed is escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))


def typed(spec: Any) -> str:
    """A dtype and shape.

    >>> typed(((None, 2), np.dtype("float32")))
    'float32[None, 2]'
    """
    shape, dtype = spec
    return f"{'string' if dtype == object else dtype.name}[{', '.join(map(str, shape))}]"


def literal(array: Any) -> str:
    """A constant's values.

    >>> literal(np.float32(0.1)), literal(np.array([[1, 2]]))
    ('0.1', '[[1, 2]]')
    """
    array = np.asarray(array)
    if array.ndim == 0 and array.dtype != object:
        return str(array[()])
    if array.dtype.kind == "f":
        text = np.array2string(array, separator=", ", threshold=SHORT, edgeitems=1, floatmode="unique")
    else:
        text = np.array2string(array, separator=", ", threshold=SHORT, edgeitems=1)
    return " ".join(shown(text.replace("\n", " ")).split())


class Names:
    """What each value of a program is called: an argument and a variable by name, others by number, in reading order."""

    def __init__(self, program: Program) -> None:
        self.program, self.names = program, {-1: "None"}
        self._used: set[str] = set()
        for number in program.inputs:
            self._call(number, program.names.get(number) or f"argument_{program.inputs.index(number)}")
        for source, number in program.captures:
            self._call(number, variable_name(source))
        for number, array in program.constants.items():
            if np.size(array) <= SHORT:
                self.names[number] = literal(array)
            else:
                self._call(number, "constant")
        count = 0
        for node in program.nodes:
            for number in node.outputs:
                if number not in self.names:
                    self.names[number] = f"%{count}"
                    count += 1

    def _call(self, number: int, name: str) -> None:
        name = shown(name)
        if number in self.names:  # a value that stands twice: a variable that is an argument too
            return
        unique, count = name, 0
        while unique in self._used:
            count += 1
            unique = f"{name}_{count}"
        self._used.add(unique)
        self.names[number] = unique

    def __getitem__(self, number: int) -> str:
        return self.names.get(number, f"%?{number}")


def variable_name(source: Any) -> str:
    """What a captured object is called: a variable's name or path, without ":0"."""
    name = str(getattr(source, "path", None) or getattr(source, "name", "") or "value")
    return name.removesuffix(":0")


def arguments_text(node: Node, names: Names) -> str:
    """What a node takes, as in a call: values, lists of them, and the settings that are not the default."""
    parts: list[str] = []
    given = [names[number] for number in node.inputs]
    at = 0
    for count in node.groups:
        if count is None:
            parts.append(given[at])
            at += 1
        else:
            parts.append(f"[{', '.join(given[at : at + count])}]")
            at += count
    parts += given[at:]
    while parts and parts[-1] in ("None", "[]"):
        parts.pop()
    for name, value in node.settings.items():
        if value is None or is_program(value) or (isinstance(value, tuple) and any(map(is_program, value))):
            continue
        if not _is_default(node.op.settings.get(name), value):
            parts.append(f"{name}={_setting(value)}")
    return ", ".join(parts)


def _is_default(default: Any, value: Any) -> bool:
    return type(default) is type(value) and not isinstance(value, np.ndarray) and default == value


def _setting(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return literal(value) if value.size <= SHORT else f"array{list(value.shape)}"
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, type) and issubclass(value, np.generic):
        return np.dtype(value).name
    if isinstance(value, tuple) and value[:1] == ("slice",):  # a part of an index
        return ":".join("" if bound is None else _setting(bound) for bound in value[1:]).removesuffix(":") or ":"
    if value is Ellipsis:
        return "..."
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(_setting, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    text = shown(repr(value))
    return text if len(text) <= 40 else text[:37] + "..."


def call_text(node: Node, names: Names) -> str:
    """A node as a call: `matmul(x, kernel)`; a gradient says of what and by what."""
    if node.op.name == "gradient" and "targets" in node.settings:
        settings, inputs = node.settings, [names[i] for i in node.inputs]
        first, second = settings["targets"], settings["targets"] + settings["sources"]
        mode = settings["mode"]
        seeds = (second - first if mode == "tangent" else first) if settings["seeds"] else 0
        given, stops = inputs[second : second + seeds], inputs[second + seeds :]
        text = f"{mode.replace('_', ' ')} of {', '.join(inputs[:first])} by {', '.join(inputs[first:second])}"
        text += f", weighted by {', '.join(given)}" if given else ""
        return text + (f", constant {', '.join(stops)}" if stops else "")
    return f"{node.op.name}({arguments_text(node, names)})"


def sub_programs(node: Node) -> Iterator[tuple[str, Program]]:
    """The programs in a node's settings, by what they are called there."""
    for name, value in node.settings.items():
        if is_program(value):
            yield name, value
        elif isinstance(value, tuple):
            yield from ((f"{name}[{at}]", part) for at, part in enumerate(value) if is_program(part))


def rows(program: Program, depth: int = 0, given: list[str] | None = None) -> Iterator[Row]:
    """The lines of a program, those of its sub-programs below the node that holds them.

    given  for a sub-program: what the last of its arguments are (at first, in a loop) in the program around it.
    """
    names, specs = Names(program), program.specs
    sources = [""] * (len(program.inputs) - len(given or [])) + [f", from {name}" for name in given or []]
    for number, source in zip(program.inputs, sources):
        yield Row(depth, names[number], "=", f"input{source}", typed(specs[number]))
    for source, number in program.captures:
        fixed = "" if getattr(source, "trainable", True) else ", not trainable"
        yield Row(depth, names[number], "=", f"variable{fixed}", typed(specs[number]))
    for number, array in program.constants.items():
        if np.size(array) > SHORT:
            yield Row(depth, names[number], "=", f"constant {literal(array)}", typed(specs[number]))
    for node in program.nodes:
        results = ", ".join(names[number] for number in node.outputs)
        types = ", ".join(typed(specs[number]) for number in node.outputs)
        where = "" if node.where is None else f"{os.path.basename(shown(node.where.file))}:{node.where.line}"
        sign = "=" if results else ""
        yield Row(depth, results, sign, call_text(node, names), types, shown(node.part), where)
        for name, inner in sub_programs(node):
            yield Row(depth + 1, "", "", f"{name}:")
            count = 0 if name == "backward" else min(len(inner.inputs), len(node.inputs))
            yield from rows(inner, depth + 2, [names[i] for i in node.inputs[len(node.inputs) - count :]])
    for variable, number in program.updates:
        yield Row(depth, shown(variable_name(variable)), "<-", names[number])
    if program.outputs:
        yield Row(depth, "", "", f"return {', '.join(names[number] for number in program.outputs)}")


def text(program: Program) -> str:
    """The listing, in columns."""
    lines = [(row, _head(row)) for row in rows(program)]
    columns = [(head, row.type, row.part, row.where) for row, head in lines]
    widths = [min(max((len(line[at]) for line in columns), default=0), WIDEST) for at in range(4)]
    # columns that nobody fills take no room
    out = []
    if program.name:
        out.append(f"{shown(program.name)}:")
    for line in columns:
        cells = [cell.ljust(width) for cell, width in zip(line, widths) if width]
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)


def _head(row: Row) -> str:
    start = "    " * row.depth + row.name
    return f"{start} {row.sign} {row.text}" if row.sign else f"{start}{row.text}"


def as_html(program: Program) -> str:
    """The listing as a table, for notebooks; every text in it is escaped."""
    cells = []
    for row in rows(program):
        head = f"{row.name} {row.sign} {row.text}" if row.sign else row.name + row.text
        style = f"text-align:left;font-family:monospace;padding-left:{1 + 2 * row.depth}em"
        rest = "".join(
            f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in (row.type, row.part, row.where)
        )
        cells.append(f'<tr><td style="{style}">{html.escape(head)}</td>{rest}</tr>')
    head = "".join(f'<th style="text-align:left">{name}</th>' for name in ("value", "type", "part of", "line"))
    caption = f"<caption>{html.escape(shown(program.name))}</caption>" if program.name else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>"
