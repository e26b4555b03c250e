"""The scripts that the stories run are no tests: importing them would run them here."""

collect_ignore = ["keras2_idiom.py", "keras3_idiom.py"]
