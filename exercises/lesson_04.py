"""The exercises of lesson 4, zeros as a baseline."""

from typing import Any

import keras
import numpy as np

from exercises import called, exercise
from helpers import mlp, train
from zerostart.models import restored

CLOSE = 1e-3


@exercise("4.1", right="The head's bias holds the logarithms of the shares, so only the images are left to learn.")
def starts_at_entropy(answer: Any, net: keras.Model, x: np.ndarray, y: np.ndarray) -> str | None:
    """Ask for weights whose first loss is the entropy, with no hidden kernel of zeros."""
    shapes = [tuple(weight.shape) for weight in net.weights]
    if not isinstance(answer, (list, tuple)) or [np.shape(weight) for weight in answer] != shapes:
        return "The answer must be a list with one array for each weight of `net`, in the shapes of `template`."
    *hidden, kernel, bias = map(np.asarray, answer)
    prior = np.bincount(y) / len(y)
    with restored(net):
        net.set_weights(answer)
        at_entropy = abs(train(net, x, y, steps=1).loss[0] + np.sum(prior * np.log(prior))) < CLOSE
    if not all(np.any(weight) for weight in hidden if weight.ndim == 2):
        return f"A hidden kernel is zero{', though the first loss is right' if at_entropy else ''}. Here none may be."
    if at_entropy:
        return None
    if np.any(kernel):
        return "The head's kernel may add something of its own to the bias. Which kernel adds nothing?"
    if not np.any(bias):
        return "A zero head with a zero bias starts at ln K. Which bias gives each class its share?"
    if np.allclose(bias, prior, atol=CLOSE):
        return "These are the shares. Softmax takes exponentials of the logits: which logits give the shares back?"
    return "The logits are the same for all images. Now choose them such that their softmax is the prior."


@exercise("4.2", right="One bound passed is enough: a loss below the entropy, or an accuracy above the majority.")
def who_looks(answer: Any) -> str | None:
    """Ask which nets have proved to look at their input."""
    if not isinstance(answer, set) or not answer <= set("ABCD"):
        return 'Answer with a set of names such as {"A"}.'
    if "A" in answer:
        return "The loss of A fell, but only to the entropy. Which net of this lesson did exactly the same?"
    if "B" in answer:
        return "The loss of B fell a long way, but from a bad start. Has it passed the best constant answer?"
    if "C" not in answer:
        return "The accuracy of C is the majority's. Now compare its loss with that of the best constant answer."
    if "D" not in answer:
        return "D is wrong with confidence, so its loss is poor. But can a constant answer be right as often as D?"
    return None


@exercise("4.3", right="It trains on like a net that has just been compiled.")
def restarts(answer: Any) -> str | None:
    """Ask for a function that restarts a trained model without compiling it."""
    model, fresh = (mlp((2,), kernel_initializer=kernel, inputs=3, outputs=1) for kernel in ("glorot_uniform", "zeros"))
    for net in (model, fresh):
        net.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    _update(model)
    optimizer = model.optimizer
    called(answer, model)
    if any(map(np.any, model.get_weights())):
        return "After your function some weights of the net are not zero."
    if model.optimizer is not optimizer:
        return "That makes a new optimizer. Bring the optimizer back that is there."
    _update(fresh)
    _update(model)
    if any(np.any(weight) for weight in model.get_weights() if weight.ndim == 2):
        return "The weights were zero, but more training moved the kernels: the optimizer still remembers."
    if not np.any(model.get_weights()[-1]):
        return "Now nothing learns, not even the head's bias. Which of the optimizer's variables is no memory?"
    if not np.allclose(model.get_weights()[-1], fresh.get_weights()[-1], rtol=1e-4):
        return "The kernels stay at zero, but the first updates have another size than in a new net. What is left?"
    return None


def _update(model: keras.Model) -> None:
    """Train a little, with targets that the head's bias can learn."""
    for _ in range(3):
        model.train_on_batch(np.eye(3), np.arange(3.0)[:, None])
