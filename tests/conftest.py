"""Shared by all tests. Imports helpers first: it starts Keras quietly."""

import helpers  # noqa: F401
