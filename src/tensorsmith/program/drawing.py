"""A picture of a program: plain text always, SVG where graphviz is installed."""

from __future__ import annotations

import html
import shutil
import subprocess
from typing import TYPE_CHECKING

from tensorsmith.program.printing import Names, call_text, shown, typed, variable_name

if TYPE_CHECKING:
    from tensorsmith.program.program import Program


def text(program: Program) -> str:
    """The operations from top to bottom in boxes, a box a layer, with what goes from one to the next beside the arrow."""
    names, specs = Names(program), program.specs
    lines = [f"  {names[i]}  {typed(specs[i])}" for i in program.inputs]
    parts: list[tuple[str, list[str], str]] = []
    for node in program.nodes:
        row = call_text(node, names)
        result = ", ".join(f"{names[o]}: {typed(specs[o])}" for o in node.outputs)
        row = f"{', '.join(names[o] for o in node.outputs)} = {row}" if node.outputs else row
        if parts and parts[-1][0] == node.part and node.part:
            parts[-1] = node.part, [*parts[-1][1], row], result
        else:
            parts.append((node.part, [row], result))
    for part, rows, result in parts:
        width = max(len(row) for row in [shown(part), *rows])
        title = f" {shown(part)} " if part else ""
        lines += ["     │", "     ▼", f"┌{title}{'─' * (width + 2 - len(title))}┐"]
        lines += [f"│ {row.ljust(width)} │" for row in rows]
        lines += [f"└{'─' * (width + 2)}┘  {result}"]
    if program.outputs:
        lines += ["     │", "     ▼", f"  {', '.join(names[o] for o in program.outputs)}"]
    lines += [f"  {shown(variable_name(v))} <- {names[o]}" for v, o in program.updates]
    return "\n".join(lines)


def dot(program: Program) -> str:
    """The program in graphviz's language: layers are boxes around their operations. Names are text, never markup."""
    names, specs = Names(program), program.specs

    def quoted(value: str) -> str:
        escaped = shown(value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    lines = [
        "digraph program {",
        '  node [fontname="Helvetica" fontsize=10 shape=box style="rounded,filled" fillcolor=white];',
    ]
    lines.append('  edge [fontname="Helvetica" fontsize=9 color=gray40];')
    made: dict[int, str] = {}
    for i in program.inputs:
        made[i] = f"v{i}"
        lines.append(f"  v{i} [label={quoted(names[i])} shape=oval fillcolor=lightblue];")
    for source, i in program.captures:
        made[i] = f"v{i}"
        lines.append(f"  v{i} [label={quoted(variable_name(source))} shape=cylinder fillcolor=lightyellow];")
    groups: dict[str, list[str]] = {}
    edges = []
    for at, node in enumerate(program.nodes):
        groups.setdefault(node.part, []).append(f"n{at} [label={quoted(node.op.name)}];")
        for i in dict.fromkeys(node.inputs):
            if i in made:
                edges.append(f"  {made[i]} -> n{at} [label={quoted(typed(specs[i]))}];")
        made.update(dict.fromkeys(node.outputs, f"n{at}"))
    for at, (part, nodes) in enumerate(groups.items()):
        if part:
            lines.append(
                f"  subgraph cluster_{at} {{ label={quoted(part)}; color=gray70; fontname=Helvetica; fontsize=10;"
            )
            lines += [f"    {node}" for node in nodes] + ["  }"]
        else:
            lines += [f"  {node}" for node in nodes]
    lines += edges
    for at, o in enumerate(program.outputs):
        lines.append(f"  r{at} [label={quoted('result')} shape=oval fillcolor=lightgreen];")
        if o in made:
            lines.append(f"  {made[o]} -> r{at} [label={quoted(typed(specs[o]))}];")
    return "\n".join([*lines, "}"])


def svg(program: Program) -> str:
    """The picture as SVG: drawn by graphviz's `dot` where that is installed, else the text in an SVG."""
    if shutil.which("dot") is not None:
        drawn = subprocess.run(
            ["dot", "-Tsvg"], input=dot(program).encode(), capture_output=True, check=False, timeout=60
        )
        if drawn.returncode == 0:
            return drawn.stdout.decode()
    rows = text(program).split("\n")
    width, height = 8 * max(map(len, rows)) + 20, 16 * len(rows) + 20
    body = "".join(
        f'<text x="10" y="{16 * at + 20}" xml:space="preserve">{html.escape(row)}</text>' for at, row in enumerate(rows)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="monospace" '
        f'font-size="13">{body}</svg>'
    )
