"""Tables as Markdown and LaTeX."""

from collections.abc import Callable, Sequence

from mtlaerial.reporting.tables.panels import Cell, Document, Note, Panel

PREAMBLE = r"% \usepackage{adjustbox,booktabs,longtable,url} \usepackage[T1]{fontenc}"
_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "[": "{[}", "*": "{*}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", '"': r"\textquotedbl{}",
    "<": "$<$", ">": "$>$", "|": "$|$", "±": r"$\pm$", "−": "$-$", "–": "--", "²": "$^2$", "³": "$^3$",
    "≈": r"$\approx$", "κ": r"$\kappa$", "δ": r"$\delta$", "Δ": r"$\Delta$", "†": r"$\dagger$",
})  # fmt: skip
"""A bracket or an asterisk after a line break would be taken for the break's own argument."""
_MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>|#~"})


def markdown(document: Document) -> str:
    """Return a document as Markdown."""
    parts = [markdown_panel(panel) for panel in document.panels]
    return "\n\n".join(parts or [document.nothing]) + "\n"


def markdown_panel(panel: Panel) -> str:
    """Return one table as Markdown, with its caption and notes."""
    header = [escape_markdown(name) for name in panel.header]
    rows = [_texts(row, escape_markdown, "**{}**".format) for row in panel.rows]
    widths = [max(3, *map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_markdown_row(cells, widths) for cells in (header, rule, *rows)]
    notes = [" ".join(filter(None, (escape_markdown(note.text), note.url and f"<{note.url}>"))) for note in panel.notes]
    return "\n\n".join([escape_markdown(panel.caption), "\n".join(lines), *notes])


def latex(document: Document) -> str:
    """Return a document as LaTeX tables; the first line names the packages that they need."""
    parts = [_latex_panel(panel) for panel in document.panels]
    return "\n\n".join([PREAMBLE, *(parts or [f"% {document.nothing}"])]) + "\n"


def escape_latex(text: str) -> str:
    """Return text with LaTeX's special characters escaped."""
    return " ".join(text.split()).translate(_LATEX)


def escape_markdown(text: str) -> str:
    """Return text with Markdown's special characters escaped, also those of tables."""
    return " ".join(text.split()).translate(_MARKDOWN)


def _markdown_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    (name, name_width), *numbers = zip(cells, widths, strict=True)
    padded = [name.ljust(name_width), *(text.rjust(width) for text, width in numbers)]
    return f"| {' | '.join(padded)} |"


def _latex_panel(panel: Panel) -> str:
    align = f"{{l{'r' * (len(panel.header) - 1)}}}"
    caption = rf"\caption{{{escape_latex(panel.caption)}}}"
    head = [r"\toprule", _latex_row([escape_latex(name) for name in panel.header]), r"\midrule"]
    rows = [_latex_row(_texts(row, escape_latex, r"\textbf{{{}}}".format)) for row in panel.rows]
    label, notes = rf"\label{{tab:{panel.key}}}", [_latex_note(note) for note in panel.notes]
    if panel.long:
        top = [rf"{{\footnotesize\begin{{longtable}}{align}", rf"{caption}{label}\\", *head, r"\endfirsthead"]
        body = [*head, r"\endhead", *rows, r"\bottomrule", r"\end{longtable}"]
        return "\n".join([*top, *body, *notes, "}"])
    top = [r"\begin{table*}", r"\centering\footnotesize\setlength{\tabcolsep}{4pt}", caption, label]
    fit = r"{adjustbox}{max width=\textwidth}"
    body = [rf"\begin{fit}", rf"\begin{{tabular}}{align}", *head, *rows, r"\bottomrule", r"\end{tabular}"]
    return "\n".join([*top, *body, r"\end{adjustbox}", *notes, r"\end{table*}"])


def _latex_note(note: Note) -> str:
    return rf"\par\smallskip {escape_latex(note.text)}" + (rf" \url{{{note.url}}}" if note.url else "")


def _latex_row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _texts(row: Sequence[Cell], escape: Callable[[str], str], bold: Callable[[str], str]) -> list[str]:
    texts = []
    for cell in row:
        text = escape(cell.text)
        texts.append(bold(text) if cell.bold else text)
    return texts
