"""A panel to play with: change a size, an activation or an initializer, and see at once what the network does.

From the ground: `network` (a multilayer perceptron in NumPy), `setting` (what the reader chose), `rule` (one formula
for all optimizers), `training` (a `Run`), `words` and `picture` (what is shown of it), `controls` (the input widgets)
and `panel`.
"""

from zerostart.explorer.panel import Explorer

__all__ = ["Explorer"]
