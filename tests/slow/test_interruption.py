"""A cell that is stopped in the middle leaves the model usable, and the next run gives the right result."""

import time

import keras
import numpy as np
import pytest
from test_training import CROSS_ENTROPY, X, Y, same_state, state_of

import zerostart
from helpers import Training, gradients, mlp, train
from zerostart.recorder import GradientKeeper, RecordedModel


def new_model():
    keras.utils.set_random_seed(0)
    model = mlp((5,), kernel_initializer="glorot_uniform")
    model.compile("adam", CROSS_ENTROPY)
    model.fit(X, Y, epochs=1, batch_size=20, verbose=0)
    return model


def short(model):
    return train(model, X, Y, steps=3).loss


def compiled(model):
    return train(model, X, Y, steps=12, batch_size=20).loss


def sweep(model):
    """Train again and again from the same start, as lessons do."""
    start, training = model.get_weights(), Training(model, X, Y)
    losses = []
    for seed in range(3):
        model.set_weights(start)
        losses.append(training.run(12, batch_size=20, seed=seed).loss)
    model.set_weights(start)
    return np.array(losses)


def gradient(model):
    return np.concatenate([value.ravel() for value in gradients(model, X, Y).values()])


def verdict(model):
    return np.array(str(zerostart.diagnose(model, X, Y)))


def stop_at(monkeypatch, place, call):
    """Press the stop button during call number `call` of a method through which the work passes."""
    owner = GradientKeeper if place == "apply" else RecordedModel
    original, calls = getattr(owner, place), []

    def stopping(self, *arguments, **options):
        calls.append(place)
        result = original(self, *arguments, **options)
        if len(calls) == call:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(owner, place, stopping)


@pytest.mark.parametrize(
    ("work", "place", "call"),
    [
        (short, "train_on_batch", 2),
        (short, "compute_loss", 2),
        (compiled, "fit", 1),
        (compiled, "compute_loss", 1),
        (sweep, "fit", 2),
        (gradient, "compute_loss", 1),
        (gradient, "apply", 1),
        (verdict, "compute_loss", 2),
    ],
)
def test_stopped_work_leaves_the_model_and_the_next_run_right(monkeypatch, work, place, call):
    expected, model = work(new_model()), new_model()
    start, before = model.get_weights(), state_of(model)
    with monkeypatch.context() as patch:
        stop_at(patch, place, call)
        with pytest.raises(KeyboardInterrupt):
            work(model)
    assert same_state(before, state_of(model))
    model.set_weights(start)
    assert np.array_equal(work(model), expected)
    assert model.fit(X, Y, verbose=0).history["loss"]


def test_a_training_that_was_stopped_can_be_run_again(monkeypatch):
    model = new_model()
    start, training = model.get_weights(), Training(model, X, Y)
    expected = training.run(30).loss
    model.set_weights(start)
    with monkeypatch.context() as patch:
        stop_at(patch, "fit", 1)
        with pytest.raises(KeyboardInterrupt):
            training.run(30)
    assert all(map(np.array_equal, model.get_weights(), start))
    assert np.array_equal(training.run(30).loss, expected)


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
        before, start, stopped = state_of(model), model.get_weights(), 0
        training = Training(model, X, Y)
        expected = training.run(200, batch_size=20).loss
        for part in range(1, 6):
            for _ in range(2):  # a stopped training is compiled anew: the first of these does, the second is timed
                model.set_weights(start)
                started = time.perf_counter()
                assert np.array_equal(training.run(200, batch_size=20).loss, expected)
            whole = time.perf_counter() - started
            model.set_weights(start)
            try:
                signal.setitimer(signal.ITIMER_REAL, part / 6 * whole)
                training.run(200, batch_size=20)
            except KeyboardInterrupt:
                stopped += 1
                assert same_state(before, state_of(model))
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        assert stopped
    finally:
        signal.signal(signal.SIGALRM, previous)
