"""Figures of merit: Tensorsmith and its peers, measured in turn in one run."""
