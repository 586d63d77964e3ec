"""The explorer computes what Keras does, in both of its languages, says what was measured, and is never stale."""

import base64
import itertools
import json
import os
import random
import shutil
import subprocess
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest
from lessons import ROOT, python

from helpers import digits, effective_width, mlp, train, unit_spread
from zerostart.explorer import Explorer
from zerostart.explorer.engine import ACTIVATIONS, Net, run
from zerostart.explorer.setting import CONTROLS, START, Setting, images, initial_kernel
from zerostart.verdict import MEANINGS

X, Y = images()
OPTIMIZERS, INITIALIZERS = (CONTROLS[name]["choices"] for name in ("optimizer", "kernel_initializer"))
OFFERED = ("activation", "kernel_initializer", "head_initializer", "optimizer")
SMALL = {"units": 5, "steps": 10}


def test_the_data_are_the_first_training_digits():
    np.testing.assert_array_equal(X, digits().x_train[:128])
    np.testing.assert_array_equal(Y, digits().y_train[:128])


def optimizer(name):
    return keras.optimizers.SGD(momentum=0.9) if name == "momentum" else keras.optimizers.get(name)


def in_keras(setting):
    """Build the network of `setting` as a lesson would, with the same kernels."""
    hidden = (setting.units,) * setting.layers
    model = mlp(hidden, activation=setting.activation, kernel_initializer="zeros")
    for layer, kernel in zip(model.layers, Net(setting, [64, *hidden, 10]).kernels, strict=True):
        layer.set_weights([kernel, np.zeros(kernel.shape[1])])
    return model


COMPARED = [
    *(Setting(name, "glorot_uniform", units=7, steps=25) for name in ACTIVATIONS),
    *(Setting("tanh", "glorot_uniform", "zeros", units=5, layers=1, optimizer=name) for name in OPTIMIZERS),
    Setting("softplus", "random_normal", "ones", 3.0, 100, 4, "momentum", 25),
    Setting("relu", "zeros", "glorot_uniform", units=16, layers=1, steps=25),
    Setting("tanh", "ones", units=9, steps=25),
    Setting("sigmoid", "zeros", units=16, layers=8, steps=25),
]


@pytest.mark.parametrize("setting", COMPARED, ids=str)
def test_numpy_computes_what_keras_does(setting):
    model, found = in_keras(setting), run(setting)
    recording = train(model, X, Y, steps=setting.steps, optimizer=optimizer(setting.optimizer))
    np.testing.assert_allclose(found.loss[:-1], recording.loss, rtol=1e-5)
    assert list(found.gradients) == [name.removeprefix("mlp/") for name in recording.names]
    # What is exactly 0 in Keras is so here, except that TensorFlow takes for 0 what is smaller than any normal float32.
    # Behind a head of equal weights a gradient is a sum that cancels: here it is exactly 0, and what rounding leaves of
    # it in Keras is next to nothing beside the largest gradient.
    largest = max(sizes.max() for sizes in recording.gradient_rms.values())
    for name, sizes in found.gradients.items():
        expected = recording.gradient_rms[f"mlp/{name}"]
        np.testing.assert_allclose(sizes[:-1], expected, rtol=1e-3, atol=1e-6 * largest)
        assert sizes[:-1][expected == 0].max(initial=0) < np.finfo("float32").tiny
        assert expected[sizes[:-1] == 0].max(initial=0) < 1e-6 * largest
    for layer, kernel in zip(model.layers, found.kernels, strict=True):
        known = keras.ops.convert_to_numpy(layer.kernel)[: kernel.shape[1], : kernel.shape[2]]
        np.testing.assert_allclose(kernel[-1], known, atol=1e-5)
    assert found.width[-1].tolist() == [effective_width(layer.kernel, layer.bias) for layer in model.layers[:-1]]
    np.testing.assert_allclose(found.spread[-1], [unit_spread(layer.kernel) for layer in model.layers[:-1]], atol=1e-5)
    logits = keras.ops.convert_to_numpy(model(X))
    assert found.accuracy[-1] == pytest.approx(np.mean(logits.argmax(axis=1) == Y), abs=0.02)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_kernels_come_from_the_distributions_of_keras(name):
    """Compared by what decides a distribution: its quantiles, for a wide, a square and a tall kernel."""
    for rows, columns in [(64, 100), (128, 128), (100, 10)]:
        mine = [initial_kernel(Setting(kernel_initializer=name), place, rows, columns) for place in range(8)]
        theirs = [keras.ops.convert_to_numpy(keras.initializers.get(name)((rows, columns))) for _ in range(8)]
        at = np.linspace(0.02, 0.98, 25)
        expected = np.quantile(theirs, at)
        np.testing.assert_allclose(np.quantile(mine, at), expected, atol=0.06 * np.abs(expected).max())
        assert np.abs(mine).max() == pytest.approx(np.abs(theirs).max(), rel=0.25)
        if name == "orthogonal":
            product = mine[0].T @ mine[0] if rows >= columns else mine[0] @ mine[0].T
            np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=1e-6)
        assert len({kernel.tobytes() for kernel in mine}) == (1 if name in ("zeros", "ones") else 8)


