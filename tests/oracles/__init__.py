"""What operations compute, written independently over NumPy and SciPy: a row an operation, a file a kind."""
