"""Why a kernel never receives a gradient: the first place where nothing gets through, and the illness of that place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zerostart.diagnosis.calls import Call, varies
from zerostart.diagnosis.descent import length
from zerostart.diagnosis.findings import Finding, activation_cure, in_code, redrawn
from zerostart.diagnosis.units import is_kernel, usual_limit

RELU = ("relu", "relu6", "prelu")
BOUNDED = ("tanh", "sigmoid", "hard_sigmoid", "hard_tanh", "softsign", "softmax", "sparsemax")
LOSS = -1  # the place behind the last call
NO_DERIVATIVE = "rounding, comparing, argmax, casting to integers and stop_gradient have no derivative"


@dataclass(frozen=True)
class Place:
    """The call of a layer or operation in a model, as a place where nothing may get through."""

    model: keras.Model
    call: Call

    @property
    def name(self) -> str:
        """The name of the layer or operation, with the layers around it."""
        operation = self.call.operation
        return (getattr(operation, "path", None) or operation.name).removeprefix(f"{self.model.name}/")

    @property
    def kernels(self) -> list[keras.Variable]:
        """The layer's own kernels; its scales if it has none."""
        return [weight for weight in self.call.weights if is_kernel(weight)] or [
            weight
            for weight in self.call.weights
            if weight.trainable and "bias" not in weight.name and weight.name != "beta"
        ]

    @property
    def zeros(self) -> list[keras.Variable]:
        """Those of its kernels that are zero."""
        return [kernel for kernel in self.kernels if not ops.convert_to_numpy(kernel.value).any()]

    @property
    def activation(self) -> str:
        """The name of its activation."""
        operation = self.call.operation
        found = getattr(operation, "activation", None)
        return getattr(found, "__name__", type(operation).__name__).lower()

    @property
    def open_at_zero(self) -> bool:
        """Whether its activation has a slope at 0, on both sides."""
        activation = getattr(self.call.operation, "activation", None)
        if not callable(activation):
            return True
        below, at, above = ops.convert_to_numpy(activation(ops.convert_to_tensor([[-1e-3, 0.0, 1e-3]])))[0]
        return bool(below != at != above)

    @property
    def share_at_ends(self) -> float:
        """How much of what it gives is an extreme value of its activation."""
        if self.activation not in BOUNDED:
            return 0.0
        low = -1.0 if self.activation in ("tanh", "hard_tanh", "softsign") else 0.0
        near = np.minimum(np.abs(self.call.values - low), np.abs(self.call.values - 1)) < 1e-3
        return float(near.mean())

    @property
    def saturated(self) -> bool:
        """Whether it gives nothing but extreme values."""
        return self.share_at_ends > 0.99

    @property
    def dead(self) -> bool:
        """Whether all its units are relu units that are 0 for every row."""
        return self.activation in RELU and self.call.silent and not self.zeros and not self.call.unfed

    @property
    def is_softmax_over_one(self) -> bool:
        """Whether it divides each value by itself."""
        return self.activation == "softmax" and bool(np.all(np.abs(self.call.values - 1) < 1e-6))

    @property
    def is_ill(self) -> bool:
        """Whether it is to blame whatever comes back to it."""
        return self.dead or self.saturated or self.is_softmax_over_one

    @property
    def ends(self) -> str:
        """The range of what it gives."""
        low, high = (f"{end:.3g}" for end in (self.call.values.min(), self.call.values.max()))
        return low if low == high else f"{low} to {high}"

    @property
    def enlarged(self) -> bool:
        """Whether its kernels are much larger than usual."""
        return any(size_of(ops.convert_to_numpy(w.value), w, self.call.operation) > 3 for w in self.kernels)


def size_of(kernel: np.ndarray, variable: keras.Variable, layer: Any) -> float:
    """Return the length of a kernel in relation to that of a usual start."""
    return length(kernel) / (np.sqrt(kernel.size / 3) * usual_limit(variable, layer))


@dataclass(frozen=True)
class Cause:
    """One row of the table: when it holds, and what to say then."""

    holds: Callable[[Place], bool]
    problem: str
    cause: str
    cure: Callable[[Place], str]


def _redraw(place: Place) -> str:
    cures = [redrawn(place.model, kernel) for kernel in place.kernels]
    bias = getattr(place.call.operation, "bias", None)
    if bias is not None and ops.convert_to_numpy(bias.value).any():
        cures.append(f"{in_code(place.model, bias)}.assign({in_code(place.model, bias)} * 0)")
    return "; ".join(cures) or "Look at what goes in there: it is far too large or too negative."


def _desaturate(place: Place) -> str:
    if place.enlarged or np.abs(place.call.taken).max() < 10:
        return _redraw(place)
    return "x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-7)"


def _not_softmax(place: Place) -> str:
    operation, inside = place.call.operation, place.call.outputs[0].shape[1:]
    if len(inside) < 2:
        return activation_cure(place.model, operation, "sigmoid")
    if isinstance(operation, keras.layers.Softmax) and any(known is operation for known in place.model.layers):
        return f'model.get_layer("{operation.name}").axis = 1'
    return "Take the softmax over another axis, axis=1."


