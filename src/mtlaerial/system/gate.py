"""Gate of a server of this machine: every request passes it before a handler or a body is read.

A browser lets any web page send requests to servers of this machine, and any user of this machine can. The gate
refuses a request unless

- its ``Host`` is a name of this machine (against DNS rebinding) and its ``Origin``, where it has one, is the same,
- a browser does not mark it as coming from another site (``Sec-Fetch-Site``),
- it has the token: in a cookie, which the announced address sets, or in ``Authorization: Bearer``,
- a POST has a type that browsers do not send to another origin without asking.
"""

import hashlib
import hmac
import logging
import re
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler, StaticFileHandler, stream_request_body

from mtlaerial.errors import UserError

log = logging.getLogger(__name__)
HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
"""``Host`` of this machine; any port, as a tunnel may have another one."""
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ENTRANCE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>mtlaerial</title><link rel="icon" href="data:,">'
    '<meta http-equiv="refresh" content="0; url=/"><a href="/">To the page</a></html>'
)
ANNOUNCED = "Open the address that the command printed."
WRONG_HOST = UserError("Host", "another name", "127.0.0.1, localhost or [::1]", ANNOUNCED)
WRONG_ORIGIN = UserError("Origin", "a page of another server", "the server's own page", ANNOUNCED)
WRONG_SITE = UserError("Sec-Fetch-Site", "a page of another server", "the server's own page", ANNOUNCED)
WRONG_TOKEN = UserError("token", "none, or not that of this server", "its token", ANNOUNCED)
WRONG_TYPE = UserError("Content-Type", "another type", "application/json", "Send JSON.")
NO_ROUTE = UserError("address", "none that is served", "one that its page uses", ANNOUNCED)


class Headed(RequestHandler):
    """Handler whose answers may be neither framed, nor guessed at, nor read by pages of other origins."""

    def set_default_headers(self) -> None:
        """Set the headers of all answers."""
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("Content-Security-Policy", self.application.settings["policy"])

    def refuse(self, status: int, error: UserError) -> None:
        """Answer with an error's sentence, and log each sentence once."""
        if error not in self.application.settings["logged"]:
            self.application.settings["logged"].add(error)
            log.warning("refused a request: %s", error)
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{error}\n")


@stream_request_body  # so that no byte of the body is read before the answer
class Refused(Headed):
    """Answer to a request that the gate refuses."""

    def initialize(self, status: int, error: UserError) -> None:
        """Take what to answer."""
        self.status, self.error = status, error

    def prepare(self) -> None:
        """Answer, whatever the method, and close the connection."""
        self.set_header("Connection", "close")
        self.refuse(self.status, self.error)


class Entrance(Headed):
    """The announced address: it turns the token into a cookie."""

    def initialize(self, cookie: str, token: str) -> None:
        """Take the cookie's name and content."""
        self.cookie, self.token = cookie, token

    def get(self) -> None:
        """Set the cookie and lead to the page without the token in its address."""
        self.set_cookie(self.cookie, self.token, path="/", httponly=True, samesite="Strict")
        self.set_header("Cache-Control", "no-store")
        # Not a redirect: after a link on another site, browsers would follow it without the cookie.
        self.finish(ENTRANCE)


class HeadedFiles(Headed, StaticFileHandler):
    """Scripts and styles."""


class Gate(Application):
    """Application that serves its routes to requests with the token, from the dashboard's own page or from a program.

    Parameters
    ----------
    routes : list
        As tornado takes them; all else is refused.
    token : str
    policy : str
        Content security policy of all answers: what the page may load, from where.
    **settings
        Tornado's.

    Attributes
    ----------
    cookie : str
        Name of the cookie, another one for each token: browsers do not tell the ports of a host apart.
    """

    def __init__(self, routes: list[Any], token: str, policy: str, **settings: Any) -> None:
        super().__init__(
            routes,
            default_handler_class=Refused,
            default_handler_args={"status": 404, "error": NO_ROUTE},
            static_handler_class=HeadedFiles,
            log_function=lambda _: None,  # tornado's lines name addresses with their tokens
            logged=set(),
            policy=policy,
            **settings,
        )
        self.token = token
        self.cookie = f"mtlaerial_{hashlib.sha256(token.encode()).hexdigest()[:12]}"

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Return the handler of a request, from its first line and headers alone."""
        if refusal := self._refusal(request):
            status, error = refusal
            return self.get_handler_delegate(request, Refused, {"status": status, "error": error})
        if _enters(request):
            return self.get_handler_delegate(request, Entrance, {"cookie": self.cookie, "token": self.token})
        return super().find_handler(request, **kwargs)

    def _refusal(self, request: HTTPServerRequest) -> tuple[int, UserError] | None:
        """Return status and sentence of the first check that a request fails; None if it passes all."""
        headers = request.headers
        host = headers.get("Host", "")
        if not HOST.fullmatch(host):
            return 403, WRONG_HOST
        if "Origin" in headers and not _same_origin(headers["Origin"], host):
            return 403, WRONG_ORIGIN
        if not self._has_token(request):
            return 403, WRONG_TOKEN
        if not _enters(request) and headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return 403, WRONG_SITE
        if request.method not in ("GET", "HEAD") and not _asks_first(request):
            return 415, WRONG_TYPE
        return None

    def _has_token(self, request: HTTPServerRequest) -> bool:
        if _enters(request):
            candidate = request.query_arguments["token"][-1]
        elif self.cookie in request.cookies:
            candidate = request.cookies[self.cookie].value.encode()
        else:
            scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
            candidate = credential.strip().encode() if scheme.lower() == "bearer" else b""
        return hmac.compare_digest(candidate, self.token.encode())


def _enters(request: HTTPServerRequest) -> bool:
    """Return whether a request is for the announced address."""
    return request.method == "GET" and request.path == "/" and "token" in request.query_arguments


def _same_origin(origin: str, host: str) -> bool:
    try:
        address = urlsplit(origin)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and address.netloc.lower() == host.lower()


def _asks_first(request: HTTPServerRequest) -> bool:
    """Return whether a browser would ask the server before it let a page of another origin send this.

    Visdom's page sends JSON as a form, by jQuery, which adds ``X-Requested-With``: browsers ask for that header, too.
    """
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return content_type == "application/json" or request.headers.get("X-Requested-With") == "XMLHttpRequest"
