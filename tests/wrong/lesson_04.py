"""What may be wrong in lesson 4: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {"activation": "tanh"}  # with relu a head may add nothing: all units dead

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "4.1": {
        "np.log(prior)": "The answer must be a list",
        "[*template[:-1], np.log(prior)]": "A hidden kernel is zero, though",
        "template": "A hidden kernel is zero. ",
        "glorot[0]": "The head's kernel may add",
        "[*glorot[0][:-1], np.log(prior)]": "The head's kernel may add",
        "starts['Glorot, zero head'][0]": "A zero head with a zero bias",
        "[*starts['Glorot, zero head'][0][:-1], prior]": "These are the shares.",
        "[*starts['Glorot, zero head'][0][:-1], 2 * np.log(prior)]": "The logits are the same",
    },
    "4.2": {
        '["C", "D"]': "Answer with a set",
        '{"c"}': "Answer with a set",
        '{"A", "C", "D"}': "The loss of A fell",
        '{"B", "C", "D"}': "The loss of B fell",
        '{"D"}': "The accuracy of C",
        '{"C"}': "D is wrong with confidence",
    },
    "4.3": {
        "net": "The answer must be a function",
        "lambda: None": "Your function raised TypeError",
        "lambda model: None": "After your function some weights",
        "lambda m: (m.set_weights([0 * w for w in m.get_weights()]), m.compile('adam', 'mse'))": "That works, but",
        "lambda m: m.set_weights([0 * w for w in m.get_weights()])": "The weights were zero, but",
        "lambda m: [v.assign(0 * v.value) for v in [*m.weights, *m.optimizer.variables]]": "Now nothing learns",
        "lambda m: [v.assign(0 * v.value) for v in [*m.weights, *m.optimizer.variables[2:]]]": "The kernels stay",
    },
}

FAULTS = {
    "the optimizer is not reset": """true_run = zerostart.recorder.RecordedModel.run
def with_memory(self, order):
    recorded = true_run(self, order)
    self.optimizer_at_start = [ops.convert_to_numpy(variable.value).copy() for variable in self.optimizer.variables]
    return recorded
zerostart.recorder.RecordedModel.run = with_memory""",
    "no gradient is ever seen": ("[0] == 0.0 for path", "[0] >= 0.0 for path"),
    "every net passes the bounds": ('return "learns" if passed', 'return "learns" if True'),
    "the best seeds are compared": ("min(a) - max(b)", "max(a) - min(b)"),
    "the surer a net, the less it costs": ("logits.mean(axis=1))", "logits.max(axis=1))"),
    "fit begins anew": ("second = fit()", "net.set_weights(glorot[1])\nsecond = fit()"),
    "the clone is not compiled": """true_clone = keras.models.clone_model
def bare(model):
    copy = true_clone(model)
    copy.compiled = False
    return copy
keras.models.clone_model = bare""",
    "the clone shares the optimizer": """true_clone = keras.models.clone_model
def shared(model):
    copy = true_clone(model)
    copy.optimizer = model.optimizer
    return copy
keras.models.clone_model = shared""",
    "set_weights clears the optimizer": (
        "fit()\nmoved =",
        "compile_with(keras.optimizers.Adam(learning_rate))\nfit()\nmoved =",
    ),
    "a shared initializer warns": """import warnings
true_call = keras.initializers.GlorotUniform.__call__
def warned(self, *arguments, **more):
    warnings.warn("this initializer is unseeded")
    return true_call(self, *arguments, **more)
keras.initializers.GlorotUniform.__call__ = warned""",
}
