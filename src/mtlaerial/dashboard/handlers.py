"""Routes of Visdom that the dashboard serves, and the messages that they take.

Visdom writes and removes ``NAME.json`` in its folder for any name of an environment, paths included; here a name is a
name.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tornado.websocket import WebSocketHandler

from mtlaerial.dashboard.pages import Index, Overlay
from mtlaerial.errors import UserError
from mtlaerial.system.gate import ANNOUNCED, Headed

Message = dict[str, Any]
NAME = re.compile(r"\w[\w .,=@()-]*")
NAME_BYTES = 200
"""Longest name of an environment in bytes: file systems take 255, with ``.json``."""
ENVIRONMENTS, WINDOWS = 1000, 100
"""Largest number of environments, and of windows in one of them."""
COMMANDS = {"close", "delete_env", "layout_item_update", "save", "save_layouts"}
"""Commands of the page's websocket."""
EVENTS = {"forward_to_vis", "pop_embeddings_pane"}
"""Commands of the page that have no effect here: no training takes events, none shows embeddings."""
ROUTES: list[tuple[str, str, tuple[str, ...]]] = [
    (r"/(?P<args>)", "IndexHandler", ("GET",)),
    (r"/env/(.*)", "EnvHandler", ("GET", "POST")),
    (r"/compare/(.*)", "CompareHandler", ("GET", "POST")),
    (r"/user/(style\.css)", "UserSettingsHandler", ("GET",)),
    (r"/socket", "SocketHandler", ("GET",)),
    (r"/win_exists", "ExistsHandler", ("POST",)),
    (r"/events", "PostHandler", ("POST",)),
    (r"/save", "SaveHandler", ("POST",)),
]
"""Path, handler and methods: the page uses the first five, a training the last three. Visdom's others
(``update``, ``close``, ``delete_env``, ``win_data``, ``win_hash``, ``env_state``, ``fork_env``, ``vis_socket``, two for
polling, ``error`` and the login) are not served."""
PAGES: dict[str, tuple[type, ...]] = {"IndexHandler": (Index,), "CompareHandler": (Overlay,)}
"""Handlers whose answers replace those of Visdom's."""
WRONG_MESSAGE = UserError("message", "no JSON object", "what the dashboard's page or a training sends", ANNOUNCED)
WRONG_NAME = UserError(
    "environment", "a long name, or one with a path", "letters, digits, spaces and _.,=@()- in it", "Rename it."
)
TOO_MANY = UserError(
    "dashboard", "no room", f"{ENVIRONMENTS} environments of {WINDOWS} windows at most", "Delete some on its page."
)


class Invalid(Exception):
    """A message that is refused; its argument is the :class:`UserError`."""


def routes(visdom: Any) -> list[Any]:
    """Return the routes, as tornado takes them, of a Visdom application, which holds the windows."""
    from visdom.server.handlers import socket_handlers, web_handlers

    handlers = vars(web_handlers) | vars(socket_handlers)
    return [(path, _checked(handlers[name], methods), {"app": visdom}) for path, name, methods in ROUTES]


def _checked(handler: type, methods: tuple[str, ...]) -> type:
    """Return a handler of Visdom with its messages checked."""
    check = CheckedSocket if issubclass(handler, WebSocketHandler) else Checked
    bases = (check, *PAGES.get(handler.__name__, ()), handler)
    return type(handler.__name__, bases, {"SUPPORTED_METHODS": methods})


class Checked(Headed):
    """Handler whose environments' names are checked before Visdom sees them."""

    state: Mapping[str, Any]

    def prepare(self) -> None:
        """Refuse a request that names no environment, or for which there is no room."""
        names = [name for argument in self.path_args for name in argument.split("+")]
        try:
            _require_names(names)
            if self.request.method == "POST":
                message = _parse(self.request.body)
                names += _names(message, listed=self.request.path == "/save")
                _require_names(names)
                _require_room(self.state, names, message.get("win"))
        except Invalid as invalid:
            self.refuse(400, invalid.args[0])


class CheckedSocket(Headed, WebSocketHandler):
    """Websocket of the page whose commands are checked before Visdom sees them."""

    state: Mapping[str, Any]

    def on_message(self, message: str | bytes) -> Any:
        """Carry out a command, or close the connection."""
        try:
            command = _parse(message)
            names = _names(command, listed=False)
            _require_names(names)
            if command.get("cmd") in EVENTS:
                return None
            if command.get("cmd") not in COMMANDS:
                raise Invalid(WRONG_MESSAGE)
            _require_room(self.state, names, None)
        except Invalid as invalid:
            self.close(1008, str(invalid.args[0])[:120])
            return None
        return super().on_message(message)


def _parse(text: str | bytes) -> Message:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(WRONG_MESSAGE) from None
    if not isinstance(message, dict) or not isinstance(message.get("win", ""), str):
        raise Invalid(WRONG_MESSAGE)
    return message


def _names(message: Message, listed: bool) -> list[Any]:
    """Return the environments that a message names; a list of them in ``data`` where they are listed."""
    names = [message[key] for key in ("eid", "prev_eid") if message.get(key) is not None]
    data = message.get("data") if listed else []
    if not isinstance(data, list):
        raise Invalid(WRONG_MESSAGE)
    return names + data


def _require_names(names: Iterable[Any]) -> None:
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name) or len(name.encode()) > NAME_BYTES:
            raise Invalid(WRONG_NAME)


def _require_room(state: Mapping[str, Any], names: Iterable[str], window: Any) -> None:
    for name in names:
        if name not in state:
            full = len(state) >= ENVIRONMENTS
        else:
            windows = state[name]["jsons"] if window is not None else {}
            full = len(windows) >= WINDOWS and window not in windows
        if full:
            raise Invalid(TOO_MANY)
