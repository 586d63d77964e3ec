"""Frozen, symmetric, slow or fine? An answer for any Keras model.

From the ground: `variables`, `findings` and `experiment` (gradients and loss at any weights, also at usual ones);
`descent` (the first steps of a training) and `calls` (what each layer gives and gets back); then what is said of it:
`broken`, `targets`, `blocked` with its table of `causes`, `twins`, `slow` and `notes`; at last `diagnosis`.
"""

from zerostart.diagnosis.diagnosis import diagnose
from zerostart.diagnosis.findings import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
