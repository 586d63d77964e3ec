"""What is found about a model, and the report."""

import html
from dataclasses import dataclass
from typing import Any

from zerostart.verdict import MEANINGS

NOT_LOOKED_AT = (
    "Not looked at: the learning rate and other settings of the optimizer, penalties on weights, whether the labels "
    "are right, whether it does well on new data."
)
FINE = "Nothing to mend."
STANDARDIZED = "x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-7)"  # the cure of inputs that are too large


@dataclass(frozen=True)
class Finding:
    """One thing that is worth knowing about a model.

    Attributes:
        layer: Name of the layer, or of several, or of another part: `"loss"`, `"outputs"`, `"x"`, `"y"`, `"optimizer"`.
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


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What `diagnose` found.

    Attributes:
        verdict: `"frozen"`, `"partly frozen"`, `"symmetric"`, `"slow"` or `"learns"`.
        findings: Each has `layer`, `problem`, `cause`, `cure` and `kind`, the root cause first.

    Example:
        >>> diagnose(mlp((3,), inputs=2, outputs=2, kernel_initializer="zeros"), np.eye(2), [0, 1]).findings[0].layer
        'hidden_1, head'
    """

    verdict: str
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """Summarize in one line."""
        return f"Diagnosis({self.verdict!r}, {len(self.findings)} findings)"

    def __str__(self) -> str:
        """Report the ills with cause and cure, and each victim or note in one line."""
        lines = [self._headline]
        for finding in self.findings:
            said = f"{finding.layer}: {finding.problem}"
            if finding.kind == "ill":
                lines.append(f"\n{said}\n  cause: {finding.cause}\n  cure:  {finding.cure}")
            elif finding.kind == "victim":
                lines.append(f"  so, {said}: {finding.cause}")
            else:
                lines.append(f"\n{said}. {finding.cause} {finding.cure}".removesuffix(f" {FINE}"))
        return "\n".join(lines + [f"\n{NOT_LOOKED_AT}"] * (self.verdict == "learns"))

    def _repr_html_(self) -> str:
        """Report as a table, for Jupyter."""
        titles, left = ("layer", "problem", "cause", "cure"), 'style="text-align:left"'
        rows = ["".join(f"<th {left}>{title}</th>" for title in titles)]
        for finding in self.findings:
            cells = (html.escape(getattr(finding, title)) for title in titles)
            rows.append("".join(f"<td {left}>{cell}</td>" for cell in cells))
        table = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<p>{self._headline}</p><table>{table}</table>" + f"<p>{NOT_LOOKED_AT}</p>" * (self.verdict == "learns")

    @property
    def _headline(self) -> str:
        return f"Verdict: {self.verdict} - {MEANINGS[self.verdict]}."


def joined(names: Any) -> str:
    """List each name once; of very many only the first ones."""
    names = list(dict.fromkeys(names))
    return ", ".join(names if len(names) <= 6 else [*names[:5], f"and {len(names) - 5} more"])
