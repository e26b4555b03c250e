"""From Python to one compiled program."""
