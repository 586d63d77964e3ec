"""What the course costs, measured against other ways. Run all with `uv run python -m benchmarks`."""

import helpers  # noqa: F401  starts Keras quietly, so it comes before Keras
