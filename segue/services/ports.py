"""TCP ports on loopback: is one free, which one is, and who has it."""

import socket
from typing import Final

import psutil

from segue.errors import PortInUseError

LOOPBACK: Final = "127.0.0.1"


def free_port() -> int:
    """Return a port of loopback on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` of loopback."""
    with socket.socket() as probe:
        # as the servers do: connections of an earlier run that linger do not count
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def require_free(port: int, setting: str) -> None:
    """Check that nobody listens on `port`.

    Parameters
    ----------
    port : int
        Port of loopback.
    setting : str
        The setting that chooses it, for the message: `SEGUE_KAFKA_PORT`.

    Raises
    ------
    PortInUseError
        Naming the process that listens, where this machine tells.
    """
    if not port_is_free(port):
        raise PortInUseError(
            f"port {port} is used by {_listener(port)}; stop that, or set {setting} "
            "to another port (0 chooses a free one)"
        )


def _listener(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        connections = []
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN
        # an address is a tuple of host and port
        if listens and connection.laddr[1:] == (port,) and connection.pid is not None:
            return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"
