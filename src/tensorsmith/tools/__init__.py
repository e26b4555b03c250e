"""Floor 9: for people at a keyboard."""
