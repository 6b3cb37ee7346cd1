"""Folder of code that torch.compile has made, for later processes."""

import os
from contextlib import suppress
from pathlib import Path

_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"


def keep_compiled_code() -> None:
    """Let torch.compile keep its code in the user's cache, where a later process finds it.

    Torch's own choice is a folder for temporary files, which a cluster's node forgets with the job. What the
    environment states stays; so does torch's choice where there is no such folder and none can be made.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser() / "mtlaerial" / "compiled"
    with suppress(OSError, RuntimeError):  # no permission; no home
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault(_VARIABLE, str(folder))
