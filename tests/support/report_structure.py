"""Structure of the page of the report."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "link", "input"}
NO_ICON = "data:,"


def body(text: str) -> str:
    """Return a page without its styles and scripts."""
    return re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)


class Structure(HTMLParser):
    """Checks that elements are closed, and collects addresses of other files, ids and names of attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.ids, self.names = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._collect(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self._collect(attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def _collect(self, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href") and value != NO_ICON]
        self.ids += [value for name, value in attributes if name == "id"]
        self.names |= {name for name, _ in attributes}
