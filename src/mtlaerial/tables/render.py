"""Tables as Markdown and LaTeX."""

from collections.abc import Callable, Sequence

from mtlaerial.tables.layout import Cell, Document, Panel

NOTHING = "Not available: no method learns this, or the test tiles have no truth for it."
PREAMBLE = r"% \usepackage{booktabs} \usepackage[T1]{fontenc}"
_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "[": "{[}", "*": "{*}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", '"': r"\textquotedbl{}",
    "<": "$<$", ">": "$>$", "|": "$|$", "±": r"$\pm$", "−": "$-$", "–": "--",
    "κ": r"$\kappa$", "δ": r"$\delta$", "Δ": r"$\Delta$",
})  # fmt: skip
"""A bracket or an asterisk after a line break would be taken for the break's own argument."""
_MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>|#~"})


def markdown(document: Document) -> str:
    """Return a document as Markdown."""
    parts = [_markdown_panel(panel) for panel in document.panels]
    return "\n\n".join(parts or [NOTHING]) + "\n"


def latex(document: Document) -> str:
    """Return a document as LaTeX tables; the first line names the packages they need."""
    parts = [_latex_panel(panel) for panel in document.panels]
    return "\n\n".join([PREAMBLE, *(parts or [f"% {NOTHING}"])]) + "\n"


def escape_latex(text: str) -> str:
    """Return text that LaTeX prints as it is."""
    return " ".join(text.split()).translate(_LATEX)


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, in a table too."""
    return " ".join(text.split()).translate(_MARKDOWN)


def _markdown_panel(panel: Panel) -> str:
    header = [escape_markdown(name) for name in panel.header]
    rows = [_texts(row, escape_markdown, "**{}**".format) for row in panel.rows]
    widths = [max(3, *map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_markdown_row(cells, widths) for cells in (header, rule, *rows)]
    notes = [escape_markdown(note) for note in panel.notes]
    return "\n\n".join([escape_markdown(panel.caption), "\n".join(lines), *notes])


def _markdown_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
    return f"| {' | '.join(padded)} |"


def _latex_panel(panel: Panel) -> str:
    rows = [_texts(row, escape_latex, r"\textbf{{{}}}".format) for row in panel.rows]
    lines = [
        r"\begin{table*}",
        r"  \centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"  \caption{{{escape_latex(panel.caption)}}}",
        rf"  \label{{tab:{panel.key}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(panel.header) - 1)}}}",
        r"    \toprule",
        _latex_row([escape_latex(name) for name in panel.header]),
        r"    \midrule",
        *map(_latex_row, rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        *(rf"  \par\smallskip {escape_latex(note)}" for note in panel.notes),
        r"\end{table*}",
    ]
    return "\n".join(lines)


def _latex_row(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _texts(row: Sequence[Cell], escape: Callable[[str], str], bold: Callable[[str], str]) -> list[str]:
    return [bold(escape(cell.text)) if cell.bold else escape(cell.text) for cell in row]
