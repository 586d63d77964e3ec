"""A panel to play with: change a size, an activation or an initializer, and see at once what the network does.

`engine` computes, `sentence` says what was found, `widget` shows it in Jupyter; on a web page `web/engine.js` computes.
"""

from zerostart.explorer.widget import Explorer

__all__ = ["Explorer"]
