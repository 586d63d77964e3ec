"""The explorer shows what Keras computes, answers bad values, and never lags behind its controls."""

import gc
import itertools
import random
import resource
import sys
import threading
import time
from dataclasses import replace

import keras
import numpy as np
import pytest
from lessons import LESSONS, code_cells, read
from nbconvert import HTMLExporter

from helpers import effective_width, mlp, train, unit_spread
from zerostart.diagnosis import diagnose
from zerostart.explorer import Explorer, panel
from zerostart.explorer.network import ACTIVATIONS
from zerostart.explorer.picture import Picture
from zerostart.explorer.setting import INITIALIZERS, OPTIMIZERS, Setting, new_optimizer
from zerostart.explorer.training import examples, run
from zerostart.explorer.words import sentence, verdict

X, Y = examples()
SMALL = {"units": 5, "steps": 10}


def plain_network(setting):
    """Build the network of `setting` as a lesson would."""
    model = mlp((setting.units,) * setting.layers, activation=setting.activation)
    for layer, kernel in zip(model.layers, setting.initial_kernels(), strict=True):
        layer.set_weights([kernel, np.zeros(kernel.shape[1])])
    return model


@pytest.mark.parametrize(
    "setting",
    [
        *(Setting(name, "glorot_uniform", units=7, steps=25) for name in ACTIVATIONS),
        *(Setting("tanh", "glorot_uniform", "zeros", units=5, layers=1, optimizer=name) for name in OPTIMIZERS),
        Setting("silu", "he_normal", "zeros", units=33, layers=3, optimizer="rmsprop", steps=25),
        Setting("sigmoid", "orthogonal", units=1, layers=1, optimizer="sgd", steps=25),
        Setting("softplus", "random_normal", "ones", 3.0, 100, 4, "momentum", 25),
        Setting("relu", "zeros", "glorot_uniform", units=16, layers=1, steps=25),
        Setting("relu", "glorot_uniform", "zeros", units=16, layers=2, steps=25),
        Setting("tanh", "zeros", units=16, steps=25),
        Setting("sigmoid", "zeros", units=16, layers=8, steps=25),
    ],
    ids=str,
)
def test_numpy_computes_what_keras_does(setting):
    model = plain_network(setting)
    recording = train(model, X, Y, steps=setting.steps, optimizer=new_optimizer(setting.optimizer))
    found = run(setting)
    np.testing.assert_allclose(found.loss, recording.loss, rtol=1e-5)
    assert list(found.gradients) == [name.removeprefix("mlp/") for name in recording.names]
    # Behind a head of equal weights a gradient is a sum that cancels: what rounding leaves of it is compared with
    # the largest gradient, because the processor decides its digits.
    largest = max(sizes.max() for sizes in recording.gradient_rms.values())
    for name, sizes in found.gradients.items():
        expected = recording.gradient_rms[f"mlp/{name}"]
        np.testing.assert_allclose(sizes, expected, rtol=1e-3, atol=1e-6 * largest)
        assert ((sizes == 0) == (expected == 0)).all() or expected.max() < 1e-6 * largest
    for layer, kernel in zip(model.layers, found.kernels, strict=True):
        np.testing.assert_allclose(kernel, keras.ops.convert_to_numpy(layer.kernel), atol=1e-5)
    assert found.width[:, -1].tolist() == [effective_width(layer.kernel, layer.bias) for layer in model.layers[:-1]]
    spread = [unit_spread(layer.kernel) for layer in model.layers[:-1]]
    np.testing.assert_allclose(found.spread[:, -1], spread, atol=1e-5)
    logits = keras.ops.convert_to_numpy(model(X))
    assert found.accuracy == pytest.approx(np.mean(logits.argmax(axis=1) == Y), abs=0.02)


def test_dropout_drops_and_breaks_symmetry():
    with_dropout = run(Setting("sigmoid", dropout=0.5, steps=100))
    without = run(Setting("sigmoid", steps=100))
    assert verdict(without) == "symmetric" and verdict(with_dropout) == "learns"
    assert run(Setting("tanh", dropout=0.5, steps=20)).width.max() == 1  # dropping zeros changes nothing
    np.testing.assert_array_equal(run(Setting("sigmoid", dropout=0.5, steps=100)).loss, with_dropout.loss)


