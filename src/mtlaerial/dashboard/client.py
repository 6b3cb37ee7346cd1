"""Client of a Visdom server: windows of one environment, each replaced as a whole.

Visdom's own client has no timeout, prints errors and opens a second socket; a window is one small message.
"""

import http.client
import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from mtlaerial.dashboard.token import path_for, read_token

Window = dict[str, Any]
"""Content of a window as Visdom takes it: ``data``, ``opts`` and, of a plot, ``layout``."""
SIZE = {"width": 460, "height": 300}
"""Size of most windows in pixels: three fit side by side on most screens."""
TIMEOUT = 2.0
"""Seconds without an answer after which a server counts as gone."""
ANSWER_BYTES = 1000
"""Bytes of an answer that are read; Visdom's are shorter."""
LINE = 200
"""Characters of a refusal that are logged."""


def text_window(title: str, content: str) -> Window:
    """Return a window of HTML."""
    return {"data": [{"type": "text", "content": content}], "opts": {"title": title, **SIZE}}


class NoAnswer(Exception):
    """The server is unreachable, or does not answer as Visdom does; the message gives the reason."""


class Refusal(NoAnswer):
    """The server answers, and does not take what it is sent."""


class Client:
    """One environment of a Visdom server.

    Proxies are bypassed: the server is on this machine, or at the other end of a tunnel. The token of a server that
    ``mtlaerial dashboard`` started is read from its file each time, so that a server may be started anew.

    Parameters
    ----------
    url : str
        URL of the server.
    environment : str
    timeout : float
        Seconds without an answer after which :class:`NoAnswer` is raised.
    """

    def __init__(self, url: str, environment: str, timeout: float = TIMEOUT) -> None:
        self.url, self.environment, self.timeout = url, environment, timeout
        self._opener = build_opener(ProxyHandler({}))

    @property
    def page(self) -> str:
        """URL of the environment's page."""
        return f"{self.url}/env/{self.environment}"

    def has(self, window: str) -> bool:
        """Return whether the server has a window.

        Raises
        ------
        NoAnswer
            Raised by all methods.
        """
        answer = self._post("win_exists", {"win": window})
        if answer not in ("true", "false"):
            raise NoAnswer("it is not Visdom")
        return answer == "true"

    def show(self, window: str, content: Window) -> None:
        """Create a window, or replace its content."""
        self._post("events", {"win": window, **content})

    def keep(self) -> None:
        """Let the server save the environment to its disk."""
        self._post("save", {"data": [self.environment]})

    def _post(self, endpoint: str, message: dict[str, Any]) -> str:
        body = json.dumps({"eid": self.environment, **message}, allow_nan=False).encode()
        request = Request(f"{self.url}/{endpoint}", body, {"Content-Type": "application/json"})
        token = read_token(self.url)
        if token:
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return str(response.read(ANSWER_BYTES).decode("utf-8", "replace"))
        except HTTPError as error:
            with error:
                raise self._refusal(error, token) from None
        except URLError as error:
            raise NoAnswer(str(error.reason)) from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(error) or type(error).__name__) from None

    def _refusal(self, error: HTTPError, token: str | None) -> NoAnswer:
        path = path_for(self.url)
        if error.code == 403 and path:
            if token:
                return Refusal(f"it refuses the token in {path}, which may be of another dashboard")
            return Refusal(f"it asks for its token, which is not in {path}")
        if error.code >= 500:
            return NoAnswer(f"it answers {error.code}")
        return Refusal(f"it answers {error.code}: {_one_line(error)}")


def _one_line(error: HTTPError) -> str:
    """Return what a server answered, as far as it can stand in a log."""
    try:
        text = error.read(ANSWER_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        text = ""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:LINE] or str(error.reason)
