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
INITIALIZERS = {
    "zeros": 3,
    "ones": 1,
    "small": 1,
    "tiny": 1,
    "large": 1,
    "constant": 1,
    "he_normal": 4,
    "orthogonal": 1,
}
INITIALIZERS |= {"glorot_uniform": 10, "lecun_normal": 2, "random_normal": 1}
OWN = {"small": 1e-2, "tiny": 1e-4, "large": 2.0}
ACTIVATIONS = ["relu"] * 5 + ["tanh"] * 3 + ["sigmoid"] * 2 + ["gelu", "elu", "softplus", "selu", "leaky_relu", "silu"]
LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
# The head's units and activation, the loss, the labels, and how often.
TASKS = (
    [(3, "softmax", "sparse_categorical_crossentropy", "classes"), (3, None, LOGITS, "classes")] * 4
    + [(3, "softmax", "categorical_crossentropy", "one-hot"), (1, "sigmoid", "binary_crossentropy", "yes or no")] * 4
    + [(1, None, "mse", "numbers"), (1, None, "mae", "numbers"), (1, None, "huber", "numbers")] * 3
    + [(3, None, "sparse_categorical_crossentropy", "classes"), (1, "softmax", "mse", "yes or no")]
    + [
        (1, "relu", "mse", "negative"),
        (1, "sigmoid", "mse", "above 1"),
        (1, "tanh", "binary_crossentropy", "yes or no"),
    ]
)