# The first row that holds is the illness.
CAUSES = (
    Cause(
        lambda place: bool(place.zeros),
        "its {weight} starts at zero, where no gradient comes back",
        "It gives 0, and at 0 the activation after it has slope 0 (relu has). A bias above 0 or another activation "
        "would do too.",
        _redraw,
    ),
    Cause(
        lambda place: place.is_softmax_over_one,
        "a softmax over one value is 1, whatever goes in",
        "Softmax divides by the sum along its axis, and that axis has length 1. So nothing before it can matter.",
        _not_softmax,
    ),
    Cause(
        lambda place: place.dead,
        "all its units are dead",
        "For every row what goes into relu is negative, so it gives 0, and its slope there is 0.",
        _redraw,
    ),
    Cause(
        lambda place: place.saturated,
        "its units are saturated",
        "What goes into {activation} is so far from 0 that its slope is almost 0: it gives {ends}.",
        _desaturate,
    ),
    Cause(
        lambda place: (
            place.activation in ("layernormalization", "groupnormalization") and not varies(place.call.values)
        ),
        "it gives the same for every row",
        "It takes the mean of the units away: of a single unit, or of equal ones, 0 is left.",
        lambda place: "Remove it, or give it units that differ: redraw the layer before it.",
    ),
    Cause(
        lambda place: place.call.silent and not place.call.unfed,
        "it gives 0 for every row",
        "What goes in is not 0: {activation} of it is too small for its number format, or is multiplied by 0.",
        _desaturate,
    ),
    Cause(
        lambda place: not varies(place.call.values) and varies(place.call.taken),
        "it gives the same for every row, whatever goes in",
        "So nothing that comes before it can matter.",
        lambda place: "Remove it, or give it more than one value to work on.",
    ),
    Cause(
        lambda place: True,
        "no gradient comes back through it",
        f"What goes in matters, but {NO_DERIVATIVE}.",
        lambda place: "Replace it by something smooth while you train.",
    ),
)


def cause_of(place: Place) -> Cause:
    """Return the row of the table that holds."""
    return next(cause for cause in CAUSES if cause.holds(place))


SATURATED = next(cause for cause in CAUSES if cause.problem == "its units are saturated")


def described(place: Place, cause: Cause, name: str = "", kind: str = "ill") -> Finding:
    """Put a row of the table into words for a place."""
    words = {"activation": place.activation, "ends": place.ends, "weight": place.zeros[0].name if place.zeros else ""}
    name, problem, why = name or place.name, cause.problem.format(**words), cause.cause.format(**words)
    return Finding(name, problem, why, cause.cure(place), kind)


@dataclass(frozen=True)
class Flow:
    """What went through the model and what came back; finds the place where nothing gets through."""

    calls: list[Call]
    back: list[np.ndarray | None]

    def call_with(self, variable: keras.Variable) -> int | None:
        """Return the number of the innermost call that uses the variable."""
        for number, call in enumerate(self.calls):
            if any(weight is variable for weight in call.weights):
                return number
        return None

    def place_of(self, number: int, is_ill: Callable[[int], bool], noise: bool) -> int | None:
        """Return the number of the call to blame for the kernel of this one; `LOSS`; or None: what the model was given.

        What comes back to it is `noise` if its gradient is not 0, but no more than rounding.
        """
        if self.calls[number].unfed:
            return self._first_silent(number)
        if is_ill(number) or (self._comes_back(number) and not noise):
            return number
        late = self._next_open(number)
        return self._first_silent(late) if late != LOSS and self.calls[late].unfed else late

    def _comes_back(self, number: int) -> bool:
        found = self.back[number]
        return found is None or bool(found.any())

    def _first_silent(self, number: int) -> int | None:
        before = [place for place in self._all_before(number) if self.calls[place].silent]
        return next((place for place in sorted(before) if not self.calls[place].unfed), None)

    def _all_before(self, number: int) -> set[int]:
        found, waiting = set(), [number]
        while waiting:
            late = waiting.pop()
            new = {early for early in range(late) if self.calls[early].feeds(self.calls[late])} - found
            found |= new
            waiting += new
        return found or set(range(number))

    def _next_open(self, number: int) -> int:
        """Follow the calls that take what this one gives, until one gets something back from the loss."""
        waiting, seen = [number], set()
        while waiting:
            early = waiting.pop(0)
            takers = [
                late
                for late in range(early + 1, len(self.calls))
                if not self.calls[late].inner and self.calls[early].feeds(self.calls[late])
            ]
            for late in takers:
                if not self.calls[late].is_float or self._comes_back(late):
                    return late
            waiting += [late for late in takers if late not in seen]
            seen.update(takers)
        later = (late for late in range(number + 1, len(self.calls)) if not self.calls[late].inner)
        return next((late for late in later if self._comes_back(late)), LOSS)
