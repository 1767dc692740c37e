"""TCP ports that a test chooses now and somebody listens on later."""

import socket

_taken: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that nobody else is given while this process lives.

    It stays bound, so that the kernel chooses it for nobody; whoever says SO_REUSEADDR, as servers
    do, can listen on it all the same, because here nobody listens.
    """
    one = socket.socket()
    _taken.append(one)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    port: int = one.getsockname()[1]
    return port
