"""A cell that is stopped in the middle leaves the model usable, and the next run gives the right result."""

import time

import helpers.compiled
import helpers.seam
import keras
import numpy as np
import pytest

from helpers import diagnose, digits, gradients, mlp, train
from zerostart.diagnosis import Diagnosis

X, Y = digits().x_train[:60], digits().y_train[:60]


def new_model():
    keras.utils.set_random_seed(0)
    model = mlp((5,), kernel_initializer="glorot_uniform")
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, Y, epochs=1, batch_size=20, verbose=0)
    return model


def everything(model):
    return [
        *model.get_weights(),
        *[keras.ops.convert_to_numpy(variable.value) for variable in model.optimizer.variables],
    ]


def short(model):
    return train(model, X, Y, steps=3).loss


def compiled(model):
    return train(model, X, Y, steps=12, batch_size=20).loss


def sweep(model):
    """Train again and again from the same start, as lessons do."""
    start = model.get_weights()
    losses = []
    for seed in range(3):
        model.set_weights(start)
        losses.append(train(model, X, Y, steps=12, batch_size=20, seed=seed).loss)
    model.set_weights(start)
    return np.array(losses)


def gradient(model):
    return np.concatenate([value.ravel() for value in gradients(model, X, Y).values()])


def verdict(model):
    found: Diagnosis = diagnose(model, X, Y)
    return np.array([found.verdict, str(found)])


def stop_at(monkeypatch, place, call):
    """Press the stop button during call number `call` of a method through which the work passes."""
    original, calls = getattr(helpers.seam.RecordedTraining, place), []

    def stopping(self, *arguments, **options):
        calls.append(place)
        result = original(self, *arguments, **options)
        if len(calls) == call:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(helpers.seam.RecordedTraining, place, stopping)


@pytest.mark.parametrize(
    ("work", "place", "call"),
    [
        (short, "train_on_batch", 2),
        (short, "compute_loss", 2),
        (short, "start", 1),
        (compiled, "start", 1),
        (compiled, "fit", 1),
        (compiled, "compute_loss", 1),
        (sweep, "restart", 1),
        (sweep, "fit", 2),
        (gradient, "compute_loss", 1),
        (gradient, "train_on_batch", 1),
        (verdict, "train_on_batch", 1),
        (verdict, "compute_loss", 1),
    ],
)
def test_stopped_work_leaves_the_model_and_the_next_run_right(monkeypatch, work, place, call):
    if place == "compute_loss" and keras.backend.backend() == "torch":
        pytest.skip("Keras on PyTorch catches every error, and so the interruption, while it looks at shapes")
    expected = work(new_model())
    model = new_model()
    before = everything(model)
    monkeypatch.setattr(helpers.compiled, "_kept", {})
    with monkeypatch.context() as patch:
        stop_at(patch, place, call)
        with pytest.raises(KeyboardInterrupt):
            work(model)
    after = everything(model)
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True)) or work is sweep
    if work is sweep:  # the runs before the stopped one have moved the model, as plain code would
        model.set_weights(before[: len(model.get_weights())])
    assert np.array_equal(work(model), expected)
    assert model.fit(X, Y, verbose=0).history["loss"]


def test_a_compiled_training_can_be_stopped_anywhere():
    """Stop it by an alarm, again and again.

    Only once its graph exists: TensorFlow itself may crash when it is interrupted while it traces a graph.
    """
    signal = pytest.importorskip("signal")
    if not hasattr(signal, "setitimer"):
        pytest.skip("needs the timer of Unix")

    def stop(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, stop)
    try:
        model = new_model()
        before, start = everything(model), model.get_weights()
        expected, stopped = compiled(model), 0
        for part in range(1, 6):
            for _ in range(2):  # an interrupted training is not kept: the first of these compiles, the second is timed
                model.set_weights(start)
                started = time.perf_counter()
                assert np.array_equal(compiled(model), expected)
            whole = time.perf_counter() - started
            model.set_weights(start)
            try:
                signal.setitimer(signal.ITIMER_REAL, part / 6 * whole)
                compiled(model)
            except KeyboardInterrupt:
                stopped += 1
                assert all(np.array_equal(a, b) for a, b in zip(before, everything(model), strict=True))
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        assert stopped
    finally:
        signal.signal(signal.SIGALRM, previous)
