"""The words every other file uses: errors, dtypes, shapes, specs, nests, names, context, ports."""
