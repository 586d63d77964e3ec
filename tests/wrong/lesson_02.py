"""What may be wrong in lesson 2: answers that its exercises recognise, and faults that its asserts notice."""

SIZES = {"hidden": (7, 5)}  # parameters that the answers below need

# exercise -> code of a wrong answer -> how the complaint begins
ANSWERS = {
    "2.1": {
        "hidden[0]": "That is how many units there are.",
        "1": "Equal incoming weights are not enough",
        "2": "Which units can swap places",
        "8": "The layer has only 7 units.",
        "'three'": "The answer must be a number",
    },
    "2.2": {
        "{1}": "With noise there, no kernel moves.",
        "{2}": "With noise there, only the kernel of head moves.",
        "set()": "With noise there, no kernel moves.",
        "{1, 2, 3}": "Your hidden layers have the numbers 1 to 2.",
        "2": "The answer must be a set of numbers",
    },
    "2.3": {
        "mlp(hidden, activation='sigmoid', kernel_initializer='glorot_uniform')": "The kernel of hidden_1 and all",
        "mlp(hidden, activation='sigmoid', kernel_initializer='zeros')": "Every kernel is zero.",
        "mlp(hidden, activation='sigmoid', kernel_initializer='zeros', head_initializer='glorot_uniform')": (
            "The units of hidden_1 are still identical."
        ),
        "mlp(hidden, activation='tanh', kernel_initializer=['zeros', 'glorot_uniform'])": "The activation must be",
        "mlp(hidden, activation='sigmoid', kernel_initializer=['zeros', 'glorot_uniform'])": "The units part. But",
        "from_zeros(behind=[keras.layers.Dropout(0.5)])": "Build the network with mlp",
        "keras.Sequential([keras.layers.Dense(7)])": "This model does not know its inputs",
    },
}

FAULTS = {}
