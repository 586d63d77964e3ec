"""A panel to play with."""
