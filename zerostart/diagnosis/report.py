"""The report: as text, and as a table for Jupyter."""

import html

from zerostart.diagnosis.findings import FINE, Finding

NOT_LOOKED_AT = (
    "Not looked at: the learning rate and the optimizer, penalties on weights, whether the labels are right, whether "
    "it does well on new data."
)


def text(headline: str, findings: tuple[Finding, ...], end: str) -> str:
    """Write the ills with cause and cure, and each victim or note in one line."""
    lines = [headline]
    for finding in findings:
        if finding.kind == "ill":
            lines += [
                "",
                f"{finding.layer}: {finding.problem}",
                f"  cause: {finding.cause}",
                f"  cure:  {finding.cure}",
            ]
        else:
            above = finding.kind == "victim"
            lines += [] if above else [""]
            cure = "" if finding.cure == FINE or above else f" {finding.cure}"
            lines.append(
                f"{'  so, ' * above}{finding.layer}: {finding.problem}{':' if above else '.'} {finding.cause}{cure}"
            )
    return "\n".join([*lines, *(["", end] if end else [])])


def page(headline: str, findings: tuple[Finding, ...], end: str) -> str:
    """Write a table."""
    left = 'style="text-align:left"'
    titles = "".join(f"<th {left}>{title}</th>" for title in ("layer", "problem", "cause", "cure"))
    rows = "".join(
        "<tr>"
        + "".join(f"<td {left}>{html.escape(cell)}</td>" for cell in (f.layer, f.problem, f.cause, f.cure))
        + "</tr>"
        for f in findings
    )
    return (
        f"<p>{html.escape(headline)}</p><table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>{html.escape(end)}</p>"
    )