class Draw:
    """A model and its data, drawn with a seed."""

    def __init__(self, seed):
        keras.utils.set_random_seed(seed)
        self.random, self.told = np.random.default_rng(seed), []
        units, activation, loss, self.labels = TASKS[self.random.integers(len(TASKS))]
        inputs, hidden = getattr(self, self.choice(["dense"] * 5 + ["images", "series", "tokens", "attention"]))()
        inner, width = self.choice(ACTIVATIONS), int(self.choice([1, 2, 4, 8, 16, 32, 64]))
        for _ in range(int(self.choice([0, 1, 1, 2, 2, 3, 5]))):
            bias = keras.initializers.Constant(self.choice([0.0] * 10 + [0.1, -10.0]))
            hidden = layers.Dense(width, inner, kernel_initializer=self.initializer(), bias_initializer=bias)(hidden)
            hidden = self.choice([layers.Identity] * 6 + [layers.BatchNormalization, layers.LayerNormalization])()(
                hidden
            )
        head = layers.Dense(units, activation, kernel_initializer=self.initializer(), name="head")
        self.model = keras.Model(inputs, head(hidden))
        self.told += [inner, width, activation, str(loss), self.labels]
        self.loss, self.y = loss, self.targets()

    def choice(self, options):
        return options[self.random.integers(len(options))]

    def initializer(self):
        name = self.random.choice([*INITIALIZERS], p=np.array([*INITIALIZERS.values()]) / sum(INITIALIZERS.values()))
        self.told.append(str(name))
        if name == "constant":
            return keras.initializers.Constant(0.1)
        return keras.initializers.RandomNormal(stddev=OWN[name]) if name in OWN else keras.initializers.get(str(name))

    def given(self, kind, x, signal):
        self.told.append(kind)
        self.x, self.signal = x, (signal - signal.mean()) / signal.std()
        return keras.Input(x.shape[1:], dtype=x.dtype)

    def dense(self):
        x = self.random.normal(size=(ROWS, int(self.choice([1, 2, 4, 8, 20])))).astype("float32")
        signal = x @ self.random.normal(size=x.shape[1])
        scale = self.choice([1.0] * 6 + [0.01, 1e4])
        inputs = self.given(f"dense times {scale}", x * np.float32(scale), signal)
        return inputs, inputs

    def images(self):
        x = self.random.normal(size=(ROWS, 6, 6, 2)).astype("float32") + self.random.normal(size=(ROWS, 1, 1, 2))
        inputs = self.given("images", x.astype("float32"), x.mean(axis=(1, 2, 3)))
        hidden = layers.Conv2D(int(self.choice([2, 8])), 3, activation="relu", kernel_initializer=self.initializer())(
            inputs
        )
        return inputs, self.choice([layers.Flatten, layers.GlobalAveragePooling2D])()(hidden)

    def sequences(self, kind):
        x = self.random.normal(size=(ROWS, 5, 3)) + self.random.normal(size=(ROWS, 1, 3))
        return self.given(kind, x.astype("float32"), x.mean(axis=(1, 2)))

    def series(self):
        inputs, layer = self.sequences("series"), self.choice([layers.LSTM, layers.GRU, layers.SimpleRNN])
        return inputs, layer(int(self.choice([2, 8])), kernel_initializer=self.initializer())(inputs)

    def attention(self):
        inputs = self.sequences("attention")
        hidden = layers.Dense(8, kernel_initializer=self.initializer())(inputs)
        hidden = layers.Add()([hidden, layers.MultiHeadAttention(2, 4)(hidden, hidden)])
        return inputs, layers.GlobalAveragePooling1D()(hidden)

    def tokens(self):
        x = self.random.integers(0, 10, size=(ROWS, 4))
        inputs = self.given("tokens", x, self.random.normal(size=10)[x].mean(axis=1))
        hidden = layers.Embedding(10, int(self.choice([2, 8])), embeddings_initializer=self.initializer())(inputs)
        return inputs, layers.GlobalAveragePooling1D()(hidden)

    def targets(self):
        classes, signal = np.digitize(self.signal, [-0.6, 0.5]), self.signal.astype("float32")
        return {
            "classes": classes, "one-hot": np.eye(3)[classes], "yes or no": (signal > 0.2).astype("int64"),
            "numbers": signal, "negative": -np.abs(signal) - 0.1, "above 1": 5 * signal + 20,
        }[self.labels]  # fmt: skip

    def score(self, outputs):
        """Return the loss of some outputs, for probabilities, logits and numbers alike."""
        if self.labels in ("classes", "one-hot"):
            logits = outputs if np.any(outputs.sum(axis=1) > 1.01) or np.any(outputs < 0) else np.log(outputs + 1e-7)
            logits = logits - logits.max(axis=1, keepdims=True)
            chosen = np.digitize(self.signal, [-0.6, 0.5])
            return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(outputs)), chosen])
        if self.labels == "yes or no":
            sure = np.clip(outputs[:, 0], 1e-7, 1 - 1e-7)
            return -np.mean(np.where(self.y == 1, np.log(sure), np.log(1 - sure)))
        return np.mean((outputs[:, 0] - self.y) ** 2 if self.loss == "mse" else np.abs(outputs[:, 0] - self.y))

    def best_constant(self):
        if self.labels in ("classes", "one-hot"):
            return self.score(np.tile(np.eye(3)[np.digitize(self.signal, [-0.6, 0.5])].mean(axis=0), (ROWS, 1)))
        middle = np.median(self.y) if self.loss in ("mae", "huber") else self.y.mean()
        return self.score(np.full((ROWS, 1), middle))

    def trained(self, rate, steps=STEPS):
        self.model.compile(keras.optimizers.Adam(rate), self.loss)
        self.model.fit(self.x, self.y, batch_size=BATCH, epochs=steps * BATCH // ROWS, verbose=0)
        return self.score(self.model.predict_on_batch(self.x))

    def improves(self):
        start = self.model.get_weights()
        for rate in (1e-2, 1e-3):
            self.model.set_weights(start)
            if self.trained(rate) < BETTER * self.best_constant():
                return True
        return False

    def has_twins(self):
        self.trained(1e-3, steps=ROWS // BATCH)
        for weight in self.model.trainable_variables:
            columns = np.array(weight).reshape(-1, weight.shape[-1]).T
            gaps = np.linalg.norm(np.abs(columns[:, None]) - np.abs(columns), axis=2) + np.eye(len(columns)) * 1e9
            if len(weight.shape) > 1 and gaps.min() < 1e-3 * np.linalg.norm(columns, axis=1).max():
                return True
        return False


def comes_true(verdict, draw):
    if verdict == "symmetric":
        return draw.has_twins()
    return verdict not in ("learns", "frozen") or draw.improves() == (verdict == "learns")


def test_what_is_said_comes_true(pytestconfig):
    first, count = pytestconfig.getoption("--first"), max(pytestconfig.getoption("--draws"), 25)
    said, wrong = {}, []
    for seed in range(first, first + count):
        print(seed, end=" ", flush=True)
        draw = Draw(seed)
        verdict = diagnose(draw.model, draw.x, draw.y, loss=draw.loss).verdict
        said[verdict] = said.get(verdict, 0) + 1
        if not comes_true(verdict, draw):
            wrong.append(f"{seed}: not {verdict}, {draw.told}")
            print(wrong[-1], flush=True)
        keras.backend.clear_session()
    print(said)
    assert len(wrong) <= 0.01 * count
