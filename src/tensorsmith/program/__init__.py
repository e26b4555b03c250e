"""The one idea: a program is a list of operations."""
