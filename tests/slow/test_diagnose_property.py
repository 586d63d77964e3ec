"""Random small models: what `diagnose` says must come true in a training.

"learns" is followed by outputs better than the best constant answer, at a usual learning rate; "frozen" by outputs that
are not, and "symmetric" by identical units. The oracle is plain `fit`, and a loss that NumPy computes from the outputs.
`uv run pytest tests/slow/test_diagnose_property.py --draws 300` draws more models; `--first` begins with another one.
"""

import keras
import numpy as np
from keras import layers

from zerostart.diagnosis import diagnose

ROWS, STEPS, BATCH, BETTER = 384, 360, 32, 0.98
CUTS = [-0.6, 0.5]  # between the three classes
KERNELS = ["glorot_uniform"] * 10 + ["he_normal"] * 4 + ["lecun_normal"] * 2 + ["zeros"] * 3 + ["ones", "orthogonal"]
KERNELS += [keras.initializers.Constant(0.1), *(keras.initializers.RandomNormal(0, size) for size in (1e-4, 1e-2, 2.0))]
ACTIVATIONS = ["relu"] * 5 + ["tanh"] * 3 + ["sigmoid"] * 2 + ["gelu", "elu", "softplus", "selu", "leaky_relu", "silu"]
LOGITS, PROBABILITIES = keras.losses.SparseCategoricalCrossentropy(True), "sparse_categorical_crossentropy"
# The head's units and activation, the loss, the labels.
TASKS = (
    [(3, "softmax", PROBABILITIES, "classes"), (3, "linear", LOGITS, "classes")] * 4
    + [(3, "softmax", "categorical_crossentropy", "one-hot"), (1, "sigmoid", "binary_crossentropy", "yes or no")] * 4
    + [(1, "linear", loss, "numbers") for loss in ("mse", "mae", "huber")] * 3
    + [(3, "linear", PROBABILITIES, "classes"), (1, "tanh", "binary_crossentropy", "yes or no")]
    + [(1, "softmax", "mse", "yes or no"), (1, "relu", "mse", "negative"), (1, "sigmoid", "mse", "above 1")]
)


