"""What may be wrong in lesson 6: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {"hidden": 8}  # one unit would wait for itself

NEAR = "keras.initializers.VarianceScaling((scales['shallow'][-1] / 500) ** 2, 'fan_avg', 'uniform')"
OWN = f"mlp((4,), kernel_initializer={NEAR})"

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "6.1": {
        OWN: "The answer must be two things",
        "(mlp((4, 4), kernel_initializer='glorot_uniform'), 100)": "The net must be",
        "(mlp((4,), kernel_initializer='glorot_uniform', activation='relu'), 100)": "The net must be",
        "(mlp((4,), kernel_initializer='zeros'), 100)": "A kernel of your net is exactly zero.",
        "(mlp((4,), kernel_initializer='glorot_uniform'), 100)": "Your net is not closer to zero",
        f"({OWN}, np.nan)": "The number of updates",
        f"({OWN}, 500 * per_decade)": "The number of updates",
        f"({OWN}, 1)": "Your net needs more updates.",
        f"({OWN}, 1.5 * (times['shallow'][-1] + per_decade * np.log10(500)))": "Your net needs fewer updates.",
        f"({OWN}, 1999)": "That is far too many.",
    },
    "6.2": {
        "mlp((hidden,), kernel_initializer='glorot_uniform', head_initializer='zeros')": "The net must be",
        "mlp((hidden, hidden), kernel_initializer='glorot_uniform')": "The logits are not exactly 0",
        "mlp((hidden, hidden), kernel_initializer='zeros')": "All kernels are zero",
        "mlp((hidden, hidden), kernel_initializer=['ones', 'zeros'])": "Two kernels are zero",
        f"mlp((hidden, hidden), kernel_initializer={NEAR}, head_initializer='zeros')": "The logits are right, but",
    },
}

FAULTS = {
    "tanh is twice as steep": """true_tanh = keras.src.backend.numpy.tanh
keras.src.backend.numpy.tanh = lambda x: true_tanh(2 * x)""",
    "gaps grow": ('gaps = np.diff(times["shallow"])', "gaps = np.array([5, 20, 36])"),
    "one point is off the power law": (
        'ratios = times["deep"][1:]',
        'times["deep"][0] //= 3\nratios = times["deep"][1:]',
    ),
    "only the first unit moves": (
        'measured = gradients(net, x, y)["mlp/head/kernel"]',
        'measured = gradients(net, x, y)["mlp/head/kernel"] * (np.arange(hidden) == 0)[:, None]',
    ),
    "float64 goes unnoticed": ('< 1e-3 * errors["float32"]', '> 1e-3 * errors["float32"]'),
    "Adam leaves exactly zero": ("[np.zeros_like(weight) for", "[np.full_like(weight, 1e-3) for"),
    "a planted error shrinks": ("spread[with_error] = spread_from", "spread[with_error] = 1 / spread_from"),
    "the plateau ends by itself": ('optimizer="momentum"', 'optimizer="adam"'),
}
