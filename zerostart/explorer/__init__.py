"""A panel to play with: change a size, an activation or an initializer, and see at once what the network does."""

from zerostart.explorer.widget import Explorer

__all__ = ["Explorer"]
