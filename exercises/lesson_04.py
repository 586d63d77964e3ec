"""The exercises of lesson 04."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from exercises.kinds import Exercise, Hint

CLOSE = 1e-3


def _fits(answer: Any, net: keras.Model) -> bool:
    return [np.shape(weight) for weight in answer] == [tuple(weight.shape) for weight in net.weights]


def _head(answer: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(answer[-2]), np.asarray(answer[-1])


def _dead(answer: Any) -> bool:
    """Tell whether some hidden kernel is all zeros."""
    return not all(np.any(weight) for weight in answer[:-2] if np.ndim(weight) == 2)


def _first_loss(answer: Any, net: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    """Return the loss that `net` would have with these weights. The net is left as it was."""
    kept = net.get_weights()
    try:
        net.set_weights(answer)
        logits = ops.convert_to_numpy(net(x)).astype("float64")
    finally:
        net.set_weights(kept)
    return float(np.mean(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(y)), y]))


def _prior(y: np.ndarray) -> np.ndarray:
    return np.bincount(y) / len(y)


def _at_entropy(answer: Any, net: keras.Model, x: np.ndarray, y: np.ndarray) -> bool:
    prior = _prior(y)
    return abs(_first_loss(answer, net, x, y) + np.sum(prior * np.log(prior))) < CLOSE


def _after(restart: Callable[[keras.Model], Any]) -> dict[str, bool]:
    """Try the reader's function on a small trained net, train on, and tell what happened."""
    inputs = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    targets = inputs.sum(axis=1, keepdims=True) + 1
    layers = [keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    _update(model, inputs, targets)
    optimizer = model.optimizer
    restart(model)
    found = {"zero": not any(map(np.any, model.get_weights())), "compiled": model.optimizer is not optimizer}
    if found["zero"] and not found["compiled"]:
        _update(model, inputs, targets)
    kernels = [np.any(weight) for weight in model.get_weights() if weight.ndim == 2]
    return {**found, "frozen": not any(kernels), "learns": bool(np.any(model.get_weights()[-1]))}


def _update(model: keras.Model, inputs: np.ndarray, targets: np.ndarray) -> None:
    for _ in range(3):
        model.train_on_batch(inputs, targets)


EXERCISES: dict[str, Exercise] = {
    "4.1": Exercise(
        right=lambda answer: set(answer) == {"C", "D"},
        because="One bound broken is enough: a loss below the entropy, or an accuracy above the majority.",
        hints=(
            Hint(
                example='{"A", "C", "D"}',
                applies=lambda answer: "A" in answer,
                text="The loss of A fell, but only to the entropy. Which net of this lesson did exactly the same?",
            ),
            Hint(
                example='{"B", "C", "D"}',
                applies=lambda answer: "B" in answer,
                text="The loss of B fell a long way, but from a bad start. Has it passed the best constant answer?",
            ),
            Hint(
                example='{"D"}',
                applies=lambda answer: "D" in answer and "C" not in answer,
                text="The accuracy of C is the majority's. Now compare its loss with the best constant answer.",
            ),
            Hint(
                example='{"C"}',
                applies=lambda answer: "C" in answer and "D" not in answer,
                text="The loss of D is poor: where it is wrong, it is sure of itself. "
                "But can a constant answer be right as often as D?",
            ),
        ),
        otherwise='Answer with a set of names such as {"A"}. What can a constant answer reach in the last two columns?',
    ),
    "4.2": Exercise(
        right=lambda answer, **facts: (
            _fits(answer, facts["net"]) and not _dead(answer) and _at_entropy(answer, **facts)
        ),
        because="The output bias holds the logarithms of the shares, so there is nothing left to learn but the images.",
        hints=(
            Hint(
                example="np.log(prior)",
                applies=lambda answer, net, **_: not _fits(answer, net),
                text="The answer must be a list with one array for each weight of `net`, in the shapes of `template`.",
            ),
            Hint(
                example="[np.zeros_like(weight) for weight in template[:-1]] + [np.log(prior)]",
                applies=lambda answer, **facts: _dead(answer) and _at_entropy(answer, **facts),
                text="The first loss is right, but with zero hidden kernels this net is dead.",
            ),
            Hint(
                example="starts['Glorot, zero head'][0]",
                applies=lambda answer, **_: not any(map(np.any, _head(answer))),
                text="A zero head with a zero bias starts at ln K. Which output bias gives each class its share?",
            ),
            Hint(
                example="[*starts['Glorot, zero head'][0][:-1], prior]",
                applies=lambda answer, y, **_: np.allclose(_head(answer)[1], _prior(y), atol=CLOSE),
                text="These are the shares themselves. The net puts its logits through softmax: "
                "what must you give to the exponential to get the shares back?",
            ),
            Hint(
                example="[*starts['Glorot'][0][:-1], np.log(prior)]",
                applies=lambda answer, **_: bool(np.any(_head(answer)[0])),
                text="Your head is random, so it adds something of its own to the bias. Which head adds nothing?",
            ),
        ),
        otherwise="Make the logits equal for all images first; then choose them such that their softmax is the prior.",
    ),
    "4.3": Exercise(
        right=lambda answer: _after(answer) == {"zero": True, "compiled": False, "frozen": True, "learns": True},
        because="The kernels stay at zero and the output bias learns, as in a net that was never trained.",
        hints=(
            Hint(
                example="net.optimizer.variables",
                applies=lambda answer: not callable(answer),
                text="This exercise asks for a function. Give its name, without calling it.",
            ),
            Hint(
                example="lambda model: (model.set_weights([0 * w for w in model.get_weights()]), compile_new(model))",
                applies=lambda answer: _after(answer)["compiled"],
                text="That works, but it compiles. Clear the memory of the optimizer that is there.",
            ),
            Hint(
                example="lambda model: [v.assign(0 * v.value) for v in model.optimizer.variables[2:]]",
                applies=lambda answer: not _after(answer)["zero"],
                text="After your function some weights of the net are not zero.",
            ),
            Hint(
                example="lambda model: model.set_weights([0 * w for w in model.get_weights()])",
                applies=lambda answer: not _after(answer)["frozen"],
                text="The weights are zero, but more training moves the kernels: the optimizer still remembers.",
            ),
            Hint(
                example="lambda model: [v.assign(0 * v.value) for v in [*model.weights, *model.optimizer.variables]]",
                applies=lambda answer: not _after(answer)["learns"],
                text="Now nothing learns, not even the output bias. Print the paths of the optimizer's variables: "
                "which of them is no memory?",
            ),
        ),
        otherwise="Your function raised an error on a small net. It gets one argument, the compiled model.",
    ),
}
