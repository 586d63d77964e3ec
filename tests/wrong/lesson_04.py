"""What may be wrong in lesson 4: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {}

FAULTS = {
    "the optimizer is not reset": """restart = helpers.seam.RecordedTraining.restart
def with_memory(self, task, order):
    moments = self.recorder.inner_optimizer.variables[2:]  # all but the counter and the learning rate
    kept = [ops.convert_to_numpy(moment.value).copy() for moment in moments]
    restart(self, task, order)
    for moment, value in zip(moments, kept):
        moment.assign(value)
helpers.seam.RecordedTraining.restart = with_memory""",
}
