"""What changes, and derivatives."""
