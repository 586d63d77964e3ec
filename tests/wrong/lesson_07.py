"""What may be wrong in lesson 7: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "diagnose calls everything healthy": """zerostart.diagnosis = lambda model, x, y, *, loss=None: helpers.Diagnosis('learns', ())""",
}
