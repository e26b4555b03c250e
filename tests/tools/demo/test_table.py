"""The demo's tables."""

import csv
import gzip
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from tensorsmith.tools.demo import diamonds, housing
from tensorsmith.tools.demo.table import CLARITIES, COLORS, CUTS

HEADINGS = (
    "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,median_income,"
    "median_house_value,ocean_proximity"
)


def test_diamonds_are_the_rows_of_the_file() -> None:
    table = diamonds()
    packed = resources.files("tensorsmith.tools.demo").joinpath("data", "diamonds.csv.gz").read_bytes()
    rows = list(csv.DictReader(gzip.decompress(packed).decode().splitlines()))
    assert table.features.shape == (len(rows), len(table.names)) == (20_000, 9)
    for number in (0, 7_777, 19_999):
        row, known = rows[number], dict(zip(table.names, table.features[number], strict=True))
        assert table.target[number, 0] * table.dollars == pytest.approx(float(row["price"]))
        assert [known[name] for name in ("carat", "x")] == [float(row["carat"]), float(row["x"])]
        grades = [CUTS[int(known["cut"])], COLORS[int(known["color"])], CLARITIES[int(known["clarity"])]]
        assert grades == [row["cut"], row["color"], row["clarity"]]


def test_better_diamonds_have_higher_grades() -> None:
    """Among stones of one weight, each grade goes up with the price: the lists run from worst to best."""
    table = diamonds()
    known = {name: table.features[:, number] for number, name in enumerate(table.names)}
    alike = (known["carat"] > 0.95) & (known["carat"] < 1.05)
    for grade in ("color", "clarity"):
        means = [table.target[alike & (known[grade] == place)].mean() for place in np.unique(known[grade][alike])]
        assert means == sorted(means)


def test_the_parts_cover_all_rows_once_and_are_scaled_by_the_training_part() -> None:
    table = diamonds()
    train, valid, test = table.split()
    assert sorted(np.concatenate([part[1] for part in (train, valid, test)])) == sorted(table.target.astype(np.float32))
    np.testing.assert_allclose(train[0].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(train[0].std(axis=0), 1, atol=1e-4)
    assert abs(test[0].mean(axis=0)).max() > 1e-4
    assert {part.dtype for parts in (train, valid, test) for part in parts} == {np.dtype(np.float32)}


def test_one_seed_one_split() -> None:
    table = diamonds()
    np.testing.assert_array_equal(table.split(3)[0][1], table.split(3)[0][1])
    assert (table.split(3)[0][1] != table.split(4)[0][1]).any()


def test_housing_features_are_those_of_scikit_learn(tmp_path: Path) -> None:
    path = tmp_path / "housing.csv"
    path.write_text(
        f"{HEADINGS}\n-122.0,37.5,41.0,880.0,129.0,322.0,126.0,8.3,452600.0,NEAR BAY\n"
        "-121.0,36.5,20.0,500.0,,300.0,100.0,3.0,100000.0,INLAND\n"
    )
    table = housing(path)
    expected = [8.3, 41.0, 880 / 126, 129 / 126, 322.0, 322 / 126, 37.5, -122.0]
    np.testing.assert_allclose(table.features, [expected])  # the row without bedrooms is left out
    np.testing.assert_allclose(table.target * table.dollars, [[452_600.0]])


def test_another_table_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text(HEADINGS.replace("households,", "").replace("population", "people") + "\n")
    with pytest.raises(ValueError) as caught:
        housing(path)
    assert str(caught.value) == f"{path}: not the California housing table; it has no column households, population"
