"""Times how soon the explorer shows a setting that it has never seen, and one that it has."""

import random
import time

import numpy as np

from benchmarks.timing import seconds, table
from zerostart.explorer import Explorer
from zerostart.explorer.network import ACTIVATIONS
from zerostart.explorer.picture import Picture
from zerostart.explorer.setting import INITIALIZERS, OPTIMIZERS, Setting
from zerostart.explorer.training import run

COUNT, STEPS, MOST_UNITS, MOST_LAYERS = 60, 200, 128, 4


def random_setting(generator: random.Random) -> Setting:
    """Return any setting of up to 4 layers of 128 units and 200 steps."""
    return Setting(
        activation=generator.choice(tuple(ACTIVATIONS)),
        kernel_initializer=generator.choice(INITIALIZERS),
        head_initializer=generator.choice(("same", *INITIALIZERS)),
        units=generator.randint(1, MOST_UNITS),
        layers=generator.randint(1, MOST_LAYERS),
        optimizer=generator.choice(OPTIMIZERS),
        steps=STEPS,
        dropout=generator.choice((0.0, 0.0, 0.0, 0.5)),
    )


def measure() -> str:
    """Return a table of percentiles."""
    explorer, picture, generator = Explorer(), Picture(large=False), random.Random(0)
    picture.png(run(Setting(steps=STEPS)))
    wall, processor, seen = [], [], []
    for _ in range(COUNT):
        setting, before = random_setting(generator), time.process_time()
        wall.append(seconds(lambda setting=setting: picture.png(run(setting))))
        processor.append(time.process_time() - before)
    units = explorer.controls["units"]
    units.value = 17
    for value in [16, 17] * 10:
        seen.append(seconds(lambda value=value: setattr(units, "value", value)))
    rows = [("never seen", wall), ("never seen: processor time", processor), ("seen", seen)]
    numbers = [(name, *(f"{np.quantile(times, q):.3f}" for q in (0.5, 0.95, 1))) for name, times in rows]
    text = table(("seconds from a setting to its picture", "median", "95th percentile", "largest"), *numbers)
    return f"{text}\n{COUNT} random settings; targets: 1 s for one never seen, 0.15 s for one seen.\n"
