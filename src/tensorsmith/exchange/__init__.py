"""Programs and models that leave the process: files written whole, read with distrust."""
