import numpy as np
import pytest

from helpers import circles, digits, spirals


def test_digits_have_the_documented_shapes_and_range():
    data = digits()
    assert data.x_train.shape == (1437, 64) and data.x_test.shape == (360, 64)
    assert data.y_train.shape == (1437,) and data.y_test.shape == (360,)
    assert data.x_train.dtype == "float32" and data.y_train.dtype == "int64"
    assert data.x_train.min() == 0 and data.x_train.max() == 1
    assert set(data.y_train) == set(data.y_test) == set(range(10))


def test_digits_are_split_by_class_and_share_no_row():
    data = digits()
    whole = np.bincount(np.concatenate([data.y_train, data.y_test]))
    assert whole.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as published
    assert np.abs(np.bincount(data.y_test) - 0.2 * whole).max() < 1
    rows = {row.tobytes() for row in data.x_train}
    assert not any(row.tobytes() in rows for row in data.x_test)


def test_digits_are_the_same_each_time_and_yours_to_change():
    first = digits()
    first.x_train[:] = 0
    assert digits().x_train.max() == 1


@pytest.mark.parametrize("points", [1, 7, 300])
def test_circles_are_two_rings(points):
    x, y = circles(points, noise=0)
    assert x.shape == (points, 2) and x.dtype == "float32" and y.dtype == "int64"
    assert np.allclose(np.linalg.norm(x, axis=1), np.where(y == 0, 1.0, 0.5), atol=1e-6)


def test_spirals_have_equal_classes_and_follow_the_seed():
    x, y = spirals(90, classes=3)
    assert np.bincount(y).tolist() == [30, 30, 30]
    assert np.array_equal(x, spirals(90, classes=3)[0])
    assert not np.array_equal(x, spirals(90, classes=3, seed=1)[0])


@pytest.mark.parametrize("make", [circles, spirals])
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"points": 0}, ValueError, "points.*at least 1.*got 0"),
        ({"points": 2.5}, TypeError, "points.*integer.*2.5"),
        ({"points": True}, TypeError, "points"),
        ({"noise": -1}, ValueError, "noise.*at least 0.*-1"),
        ({"noise": float("nan")}, ValueError, "noise"),
        ({"noise": "much"}, TypeError, "noise.*much"),
    ],
)
def test_bad_values_are_refused(make, arguments, error, words):
    with pytest.raises(error, match=words):
        make(**arguments)
