"""Starts Keras without the messages its backend prints on the first import, and as a good neighbour.

A class shares one machine. Threads that wait for each other keep its processors busy for nothing: with six kernels on
two cores NumPy was eighty times slower, and lessons on PyTorch six times.
"""

import contextlib
import logging
import os
from collections.abc import Iterator


def start_keras() -> None:
    """Import keras quietly. Environment variables that you have set yourself are respected."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # oneDNN reorders sums, so results would differ between processors in more digits.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    # NumPy multiplies in one thread; the matrices of the lessons are small.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The threads of PyTorch sleep while they wait. There are as many as before, for networks that need them.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # TensorFlow advises against building many small graphs, which is what a lesson does on purpose.
    logging.getLogger("tensorflow").addFilter(lambda record: record.levelno >= logging.ERROR)
    with _native_stderr_closed():
        import keras  # noqa: F401


@contextlib.contextmanager
def _native_stderr_closed() -> Iterator[None]:
    """Send file descriptor 2 nowhere. Native code writes there directly; Python's own errors still raise."""
    saved = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