def settings_at_random(count, seed=0):
    """Every pair of initializer and optimizer, three of the largest networks, and others drawn at random."""
    generator = random.Random(seed)
    pairs = zip(itertools.cycle(ACTIVATIONS), itertools.product(INITIALIZERS, OPTIMIZERS), strict=False)
    every = [Setting(a, i, optimizer=o, steps=20) for a, (i, o) in pairs]
    every += [Setting("relu", name, units=64, layers=4, steps=30) for name in ("he_normal", "zeros", "ones")]
    offered = {name: control["choices"] for name, control in CONTROLS.items() if name in OFFERED}
    offered |= {"scale": (1, 1, 0.01, 0.3, 2), "units": (1, 2, 7, 16, 33), "layers": range(1, 6)}
    offered |= {"steps": (1, 10, 50), "dropout": (0, 0, 0.5)}
    drawn = [{name: generator.choice(values) for name, values in offered.items()} for _ in range(count - len(every))]
    return every + [Setting(**values) for values in drawn]


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], "float64")


def test_both_engines_compute_the_same():
    if shutil.which("node") is None:
        pytest.fail("no node on the path") if os.environ.get("BROWSER_REQUIRED") else pytest.skip("no node on the path")
    settings = settings_at_random(100)
    program, text = ROOT / "tests" / "explorer_engine.mjs", json.dumps([asdict(setting) for setting in settings])
    done = subprocess.run(["node", program], input=text, capture_output=True, text=True, check=True)
    for setting, line in zip(settings, done.stdout.splitlines(), strict=True):
        mine, other = run(setting), json.loads(line)
        np.testing.assert_allclose(numbers(other["loss"]), mine.loss, rtol=1e-4, err_msg=str(setting))
        gradients = np.array(list(mine.gradients.values()))
        np.testing.assert_array_equal(numbers(other["gradients"]).reshape(gradients.shape) == 0, gradients == 0)
        assert numbers(other["width"]).reshape(mine.width.shape).tolist() == mine.width.tolist()
        assert (other["title"], other["moments"]) == (str(setting), mine.moments)
        assert (other["verdict"], other["sentence"]) == (mine.verdict, mine.sentence)


def test_what_the_words_say_was_measured():
    """Each claim is looked up in the arrays, or in the Keras network that begins with the same kernels."""
    seen = set()
    for setting in settings_at_random(150, seed=1):
        found = run(setting)
        verdict, words = found.verdict, found.sentence
        seen.add(verdict)
        assert words.startswith(f"{verdict.capitalize()}: ")
        if verdict == "diverged":
            continue
        asleep = [not sizes.any() for name, sizes in found.gradients.items() if name.endswith("kernel")]
        assert (verdict == "frozen") == all(asleep)
        assert (verdict == "partly frozen") == (any(asleep) and not all(asleep))
        assert all((kernel == kernel[0]).all() for kernel, sleeps in zip(found.kernels, asleep, strict=True) if sleeps)
        moving = [name for name, sizes in found.gradients.items() if sizes.any()]
        assert ("Only the head's bias moves" in words) == (moving == ["head/bias"])
        shares = np.bincount(Y) / len(Y)
        relative = found.loss[-1] / -np.sum(shares * np.log(shares))
        assert ("below 2.298" in words, "above 2.298" in words) == (relative < 0.99, relative > 1.01)
        assert verdict != "learns" or (relative < 0.99 and found.accuracy[-1] > shares.max())
        if verdict in ("learns", "slow"):
            assert found.width[-1].min() == setting.units or "no two" in words
            assert ("no two units" in words) == (setting.units > 1)
        for layer, values in enumerate(hidden_outputs(setting), start=1):
            assert not values.any() or f"hidden_{layer} is dead" not in words
    assert seen == {*MEANINGS, "diverged"}


def hidden_outputs(setting):
    model = in_keras(setting)
    probe = keras.Model(model.inputs, [layer.output for layer in model.layers[:-1]])
    return map(keras.ops.convert_to_numpy, keras.tree.flatten(probe([X])))


RANDOM_HEAD = {"head_initializer": "glorot_uniform"}
SAID = {
    "has no clearly lower loss": Setting("tanh", "he_normal", scale=4.0, optimizer="sgd", steps=8),
    "the network names no more digits right": Setting("sigmoid", "glorot_uniform", layers=1, units=1),
    "no clearly lower loss and names no more digits right": Setting("sigmoid", layers=1, units=1),
    "identical incoming and outgoing weights": Setting("sigmoid"),
    "no two units are identical": Setting("tanh", "ones", scale=0.1, dropout=0.5),
    "kernel of hidden_2, because the kernel of hidden_1 is zero": Setting(**RANDOM_HEAD),
    "relu(0) = 0": Setting("relu", layers=1, **RANDOM_HEAD),
    "is dead": Setting("relu", "he_normal", units=1, layers=6, steps=20),
    "Only zeros came back to the kernels of hidden_1 and hidden_2.": Setting("tanh", "ones", steps=3),
    "no gradient reached the kernels of hidden_1 to hidden_4 in 4 steps": Setting("sigmoid", layers=8, steps=4),
    "NaN or infinity came up at step 0": Setting("linear", "ones", scale=1e30, steps=3),
}


