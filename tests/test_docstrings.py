"""Public names are documented, and the examples in all docstrings do what they show."""

import doctest
import importlib
import inspect
import pkgutil

import matplotlib.pyplot as plt
import numpy as np
import pytest

import helpers

MODULES = [info.name for info in pkgutil.walk_packages(helpers.__path__, "helpers.")]
PUBLIC = [name for name in helpers.__all__ if name != "STYLE"]


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module):
    public = {name: getattr(helpers, name) for name in helpers.__all__}
    results = doctest.testmod(
        importlib.import_module(module), extraglobs={"np": np, **public}, optionflags=doctest.IGNORE_EXCEPTION_DETAIL
    )
    plt.close("all")
    assert results.failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_an_example(name):
    assert ">>> " in getattr(helpers, name).__doc__


@pytest.mark.parametrize("name", [name for name in PUBLIC if inspect.isfunction(getattr(helpers, name))])
def test_public_functions_have_types_and_say_what_they_return(name):
    function = getattr(helpers, name)
    parameters = inspect.signature(function).parameters
    assert set(parameters) | {"return"} == set(function.__annotations__)
    assert "Return" in function.__doc__ or "The axes" in function.__doc__
