"""A panel to play with: change a size, an activation or an initializer, and see at once what the network does.

From the ground: `setting` (what the reader chose), `padded` (one network that stands for all), `rule` (one formula
for all optimizers), `watch` (looks at the units), `training` (a `Run`), `words` and `picture` (what is shown of it),
`controls` (the input widgets) and `panel`.
"""

from helpers.explorer.panel import Explorer

__all__ = ["Explorer"]
