import keras
import numpy as np
import pytest

from helpers import effective_width, numerical_rank, unit_groups, unit_spread

GENERATOR = np.random.default_rng(0)


def test_spread_by_hand():
    assert unit_spread([[1.0, 4.0, 2.0], [0.0, 0.0, 0.5]]) == 3.0
    assert unit_spread(np.ones((5, 7))) == 0.0
    assert unit_spread([[3.0], [4.0]]) == 0.0  # a single unit differs from nobody


@pytest.mark.parametrize("units", [1, 2, 7, 33, 257])
def test_copies_count_once(units):
    column = GENERATOR.normal(size=(6, 1))
    copies = np.repeat(column, units, axis=1)
    assert effective_width(copies) == 1 and numerical_rank(copies) == 1 and unit_spread(copies) == 0.0
    assert effective_width(np.zeros((6, units))) == 1 and numerical_rank(np.zeros((6, units))) == 0
    assert effective_width(GENERATOR.normal(size=(6, units))) == units


def test_the_tolerance_is_relative():
    tiny = 1e-4 * GENERATOR.normal(size=(8, 5))
    assert effective_width(tiny) == 5 and effective_width(1e-20 * tiny) == 5
    copies = np.repeat(GENERATOR.normal(size=(8, 1)), 5, axis=1)
    assert effective_width(copies + 1e-6 * GENERATOR.normal(size=(8, 5))) == 1


def test_groups_are_numbered_in_order_of_appearance():
    assert unit_groups([[1.0, 2.0, 1.0, 3.0, 2.0]]).tolist() == [0, 1, 0, 2, 1]


def test_a_bias_tells_units_apart():
    assert effective_width(np.ones((2, 3)), [0.0, 1.0, 0.0]) == 2


def test_proportional_units_are_different_but_of_rank_one():
    kernel = np.outer([1.0, 2.0, 3.0], [1.0, 2.0])
    assert effective_width(kernel) == 2 and numerical_rank(kernel) == 1


def test_convolutions_and_variables_are_accepted():
    layer = keras.layers.Conv2D(3, 2, kernel_initializer="ones")
    layer.build((None, 4, 4, 1))
    assert unit_spread(layer.kernel) == 0.0 and effective_width(layer.kernel, layer.bias) == 1


@pytest.mark.parametrize("measure", [unit_spread, unit_groups, effective_width, numerical_rank])
@pytest.mark.parametrize(
    ("kernel", "error"),
    [([[np.nan]], ValueError), ([], ValueError), (np.ones((0, 3)), ValueError), (1.0, ValueError), ("text", TypeError)],
)
def test_bad_kernels_are_refused(measure, kernel, error):
    with pytest.raises(error, match="kernel: expected"):
        measure(kernel)


def test_bad_bias_and_tolerance_are_refused():
    with pytest.raises(ValueError, match="bias: expected 2 values, one per unit, got 3"):
        unit_groups(np.ones((2, 2)), np.ones(3))
    with pytest.raises(ValueError, match="tolerance"):
        unit_groups(np.ones((2, 2)), tolerance=-1)
    with pytest.raises(ValueError, match="tolerance"):
        numerical_rank(np.ones((2, 2)), tolerance=float("nan"))
