"""Plain text for a terminal from docstrings in reStructuredText."""

import re
import textwrap

WIDTH = 100


def plain_text(text: str) -> str:
    """Return text without markup, its paragraphs filled; blocks with indented lines keep their lines.

    >>> plain_text("The plain sum ``sum_t L_t``; see :class:`Equal`.")
    'The plain sum sum_t L_t; see Equal.'
    """
    without_roles = re.sub(r":\w+:`~?([^`]+)`", r"\1", text)
    blocks = without_roles.replace("``", "").split("\n\n")
    return "\n\n".join(_filled(block) for block in blocks)


def _filled(block: str) -> str:
    if re.search(r"^\s", block, re.MULTILINE):
        return block
    return textwrap.fill(block, WIDTH, break_long_words=False, break_on_hyphens=False)
