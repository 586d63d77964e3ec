"""Dead, symmetric or fine? An answer for any Keras model.

From the ground: `units` (which units there are, and which are identical), `probe` (the experiment), `findings` (what
it saw, in words) and `diagnosis` (the verdict).
"""

from zerostart.diagnosis.diagnosis import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
