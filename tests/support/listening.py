"""An application behind a real uvicorn on loopback, in a thread of this process, and plain connections to it."""

import asyncio
import socket
import threading
from contextlib import ExitStack, contextmanager

import uvicorn

from serving.http.connections import LimitedProtocol

PATIENCE = 30  # seconds for one answer
JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"


@contextmanager
def listening(app, protocol=LimitedProtocol):
    """Yield a function that opens a connection to the application."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = uvicorn.Server(uvicorn.Config(app, http=protocol, lifespan="off", log_config=None))
    thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
    thread.start()
    with ExitStack() as connections:
        try:
            yield lambda: connections.enter_context(socket.create_connection(listener.getsockname(), PATIENCE))
        finally:
            server.should_exit = True
            connections.close()
            thread.join()


def head(method, path, *headers):
    """Return the head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def status(connection):
    """Return the status of the next answer, or None when the connection has ended without one."""
    try:
        line = connection.makefile("rb").readline()
    except ConnectionResetError:
        line = b""
    return int(line.split()[1]) if line else None


def ended(connection):
    """Read until the server closes the connection."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True
