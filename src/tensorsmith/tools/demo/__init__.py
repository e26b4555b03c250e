"""The demo: a model made of custom parts, trained on a real table."""

from tensorsmith.tools.demo.story import demo
from tensorsmith.tools.demo.table import Table, diamonds, housing
