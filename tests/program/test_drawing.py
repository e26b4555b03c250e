"""Pictures of programs: text always, SVG by graphviz where it is, names never markup."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree
from pathlib import Path

import numpy as np
import pytest

import tensorsmith as tf
from tensorsmith import keras
from tensorsmith.program import drawing
from tensorsmith.program.program import Program


def model_program() -> Program:
    return tf.program_of(
        keras.Sequential(
            [keras.Input([3], name="x"), keras.layers.Dense(2, "elu", name="a"), keras.layers.Dense(1, name="b")]
        )
    )


def test_text_has_a_box_a_layer_in_order() -> None:
    text = model_program().draw()
    assert (
        text.index("/a ─")
        < text.index("matmul(x, a/kernel)")
        < text.index("elu")
        < text.index("/b ─")
        < text.index("b/bias")
    )
    boxes = [line for line in text.splitlines() if line[:1] in "┌│└"]
    starts = [at for at, line in enumerate(boxes) if line.startswith("┌")]
    assert len(starts) == 2
    for start, end in zip(starts, [*starts[1:], len(boxes)]):
        # the right sides stand under each other
        assert len({max(line.rfind(c) for c in "┐│┘") for line in boxes[start:end]}) == 1


@pytest.mark.parametrize("graphviz", [True, False])
def test_svg_is_well_formed_and_names_are_text(tmp_path: Path, graphviz: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if graphviz and shutil.which("dot") is None:
        pytest.skip("graphviz is not installed")
    if not graphviz:
        monkeypatch.setattr(shutil, "which", lambda name: None)
    hostile = '<script>alert("x")</script>\\N & \x1b'
    program = Program(hostile)
    program.outputs = [program.input((2,), np.dtype("float32"), hostile)]
    w = tf.Variable([1.0, 2.0], name="w")
    for each in (program, tf.program_of(lambda x: tf.exp(x) * w, tf.TensorSpec([2])), model_program()):
        each.draw(tmp_path / "p.svg")
        root = xml.etree.ElementTree.parse(tmp_path / "p.svg").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not [e for e in root.iter() if e.tag.endswith("script")]
    assert "<script>" not in drawing.svg(program)


def test_the_dot_language_has_layers_as_clusters_and_every_edge() -> None:
    text = drawing.dot(model_program())
    assert text.count("subgraph cluster_") == 2 and text.count(" -> ") == 10 and 'label="a/kernel"' in text
