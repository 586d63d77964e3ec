"""The figures of the course.

Every function draws on the axes `ax` that you pass, or on new ones, and returns them. A wrong type is a `TypeError`, a
layer that is not there a `ValueError`; both name the argument.
"""

from collections.abc import Mapping
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from zerostart import Recording, unit_groups
from zerostart.checks import integer, non_negative, of_type

STYLE = "helpers.course"
GRADIENT_SCALE = LogNorm(1e-8, 1)
# How a weight of zero, a positive and a negative one are drawn.
EDGES = (("0.6", ":"), ("#c0392b", "-"), ("#2060b0", (0, (3, 1.5))))


def plot_gradient_flow(recording: Recording, ax: Axes | None = None) -> Axes:
    """Draw how large the gradient of every variable is at every step: one row a variable, one column a step.

    Colour is the root mean square, on a logarithmic scale that is the same in all pictures. Hatching means exactly
    0.0 (or NaN), which no colour can show.

    Args:
        recording: What `train` returned.

    Example:
        >>> recording = train(mlp((3,), kernel_initializer="zeros", inputs=2, outputs=2), np.eye(2), [0, 1], steps=5)
        >>> plot_gradient_flow(recording).get_xlabel()
        'step'
    """
    of_type("recording", recording, Recording)
    rms = np.array([recording.gradient_rms[name] for name in recording.names], dtype="float64")
    ax = _axes(ax, height=1.2 + 0.42 * min(len(rms), 16))
    ax.patch.set(facecolor="white", edgecolor="0.55", hatch="///")
    edges = np.arange(rms.shape[1] + 1) - 0.5, np.arange(len(rms) + 1) - 0.5
    image = ax.pcolormesh(*edges, np.ma.masked_less_equal(rms, 0), norm=GRADIENT_SCALE, rasterized=True)
    ax.figure.colorbar(image, ax=ax, label="gradient (RMS)", extend="both")
    ax.set(xlim=(-0.5, rms.shape[1] - 0.5), ylim=(len(rms) - 0.5, -0.5), xlabel="step", title="Gradients")
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    every = -(-len(rms) // 16)
    names = ["/".join(path.split("/")[-2:]) for path in recording.names]
    ax.set_yticks(np.arange(0, len(rms), every), names[::every])
    if not np.all(rms > 0):
        zero = Patch(facecolor="white", edgecolor="0.55", hatch="///", label="exactly 0")
        ax.legend(handles=[zero], loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)
    return ax


def plot_neuron_symmetry(
    model: keras.Model, ax: Axes | None = None, *, layer: str | None = None, limit: int = 32
) -> Axes:
    """Draw the incoming weights of each unit of a layer as a small picture.

    Identical units, in weights and bias, carry the same number. A square number of weights, 9 or more, is drawn as an
    image, others as a column. Blue is negative, white zero, red positive; the scale is symmetric around zero.

    Args:
        model: A built model.
        layer: Name of a layer with a kernel. `None` is the first one.
        limit: At most this many units are drawn; the title counts all.

    Example:
        >>> len(plot_neuron_symmetry(mlp((3,), kernel_initializer="zeros")).images)  # one for each unit
        3
    """
    limit = integer("limit", limit)
    chosen = _layer_with_kernel(model, layer)
    kernel = _matrix(chosen.kernel)
    groups = unit_groups(chosen.kernel, getattr(chosen, "bias", None))
    shown = min(kernel.shape[1], limit)
    side = int(np.sqrt(len(kernel)))
    shape = (side, side) if side > 2 and side * side == len(kernel) else (len(kernel), 1)
    is_image = shape[1] > 1
    columns = min(shown, 8 if is_image else 32)
    rows = -(-shown // columns)
    ax = _axes(ax, height=1 + 1.3 * rows if is_image else 3.5)
    if is_image:
        ax.set_aspect(0.88 / 0.64)  # square pixels

    scale = np.abs(kernel).max() or 1.0
    for unit in range(shown):
        left, top = unit % columns, unit // columns
        tile = kernel[:, unit].reshape(shape)
        where = (left + 0.06, left + 0.94, top + 0.94, top + 0.3)
        image = ax.imshow(tile, cmap="RdBu_r", vmin=-scale, vmax=scale, extent=where, aspect=ax.get_aspect())
        ax.add_patch(plt.Rectangle((where[0], where[3]), 0.88, 0.64, fill=False, edgecolor="0.4", linewidth=1))
        ax.text(left + 0.5, top + 0.26, str(groups[unit] + 1), ha="center", va="bottom", fontsize=12)
    ax.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    different = groups.max() + 1
    alike = "all identical" if different == 1 else f"{different} different"
    counted = f"{kernel.shape[1]} units, {alike}" if kernel.shape[1] > 1 else "1 unit"
    hidden = "" if shown == kernel.shape[1] else f", first {shown} drawn"
    ax.set_title(f"{chosen.name}: {counted}{hidden}")
    ax.figure.colorbar(image, ax=ax, label="incoming weight")
    return ax


def plot_network(model: keras.Model, ax: Axes | None = None, *, title: str = "", limit: int = 8) -> Axes:
    """Draw a network of dense layers with its real weights as edges.

    Thickness is the size of a weight, relative to the largest in the network. Positive weights are solid red,
    negative ones dashed blue, and zeros thin dotted grey.

    Args:
        model: A model whose layers with a kernel are dense and follow each other.
        title: Title of the axes.
        limit: At most this many units of each layer are drawn, evenly spread; a note says so.

    Example:
        >>> notes = plot_network(mlp((3,), kernel_initializer="ones"), title="before").texts
        >>> [note.get_text() for note in notes]  # inputs, hidden layer, head
        ['8 of 64', '3', '8 of 10']
    """
    limit = integer("limit", limit)
    kernels = [_matrix(layer.kernel) for layer in _layers_with_kernel(model)]
    sizes = [len(kernels[0]), *(kernel.shape[1] for kernel in kernels)]
    drawn = [np.unique(np.linspace(0, size - 1, min(size, limit)).astype(int)) for size in sizes]
    heights = [np.linspace(0.5, -0.5, len(units)) if len(units) > 1 else np.zeros(1) for units in drawn]
    largest = max(np.abs(kernel).max() for kernel in kernels) or 1.0
    ax = _axes(ax, height=4)
    for depth, kernel in enumerate(kernels):
        starts, ends = heights[depth], heights[depth + 1]
        segments = np.array([[(depth, start), (depth + 1, end)] for start in starts for end in ends])
        weights = kernel[np.ix_(drawn[depth], drawn[depth + 1])].ravel() / largest
        for (color, style), chosen in zip(EDGES, (weights == 0, weights > 0, weights < 0), strict=True):
            widths = np.where(weights == 0, 0.8, 0.3 + 4.2 * np.abs(weights))[chosen]
            lines = LineCollection(segments[chosen], colors=color, linestyles=style, linewidths=widths, zorder=1)
            ax.add_collection(lines)
    for depth, (height, size) in enumerate(zip(heights, sizes, strict=True)):
        ax.scatter(np.full(len(height), depth), height, s=260, color="white", edgecolor="black", zorder=2)
        note = f"{limit} of {size}" if size > limit else str(size)
        ax.text(depth, -0.66, note, ha="center", va="top", fontsize=12)
    ax.set(xlim=(-0.3, len(kernels) + 0.3), ylim=(-0.8, 0.6), xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(False)
    return ax


def plot_losses(
    recordings: Mapping[str, Recording], ax: Axes | None = None, *, landmarks: Mapping[str, float] | None = None
) -> Axes:
    """Draw the loss of each recording over the steps.

    Args:
        recordings: Label -> what `train` returned.
        landmarks: Label -> a loss to mark with a horizontal line.

    Example:
        >>> recording = train(mlp((3,), kernel_initializer="zeros", inputs=2, outputs=2), np.eye(2), [0, 1], steps=5)
        >>> plot_losses({"zeros": recording}, landmarks={"ln 2": np.log(2)}).get_ylabel()
        'loss'
    """
    for recording in of_type("recordings", recordings, Mapping).values():
        of_type("recordings", recording, Recording)
    ax = _axes(ax)
    for label, recording in recordings.items():
        ax.plot(recording.loss, label=label)
    for label, loss in of_type("landmarks", {} if landmarks is None else landmarks, Mapping).items():
        non_negative("landmarks", loss)
        ax.axhline(loss, color="0.4", linewidth=1, linestyle="-")
        ax.annotate(label, (1, loss), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=12)
    ax.set(xlabel="step", ylabel="loss", ylim=(0, None), title="Loss")
    ax.legend()
    return ax


def _axes(ax: Axes | None, height: float = 4) -> Axes:
    return plt.subplots(figsize=(9, height))[1] if ax is None else of_type("ax", ax, Axes)


def _matrix(kernel: Any) -> np.ndarray:
    values = ops.convert_to_numpy(kernel.value)
    return values.reshape(-1, values.shape[-1])


def _layers_with_kernel(model: keras.Model) -> list[keras.layers.Layer]:
    layers = [layer for layer in of_type("model", model, keras.Model).layers if hasattr(layer, "kernel")]
    if not layers:
        raise ValueError("model: expected at least one built layer with a kernel, got none")
    return layers


def _layer_with_kernel(model: keras.Model, name: str | None) -> keras.layers.Layer:
    layers = _layers_with_kernel(model)
    for layer in layers:
        if name is None or of_type("layer", name, str) == layer.name:
            return layer
    raise ValueError(f"layer: expected one of {[layer.name for layer in layers]}, got {name!r}")
