"""Frozen, symmetric, slow or fine? An answer for any Keras model.

From the ground: `experiment` (gradients at any weights) and `units` (what may be identical); `descent` (the first steps
of a training), `usual` (a usual start, for comparison) and `calls` (what each layer gives and gets back); then what is
said of it: `broken`, `targets`, `blocked` with its table of `causes`, `twins`, `slow` and `notes`; at last `report` and
`diagnosis`.
"""

from zerostart.diagnosis.diagnosis import Diagnosis, diagnose
from zerostart.diagnosis.findings import Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
