"""Client of the job server, in the place of Python: asks for a script, and ends as that ends."""

import json
import os
import signal
import socket
import sys

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main() -> None:
    """Send the request with the standard streams, forward signals, and end with the job's exit code or signal."""
    environment = dict(os.environ)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(environment.pop("JOB_SERVER"))
    request = {"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": environment}
    text = json.dumps(request).encode()
    socket.send_fds(connection, [f"{len(text):8d}".encode()], [0, 1, 2])
    connection.sendall(text)
    pid = int(connection.recv(8, socket.MSG_WAITALL))
    for number in FORWARDED:
        signal.signal(number, lambda which, _: os.kill(pid, which))
    code = int(connection.recv(8, socket.MSG_WAITALL))
    if code < 0:
        if -code != signal.SIGKILL:  # which has no handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


main()
