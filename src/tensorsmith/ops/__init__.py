"""Pure functions of arrays, each written once over `xp`."""
