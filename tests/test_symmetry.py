"""The measures of symmetry, beside what their definitions say, on kernels with copies, small noise and any scale."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import effective_width, numerical_rank, unit_groups, unit_spread


@st.composite
def kernels(draw):
    """Some different units, each of them several times, moved by less or more than the tolerance."""
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    different = generator.normal(size=(draw(st.integers(1, 6)), draw(st.integers(1, 40))))
    copies = different[:, generator.integers(different.shape[1], size=draw(st.integers(1, 60)))]
    noise = draw(st.sampled_from([0.0, 1e-6, 1e-3, 0.1]))
    return copies + noise * generator.normal(size=copies.shape)


def groups_by_definition(units, tolerance=1e-3):
    """Compare all with all: the first unit without a group takes all that are near enough."""
    allowed, groups = tolerance * max(map(np.linalg.norm, units)), np.full(len(units), -1)
    for number, unit in enumerate(units):
        if groups[number] < 0:
            near = np.linalg.norm(units - unit, axis=1) <= allowed
            groups[near & (groups < 0)] = groups.max() + 1
    return groups.tolist()


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(kernel=kernels(), with_bias=st.booleans(), power=st.sampled_from([-600, 0, 600]))
def test_they_measure_what_their_definitions_say(kernel, with_bias, power):
    bias = kernel[0] if with_bias else None
    expected = groups_by_definition(np.vstack([kernel, bias] if with_bias else [kernel]).T)
    assert unit_groups(kernel, bias).tolist() == expected
    assert effective_width(kernel, bias) == len(set(expected))
    assert unit_spread(kernel) == max(max(row) - min(row) for row in kernel)
    assert numerical_rank(kernel) == np.linalg.matrix_rank(kernel, rtol=1e-3)
    scale = 2.0**power  # changes nothing, though its square is no float
    assert unit_groups(scale * kernel, scale * bias if with_bias else None).tolist() == expected
    assert numerical_rank(scale * kernel) == numerical_rank(kernel)


@pytest.mark.parametrize("shape", [(1, 1), (6, 257), (2, 3, 4, 5)])
def test_what_is_equal_and_what_is_zero_by_shape(shape):
    convolution = keras.Variable(np.zeros(shape))
    assert effective_width(np.ones(shape)) == effective_width(convolution) == 1
    assert unit_spread(np.ones(shape)) == unit_spread(convolution) == 0.0
    assert (numerical_rank(np.ones(shape)), numerical_rank(convolution)) == (1, 0)
