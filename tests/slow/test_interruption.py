"""A cell that is stopped in the middle leaves the model usable, and the next run gives the right result."""

import time

import keras
import numpy as np
import pytest
from test_training import CROSS_ENTROPY, X, Y, state_of

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


def long(model):
    return train(model, X, Y, steps=12, batch_size=20).loss


def gradient(model):
    return np.concatenate([value.ravel() for value in gradients(model, X, Y).values()])


def verdict(model):
    return np.array(str(zerostart.diagnose(model, X, Y)))


STOPS = [(short, "train_on_batch", 2), (short, "compute_loss", 2), (long, "fit", 1), (long, "compute_loss", 1)]
STOPS += [(gradient, "compute_loss", 1), (gradient, "apply", 1), (verdict, "train_on_batch", 2)]


@pytest.mark.parametrize(("work", "place", "call"), STOPS)
def test_stopped_work_leaves_the_model_and_the_next_run_right(monkeypatch, work, place, call):
    """Press the stop button during a call of a method through which the work passes."""
    expected, model = work(new_model()), new_model()
    start, before, calls = model.get_weights(), state_of(model), []
    owner = GradientKeeper if place == "apply" else RecordedModel
    original = getattr(owner, place)

    def stopping(self, *arguments, **options):
        calls.append(original(self, *arguments, **options))
        if len(calls) == call:
            raise KeyboardInterrupt
        return calls[-1]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(owner, place, stopping)
        work(model)
    assert state_of(model) == before
    model.set_weights(start)
    assert np.array_equal(work(model), expected)
    assert model.fit(X, Y, verbose=0).history["loss"]


def test_a_compiled_training_can_be_stopped_anywhere():
    """Stop it by an alarm, again and again.

    Only once its graph exists: TensorFlow itself may crash when it is interrupted while it traces a graph.
    """
    signal = pytest.importorskip("signal")
    if not hasattr(signal, "setitimer"):
        pytest.skip("needs the timer of Unix")

    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)  # raises KeyboardInterrupt
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
                assert state_of(model) == before
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        assert stopped
    finally:
        signal.signal(signal.SIGALRM, previous)