@pytest.mark.parametrize("words", SAID)
def test_the_cause_is_said(words):
    assert words in run(SAID[words]).sentence


def test_dropout_drops_and_breaks_symmetry():
    with_dropout, without = (run(Setting("sigmoid", dropout=rate, steps=100)) for rate in (0.5, 0))
    assert without.verdict == "symmetric" and with_dropout.verdict != "symmetric"
    assert run(Setting("tanh", dropout=0.5, steps=20)).width.max() == 1  # dropping zeros changes nothing
    assert not (with_dropout.loss == without.loss)[5:].any()


@pytest.fixture
def explorer():
    return Explorer(**SMALL)


def is_fresh(explorer):
    """Tell whether run, message and picture are those of the controls."""
    try:
        setting = Setting(**{name: explorer.controls[name].value for name in asdict(Setting())})
    except (TypeError, ValueError) as problem:
        return explorer.message.startswith(str(problem)) and explorer.picture["problem"] == explorer.message
    expected = run(setting)
    same = explorer.run.setting == setting and explorer.message == explorer.picture["sentence"] == expected.sentence
    return same and explorer.picture["loss"] == expected.loss.tobytes() and "problem" not in explorer.picture


def test_random_changes_never_raise_and_are_never_stale(explorer):
    generator = random.Random(0)
    bad = {"scale": (-1.0, float("nan"), float("inf"), "much", None), "units": (0, 129, 2.5, "7"), "steps": (0, 501)}
    for _ in range(60):
        name = generator.choice([*asdict(Setting())])
        control = CONTROLS[name]
        good = control.get("choices") or (control["least"], START[name], control.get("most", 1e20) // 8 or 0.5)
        value = generator.choice((*good, *bad.get(name, ("nothing known",))))
        if generator.random() < 0.5:
            explorer.controls[name].value = value
        else:
            setattr(explorer, name, value)
        assert is_fresh(explorer), (name, value, explorer.message)


def test_a_bad_value_is_answered_and_the_picture_stays(explorer):
    before = explorer.picture
    explorer.units = 0
    assert explorer.message == explorer.picture["problem"]
    assert explorer.message.startswith("units: expected an integer of at least 1 and at most 128, got 0. The picture")
    assert explorer.picture["loss"] == before["loss"] and explorer.run.setting.units == 5
    explorer.units = 5
    assert explorer.picture == before and explorer.message.startswith("Frozen: ")


BAD = {"compare_with": "x", "large_type": "yes", "steps": 0, "dropout": 0.95, "units": 0, "scale": -1, "colour": 1}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_start_is_refused_by_name(name):
    with pytest.raises((TypeError, ValueError), match=f"^{name}: "):
        Explorer(**{name: BAD[name]})


def test_a_page_without_a_kernel_shows_picture_and_verdict(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == f"Explorer: {explorer.run.setting}\n{explorer.message}"
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert Explorer(**SMALL)._repr_mimebundle_()[0]["image/png"] == data["image/png"]


def test_only_who_asks_for_widgets_gets_them_and_matplotlib_may_be_missing():
    code = "import sys, zerostart; assert not {'anywidget', 'ipywidgets'} & set(sys.modules)"
    code += "; sys.modules['matplotlib'] = None; from zerostart.explorer import Explorer"
    python(f"{code}; assert 'image/png' not in Explorer(steps=1)._repr_mimebundle_()[0]")


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_what_the_lessons_say_about_the_panel(layers):
    start = Setting("sigmoid", layers=layers, steps=10 * (layers + 1))
    kernels = [sizes for name, sizes in run(start).gradients.items() if name.endswith("kernel")]
    assert [int(np.flatnonzero(sizes)[0]) for sizes in kernels] == list(range(layers, -1, -1))
    assert run(start).verdict == "symmetric" and run(start).width.max() == 1
    different = [len(set(groups)) for groups in run(replace(start, **RANDOM_HEAD)).groups[1]]
    assert [count > 1 for count in different] == [False] * (layers - 1) + [True]
    moving = [name for name, sizes in run(replace(start, activation="tanh")).gradients.items() if sizes.any()]
    assert moving == ["head/bias"]
    random_head = replace(start, layers=1, steps=100, **RANDOM_HEAD)
    assert run(replace(random_head, activation="tanh")).verdict == "learns"
    assert run(replace(random_head, activation="relu")).verdict == "frozen"


@pytest.mark.parametrize("scale", [0.05, 0.025, 0.01])
def test_what_lesson_6_says_about_the_panel(scale):
    start = Setting("tanh", "glorot_uniform", scale=scale, optimizer="momentum", steps=200)

    def leaves(**changes):
        below = np.flatnonzero(run(replace(start, **changes)).loss < 2.2)
        return below[0] if len(below) else start.steps

    assert leaves() == start.steps and run(start).verdict == "slow"
    assert leaves(optimizer="adam") < min(leaves(layers=1), leaves(scale=2 * scale))
    assert run(replace(start, optimizer="adam", scale=0.0)).verdict == "frozen"