class Draw:
    """A model and its data, drawn with a seed."""

    def __init__(self, seed):
        keras.utils.set_random_seed(seed)
        self.random, self.told = np.random.default_rng(seed), [seed]
        x, signal = self.choice([self.rows] * 5 + [self.images, self.series, self.tokens])()
        self.x, signal = x, (signal - signal.mean()) / signal.std()
        self.units, activation, self.loss, self.labels = self.choice(TASKS)
        self.classes = np.digitize(signal, CUTS if self.units == 3 else [0.2])
        numbers = {"numbers": signal, "negative": -np.abs(signal) - 0.1, "above 1": 5 * signal + 20}
        self.y = numbers.get(self.labels, np.eye(3)[self.classes] if self.labels == "one-hot" else self.classes)
        inputs = keras.Input(x.shape[1:], dtype=x.dtype)
        hidden, inner, width = self.first(inputs), self.choice(ACTIVATIONS), self.choice([1, 2, 4, 8, 16, 32, 64])
        for _ in range(self.choice([0, 1, 1, 2, 2, 3, 5])):
            bias = keras.initializers.Constant(self.choice([0.0] * 10 + [0.1, -10.0]))
            hidden = layers.Dense(width, inner, kernel_initializer=self.kernel(), bias_initializer=bias)(hidden)
            hidden = self.choice([layers.Identity] * 6 + [layers.BatchNormalization, layers.LayerNormalization])()(
                hidden
            )
        head = layers.Dense(self.units, activation, kernel_initializer=self.kernel())
        self.model = keras.Model(inputs, head(hidden))
        self.told += [inner, width, activation, self.loss, self.labels]

    def choice(self, options):
        return options[self.random.integers(len(options))]

    def kernel(self):
        found = self.choice(KERNELS)
        self.told.append(found if isinstance(found, str) else found.get_config())
        return found if isinstance(found, str) else found.clone()

    def rows(self):
        x = self.random.normal(size=(ROWS, self.choice([1, 2, 4, 8, 20])))
        scale = self.choice([1.0] * 6 + [0.01, 1e4])
        return (scale * x).astype("float32"), x @ self.random.normal(size=x.shape[1])

    def images(self):
        x = self.random.normal(size=(ROWS, 6, 6, 2)) + self.random.normal(size=(ROWS, 1, 1, 2))
        return x.astype("float32"), x.mean(axis=(1, 2, 3))

    def series(self):
        x = self.random.normal(size=(ROWS, 5, 3)) + self.random.normal(size=(ROWS, 1, 3))
        return x.astype("float32"), x.mean(axis=(1, 2))

    def tokens(self):
        x = self.random.integers(0, 10, size=(ROWS, 4))
        return x, self.random.normal(size=10)[x].mean(axis=1)

    def first(self, inputs):
        """Return what the first layers make of the inputs: one vector a row."""
        width = self.choice([2, 8])
        if len(inputs.shape) == 4:
            hidden = layers.Conv2D(width, 3, activation="relu", kernel_initializer=self.kernel())(inputs)
            return self.choice([layers.Flatten, layers.GlobalAveragePooling2D])()(hidden)
        if len(inputs.shape) == 3:
            hidden = layers.Dense(8, kernel_initializer=self.kernel())(inputs)
            attended = layers.GlobalAveragePooling1D()(hidden + layers.MultiHeadAttention(2, 4)(hidden, hidden))
            kind = self.choice([layers.LSTM, layers.GRU, layers.SimpleRNN, None])
            return kind(width, kernel_initializer=self.kernel())(inputs) if kind else attended
        if inputs.dtype == "int64":
            hidden = layers.Embedding(10, width, embeddings_initializer=self.kernel())(inputs)
            return layers.GlobalAveragePooling1D()(hidden)
        return inputs

    def score(self, outputs):
        """Return the loss of some outputs."""
        if self.labels in ("numbers", "negative", "above 1"):
            gaps = outputs[:, 0] - self.y
            return np.mean(gaps**2 if self.loss == "mse" else np.abs(gaps))
        if self.units == 1:
            outputs = np.stack([1 - outputs[:, 0], outputs[:, 0]], axis=1)
        if self.model.layers[-1].activation is keras.activations.linear and outputs.shape == (ROWS, 3):
            outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
            outputs = outputs / outputs.sum(axis=1, keepdims=True)
        return -np.mean(np.log(np.clip(outputs[np.arange(len(outputs)), self.classes], 1e-7, 1)))

    def best_constant(self):
        if self.labels in ("numbers", "negative", "above 1"):
            return self.score(np.full((ROWS, 1), self.y.mean() if self.loss == "mse" else np.median(self.y)))
        share = np.bincount(self.classes) / ROWS
        return -np.sum(share * np.log(share))

    def train(self, rate, epochs):
        self.model.compile(keras.optimizers.Adam(rate), self.loss)
        self.model.fit(self.x, self.y, batch_size=BATCH, epochs=epochs, verbose=0)

    def improves(self):
        start = self.model.get_weights()
        for rate in (1e-2, 1e-3):
            self.model.set_weights(start)
            self.train(rate, STEPS * BATCH // ROWS)
            if self.score(self.model.predict_on_batch(self.x)) < BETTER * self.best_constant():
                return True
        return False

    def has_twins(self):
        self.train(1e-3, 1)
        columns = [weight.reshape(-1, weight.shape[-1]) for weight in self.model.get_weights() if weight.ndim > 1]
        rounded = [np.round(np.abs(each) / np.abs(each).max(), 3) for each in columns]
        return any(len(np.unique(each, axis=1).T) < each.shape[1] for each in rounded)


def test_what_is_said_comes_true(pytestconfig):
    first, count = pytestconfig.getoption("--first"), max(pytestconfig.getoption("--draws"), 25)
    said, wrong = [], []
    for seed in range(first, first + count):
        draw = Draw(seed)
        said.append(diagnose(draw.model, draw.x, draw.y, loss=draw.loss).verdict)
        oracle = {"learns": draw.improves, "frozen": draw.improves, "symmetric": draw.has_twins}.get(said[-1])
        if oracle and oracle() == (said[-1] == "frozen"):
            wrong.append((said[-1], draw.told))
            print("not so:", *wrong[-1], flush=True)
        keras.backend.clear_session()
    print({verdict: said.count(verdict) for verdict in said})
    assert len(wrong) <= 0.01 * count, wrong
