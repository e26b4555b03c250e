"""The tables to learn from: diamonds (embedded), or California housing (a file of the user's)."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

import numpy as np

Part = tuple[np.ndarray, np.ndarray]  # features [B, n] and target [B, 1], float32

# Worst to best, so that the place in the list is a number that means something.
CUTS = ["Fair", "Good", "Very Good", "Premium", "Ideal"]
COLORS = ["J", "I", "H", "G", "F", "E", "D"]
CLARITIES = ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"]


@dataclass(frozen=True)
class Table:
    """Rows with numbers as features and a price to predict.

    features: [B, n], one name per column in `names`. target: [B, 1], in units of `dollars` US dollars.
    """

    title: str
    names: tuple[str, ...]
    features: np.ndarray
    target: np.ndarray
    dollars: float

    def split(self, seed: int = 42) -> tuple[Part, Part, Part]:
        """Train, validation and test parts (9/16, 3/16 and 4/16 of the rows), features scaled by the training part.

        >>> train, valid, test = diamonds().split()
        >>> len(train[0]), len(valid[0]), len(test[0])
        (11250, 3750, 5000)
        """
        rows = np.random.default_rng(seed).permutation(len(self.features))
        ends = [len(rows) * 9 // 16, len(rows) * 12 // 16]
        parts = [(self.features[of], self.target[of]) for of in np.split(rows, ends)]
        mean, spread = parts[0][0].mean(axis=0), parts[0][0].std(axis=0)
        train, valid, test = [(((x - mean) / spread).astype(np.float32), y.astype(np.float32)) for x, y in parts]
        return train, valid, test


def diamonds() -> Table:
    """20,000 diamonds and their prices (`data/README.md` says where they come from).

    >>> table = diamonds()
    >>> table.features.shape, table.target.shape, table.names[0]
    ((20000, 9), (20000, 1), 'carat')
    """
    packed = resources.files(__package__ or "tensorsmith.tools.demo").joinpath("data", "diamonds.csv.gz").read_bytes()
    grades = {"cut": CUTS, "color": COLORS, "clarity": CLARITIES}
    names = ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z")
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode())))
    columns = [
        [grades[name].index(row[name]) if name in grades else float(row[name]) for row in rows] for name in names
    ]
    return _table("20,000 diamonds", names, columns, [float(row["price"]) for row in rows], dollars=1_000.0)


def housing(path: str | os.PathLike[str]) -> Table:
    """California housing from housing.csv, the table of 20,640 block groups of the 1990 census.

    The features are the eight of scikit-learn's `fetch_california_housing`; rows without `total_bedrooms` are left out.
    """
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        needed = {
            "longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms",
            "population", "households", "median_income", "median_house_value",
        }  # fmt: skip
        missing = sorted(needed - set(reader.fieldnames or ()))
        if missing:
            raise ValueError(
                f"{os.fspath(path)}: not the California housing table; it has no column {', '.join(missing)}"
            )
        rows = [row for row in reader if row["total_bedrooms"]]
    column = {name: np.array([float(row[name]) for row in rows]) for name in needed}
    households = column["households"]
    features = {
        "median income": column["median_income"],
        "house age": column["housing_median_age"],
        "rooms": column["total_rooms"] / households,
        "bedrooms": column["total_bedrooms"] / households,
        "population": column["population"],
        "people in a home": column["population"] / households,
        "latitude": column["latitude"],
        "longitude": column["longitude"],
    }
    title = f"{len(rows):,} Californian block groups"
    return _table(title, tuple(features), features.values(), column["median_house_value"], dollars=100_000.0)


def _table(
    title: str, names: tuple[str, ...], columns: Iterable[Iterable[float]], prices: Iterable[float], dollars: float
) -> Table:
    features = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
    target = np.asarray(prices, dtype=np.float64).reshape(-1, 1) / dollars
    return Table(title, names, features, target, dollars)
