"""The port for media: everything below `/s/`, with files sent by the kernel itself (`sendfile`).

The HTTP server copies each byte of a file twice, into the process and out of it again. Here none is: on a port of its
own, which can do nothing but deliver, in the loop of the program, with the answers of the delivery path.
"""

from streamhost.server.straight.listener import MediaPort

__all__ = ["MediaPort"]
