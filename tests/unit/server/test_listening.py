"""The socket that the server listens on."""

from __future__ import annotations

import socket

from streamhost.server.listening import listen


def test_connections_send_without_waiting() -> None:
    """The end of an answer leaves at once, whether or not the client has acknowledged what came before."""
    listener = listen("127.0.0.1", 0)
    with listener.socket as waiting, socket.create_connection(waiting.getsockname()):
        waiting.setblocking(True)
        accepted, _ = waiting.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
