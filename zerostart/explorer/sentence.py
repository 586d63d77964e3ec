"""What the explorer says of a run. What was measured in it chooses the words, which stand in `web/explorer.json`."""

from typing import Any

import numpy as np

from zerostart.explorer.setting import SHARED, images
from zerostart.verdict import verdict_of

WORDS = SHARED["sentences"]
CLOSE = 0.01  # a loss this close to the entropy, relatively, is not below it


def entropy_and_majority() -> tuple[float, float]:
    """Return the entropy of the classes and the share of the most frequent one."""
    shares = np.bincount(images()[1]) / len(images()[1])
    return float(-np.sum(shares * np.log(shares))), float(shares.max())


def say(run: Any) -> tuple[str, str]:
    """Return the verdict about a `Run`, and a text that says why and what came of it."""
    (entropy, majority), sizes = entropy_and_majority(), np.array(list(run.gradients.values()))
    bad = ~np.isfinite([run.loss, *sizes]).all(axis=0)
    if bad.any():
        return "diverged", WORDS["diverged"].format(bad=bad.argmax())
    last, right, rows = run.loss[-1], run.accuracy[-1], len(images()[1])
    relation = "below" if last < (1 - CLOSE) * entropy else "close" if last <= (1 + CLOSE) * entropy else "above"
    layers = [layer for layer in zip(run.names[:-1], *run.groups, strict=True) if len(set(layer[2])) < len(layer[2])]
    lags = [WORDS["loss lags"]] * (relation != "below") + [WORDS["right lags"]] * bool(right <= majority)
    verdict = verdict_of(list(~sizes[::2].any(axis=1)), bool(layers), bool(lags))
    steps = f"{run.setting.steps} step{'s' * (run.setting.steps > 1)}"
    facts = {"steps": steps, "activation": run.setting.activation, "lags": " and ".join(lags)}
    facts |= {"right": round(rows * right), "rows": rows, "majority": round(rows * majority)}
    for name, loss in {"from": run.loss[0], "to": last, "entropy": entropy}.items():
        facts[name] = f"{loss:.3f}" if loss < 1000 else "over 1000"
    facts["different"] = ", ".join(f"{len(set(last))} of {len(last)} in {name}" for name, _, last in layers)
    facts["differ"] = WORDS["one" if run.setting.units == 1 else "differ"]
    same = all(len(set(zip(first, last, strict=True))) == len(set(last)) for _, first, last in layers)
    why = ["started identical"] * (verdict == "symmetric" and same and not run.setting.dropout)
    why += _frozen(run, facts, sizes) if "frozen" in verdict else []
    return verdict, " ".join(WORDS[piece] for piece in (verdict, *why, relation, "right")).format(**facts)


def _frozen(run: Any, facts: dict[str, Any], sizes: np.ndarray) -> list[str]:
    """Choose what is said of kernels without a gradient, and write their names into `facts`."""
    asleep, relu, pieces = ~sizes[::2].any(axis=1), facts["activation"] == "relu", []
    silent, deaf, zero = asleep & ~run.entered, asleep & ~run.returned, asleep & run.zero
    for key, where in {"asleep": asleep, "silent": silent, "deaf": deaf}.items():
        chosen = [name for name, here in zip(run.names, where, strict=True) if here]
        in_a_row = "".join(chosen) in "".join(run.names)
        listed = f"{chosen[0]} to {chosen[-1]}" if in_a_row and len(chosen) > 2 else " and ".join(chosen)
        facts[key] = f"the kernel{'s' * (len(chosen) > 1)} of {listed}"
        if key == "silent" and chosen:
            source = run.names.index(chosen[0]) - 1
            facts["source"], cause = run.names[source], ", zero" if zero[source] else ", dead" if relu else ""
            pieces.append(key + cause * (in_a_row and facts["activation"] not in ("sigmoid", "softplus")))
        if key == "deaf" and chosen:
            sink = min(run.names.index(chosen[-1]) + 1, len(zero) - 1)
            facts |= {"sink": run.names[sink], "last": chosen[-1]}
            pieces.append(key + (", zero" if zero[sink] else ", dead" if relu and silent[sink] else "") * in_a_row)
    return pieces + ["only"] * (not sizes[:-1].any())