@pytest.mark.parametrize("kernels", ["zeros", "ones", "glorot_uniform"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_the_verdict_is_that_of_diagnose(activation, kernels):
    for head, layers in [("zeros", 2), ("glorot_uniform", 1), ("glorot_uniform", 2)]:
        setting = Setting(activation, kernels, head, 0.05, units=8, layers=layers, steps=20)
        result = run(setting)
        assert verdict(result) == diagnose(plain_network(setting), X, Y).verdict, f"{setting}"
        assert sentence(result).startswith(f"<b>{verdict(result).capitalize()}</b>: ")


def test_a_run_can_be_abandoned_and_says_how_far_it_is():
    shares = []

    def go_on(share):
        shares.append(share)
        return share < 0.6

    assert run(Setting(steps=100), go_on) is None
    assert shares[-1] == 0.6 and run(Setting(steps=20)).loss.shape == (20,)


def test_numbers_that_overflow_are_drawn_and_named():
    result = run(Setting("linear", "ones", scale=1e30, steps=10))
    assert verdict(result) == "diverged" and "overflow" in sentence(result)
    assert Picture(large=True).png(result).startswith(b"\x89PNG")


@pytest.fixture
def explorer():
    return Explorer(**SMALL)


def test_a_change_changes_the_picture_and_the_sentence(explorer):
    pictures = [explorer.figure.value]
    assert explorer.message.value.find("Frozen") > 0 and bytes(pictures[0]).startswith(b"\x89PNG")
    for name, value in {"activation": "sigmoid", "units": 9, "layers": 3, "scale": 0.5, "large_type": True}.items():
        explorer.controls[name].value = value
        pictures.append(explorer.figure.value)
    explorer.controls["kernel_initializer"].value = "glorot_uniform"
    pictures.append(explorer.figure.value)
    explorer.controls["compare_with"].value = "the last setting"
    pictures.append(explorer.figure.value)
    assert "Grey: 3 x 9 sigmoid, zeros" in explorer.message.value
    assert all(before != after for before, after in itertools.pairwise(pictures[:4] + pictures[5:]))
    assert pictures[3] == pictures[4]  # half of nothing is nothing


def test_the_ghost_is_the_last_setting_or_stays(explorer):
    explorer.controls["compare_with"].value = "the setting shown now"
    for units in (6, 7):
        explorer.controls["units"].value = units
        assert "Grey: 2 x 5 tanh" in explorer.message.value
    explorer.controls["compare_with"].value = "the last setting"
    assert "Grey: 2 x 6 tanh" in explorer.message.value
    explorer.controls["compare_with"].value = "nothing"
    assert "Grey" not in explorer.message.value


def test_a_seen_setting_gives_the_same_picture_at_once(explorer, monkeypatch):
    before = explorer.figure.value
    explorer.controls["units"].value = 6
    monkeypatch.setattr(panel, "run", None)
    explorer.controls["units"].value = 5
    assert explorer.figure.value == before


@pytest.mark.parametrize(
    ("name", "value"), [("units", 0), ("units", 10**6), ("scale", -1.0), ("scale", float("nan")), ("units", -3)]
)
def test_a_bad_value_is_answered_and_the_picture_stays(explorer, name, value):
    before, good = explorer.figure.value, explorer.controls[name].value
    explorer.controls[name].value = value
    assert f"{name}: expected" in explorer.message.value and explorer.figure.value == before
    assert "still shows: 2 x 5 tanh, zeros, adam, 10 steps" in explorer.message.value
    explorer.controls[name].value = good
    assert "Frozen" in explorer.message.value and explorer.figure.value == before


def test_an_unforeseen_error_is_answered_too(explorer, monkeypatch):
    def broken(setting, go_on):
        raise RuntimeError("out <of> luck")

    monkeypatch.setattr(panel, "run", broken)
    explorer.controls["units"].value = 6
    assert "out &lt;of&gt; luck" in explorer.message.value


def test_bad_starting_values_are_refused():
    with pytest.raises(ValueError, match="units: expected an integer of at least 1, got 0"):
        Explorer(units=0)
    with pytest.raises(ValueError, match="activation: expected one of tanh"):
        Explorer(activation="nope")
    with pytest.raises(TypeError, match="colour"):
        Explorer(colour="red")


def test_a_change_in_the_browser_does_not_wait_and_interrupts_the_one_before(explorer, monkeypatch):
    finished = []
    original = panel.run

    def watched(setting, go_on):
        result = original(setting, go_on)
        finished.append((setting.steps, result is not None))
        return result

    monkeypatch.setattr(panel, "run", watched)
    monkeypatch.setattr(panel, "_comes_from_browser", lambda: True)
    explorer.controls["steps"].value = 2000
    deadline = time.monotonic() + 30
    while explorer.progress.layout.visibility == "hidden" and time.monotonic() < deadline:
        time.sleep(0.001)
    explorer.controls["steps"].value = 20
    explorer.wait()
    assert finished == [(2000, False), (20, True)]
    assert explorer.figure.value == Picture(large=False).png(run(Setting(units=5, steps=20)))
    assert explorer.progress.layout.visibility == "hidden"


def test_nothing_is_printed(capfd):
    Explorer(**SMALL).controls["units"].value = 0
    assert capfd.readouterr() == ("", "")


GOOD = {
    "activation": tuple(ACTIVATIONS),
    "kernel_initializer": INITIALIZERS,
    "head_initializer": ("same", *INITIALIZERS),
    "scale": (0.0, 1e-4, 0.1, 1.0, 3.0, 1e20),
    "units": (1, 2, 7, 16, 31, 32),
    "layers": (1, 2, 3, 4),
    "optimizer": OPTIMIZERS,
    "steps": (10, 30, 70),
    "compare_with": ("nothing", "the last setting", "the setting shown now"),
    "large_type": (False, True),
}
BAD = {"scale": (-1.0, float("nan"), float("inf")), "units": (0, -7, 257, 10**9)}


def change_at_random(explorer, generator):
    name = generator.choice(list(GOOD))
    values = GOOD[name] + (BAD[name] if name in BAD and generator.random() < 0.5 else ())
    explorer.controls[name].value = generator.choice(values)


def is_fresh(explorer):
    """Tell whether picture and message are those of the controls."""
    try:
        setting = explorer.setting
    except ValueError as problem:
        return str(problem) in explorer.message.value
    result = explorer._runs[setting]
    picture = explorer._picture(result, explorer._ghost_now())
    return sentence(result) in explorer.message.value and explorer.figure.value == picture


def settings_at_random(count, seed=0):
    generator, explorer = random.Random(seed), Explorer(**SMALL)
    for number in range(count):
        change_at_random(explorer, generator)
        assert is_fresh(explorer), f"change {number}: {[control.value for control in explorer.controls.values()]}"


def memory_after(count, explorer, generator):
    for _ in range(count):
        change_at_random(explorer, generator)
    gc.collect()
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_random_settings_never_raise_and_are_never_stale():
    settings_at_random(25)


def test_memory_does_not_grow():
    explorer, generator, threads = Explorer(**SMALL), random.Random(1), threading.active_count()
    after_15 = memory_after(15, explorer, generator)
    assert memory_after(25, explorer, generator) < 1.15 * after_15
    assert threading.active_count() == threads


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_what_lesson_2_says_about_the_panel(layers):
    start = Setting("sigmoid", layers=layers)
    assert verdict(run(start)) == "symmetric" and run(start).width.max() == 1
    random_head = run(replace(start, head_initializer="glorot_uniform"))
    assert [width > 1 for width in random_head.different] == [False] * (layers - 1) + [True]


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_what_lesson_3_says_about_the_panel(layers):
    start = Setting("sigmoid", layers=layers, steps=10 * (layers + 1))
    kernels = [sizes for name, sizes in run(start).gradients.items() if name.endswith("kernel")]
    assert [int(np.flatnonzero(sizes)[0]) for sizes in kernels] == list(range(layers, -1, -1))
    moving = [name for name, sizes in run(replace(start, activation="tanh")).gradients.items() if sizes.any()]
    assert moving == ["head/bias"]
    random_head = replace(start, head_initializer="glorot_uniform", layers=1)
    assert verdict(run(replace(random_head, activation="tanh"))) == "learns"
    assert verdict(run(replace(random_head, activation="relu"))) == "frozen"


@pytest.mark.parametrize("scale", [0.05, 0.025, 0.01])
def test_what_lesson_6_says_about_the_panel(scale):
    start = Setting("tanh", "glorot_uniform", scale=scale, optimizer="momentum", steps=200)

    def leaves(**changes):
        below = np.flatnonzero(run(replace(start, **changes)).loss < 2.2)
        return below[0] if len(below) else start.steps

    assert leaves() == start.steps and "plateau" in sentence(run(start))
    assert leaves(optimizer="adam") < min(leaves(layers=1), leaves(scale=2 * scale))
    assert verdict(run(replace(start, optimizer="adam", scale=0.0))) == "frozen"


def test_lessons_keep_the_picture_without_a_kernel():
    shown = 0
    for path in LESSONS:
        notebook = read(path)
        page = HTMLExporter().from_notebook_node(notebook)[0]
        for cell in code_cells(notebook):
            if "Explorer(" in cell.source:
                (output,) = cell.outputs
                assert set(output.data) == {"text/plain", "image/png"}
                assert output.data["image/png"].strip() in page
                shown += 1
    assert shown == 3


@pytest.mark.parametrize(
    "start",
    [{"compare_with": "x"}, {"large_type": "yes"}, {"steps": 5}, {"dropout": 0.95}, {"units": 0}, {"colour": "red"}],
    ids=str,
)
def test_a_bad_start_is_refused_by_name(start):
    (name,) = start
    with pytest.raises((TypeError, ValueError), match=name) as problem:
        Explorer(**start)
    assert type(problem.value) in (TypeError, ValueError)
