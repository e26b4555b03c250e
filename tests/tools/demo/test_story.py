"""The demo judges what it does."""

from pathlib import Path

import pytest

from tensorsmith.tools.demo import demo, picture, story


@pytest.fixture(autouse=True)
def small_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows: what is tested here is not how well the models do."""
    table = story.diamonds()
    rows = slice(0, 20_000, 40)
    few = story.Table(table.title, table.names, table.features[rows], table.target[rows], table.dollars)
    monkeypatch.setattr(story, "diamonds", lambda: few)


def test_a_model_that_comes_back_changed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = story.keras.models.load_model

    def load_damaged(path, **settings):
        model = load(path, **settings)
        if str(path).endswith(".h5"):
            model.set_weights([weight + 0.1 for weight in model.get_weights()])
        return model

    monkeypatch.setattr(story.keras.models, "load_model", load_damaged)
    assert demo(out=tmp_path, epochs=1) == 1
    lines = capsys.readouterr().out.splitlines()
    assert ["DIFFERS" in line for line in lines if line.strip().startswith(("small_model.", "residual_model."))] == [
        False,
        True,
        False,
    ]


def test_without_matplotlib_all_but_the_picture_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert demo(out=tmp_path / "new" / "folder", epochs=1) == 0
    assert 'matplotlib is missing, pip install "tensorsmith[plot]"' in capsys.readouterr().out
    assert sorted(path.suffix for path in (tmp_path / "new" / "folder").iterdir()) == [".h5", ".keras", ".keras"]
    assert picture.draw(tmp_path / "x.png", [], story.diamonds(), None, 1.0) is None


def test_a_table_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "no.csv"
    assert demo(data=str(missing), out=tmp_path) == 2
    assert capsys.readouterr().err == f"tensorsmith demo: [Errno 2] No such file or directory: '{missing}'\n"
