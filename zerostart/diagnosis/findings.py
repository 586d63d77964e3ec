"""What is worth knowing about a model, how its parts are named in it, and the report."""

import html
from dataclasses import dataclass
from typing import Any

import keras

FINE = "Nothing to mend."
STANDARDIZED = "x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-7)"  # the cure of inputs that are too large


@dataclass(frozen=True)
class Finding:
    """One thing that is worth knowing about a model.

    Attributes:
        layer: Name of the layer, or of several, or of another part: `"loss"`, `"x"`, `"y"`, `"optimizer"`.
        problem: What is the matter.
        cause: The fact behind it.
        cure: Code that mends it, or what to do.
        kind: `"ill"`; `"victim"`, which is well again when what stands above it is mended; or `"note"`.
    """

    layer: str
    problem: str
    cause: str
    cure: str
    kind: str = "ill"


def layer_name(model: keras.Model, variable: keras.Variable) -> str:
    """Return the name of the variable's layer, with the layers around it, without the model's own name."""
    return variable.path.removeprefix(f"{model.name}/").rpartition("/")[0] or model.name


def joined(names: Any) -> str:
    """List each name once; of very many only the first ones."""
    names = list(dict.fromkeys(names))
    return ", ".join(names if len(names) <= 6 else [*names[:5], f"and {len(names) - 5} more"])


def in_code(model: keras.Model, variable: keras.Variable) -> str:
    """Return code that gives the variable."""
    for layer in model.layers:
        if getattr(layer, variable.name, None) is variable:
            return f'model.get_layer("{layer.name}").{variable.name}'
    return f"model.variables[{[id(other) for other in model.variables].index(id(variable))}]"


def redrawn(model: keras.Model, *kernels: keras.Variable) -> str:
    """Return code that gives kernels random values in place."""
    shapes = [(in_code(model, kernel), tuple(kernel.shape)) for kernel in kernels]
    draw = {True: "keras.initializers.GlorotUniform()", False: "keras.ops.ones"}
    return "; ".join(f"{code}.assign({draw[len(shape) > 1]}({shape}))" for code, shape in shapes)


def with_activation(model: keras.Model, layer: Any, activation: str) -> str:
    """Return code that gives a layer another activation, as far as it has one."""
    if not hasattr(layer, "activation") or not any(known is layer for known in model.layers):
        return f'Put keras.layers.Activation("{activation}") in place of {layer.name}.'
    compiled = "; model.compile(model.optimizer, loss=model.loss)" * bool(model.compiled and model.loss)
    return f'model.get_layer("{layer.name}").activation = keras.activations.{activation}{compiled}'


def text(headline: str, findings: tuple[Finding, ...], end: str) -> str:
    """Write the ills with cause and cure, and each victim or note in one line."""
    lines = [headline]
    for finding in findings:
        said = f"{finding.layer}: {finding.problem}"
        if finding.kind == "ill":
            lines.append(f"\n{said}\n  cause: {finding.cause}\n  cure:  {finding.cure}")
        elif finding.kind == "victim":
            lines.append(f"  so, {said}: {finding.cause}")
        else:
            lines.append(f"\n{said}. {finding.cause} {finding.cure}".removesuffix(f" {FINE}"))
    return "\n".join(lines + [f"\n{end}"] * bool(end))


def page(headline: str, findings: tuple[Finding, ...], end: str) -> str:
    """Write a table."""
    titles, left = ("layer", "problem", "cause", "cure"), 'style="text-align:left"'
    head = "".join(f"<th {left}>{title}</th>" for title in titles)
    rows = ["".join(f"<td {left}>{html.escape(getattr(f, title))}</td>" for title in titles) for f in findings]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<p>{headline}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{end}</p>"
