"""The staff application in a thread of this process, for a real browser: real requests, real commits."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from demarc.project.wsgi import application


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """wsgiref's server, a thread for each request."""

    daemon_threads = True
    allow_reuse_address = True


class Quiet(WSGIRequestHandler):
    """No line for each request."""

    def log_message(self, *args: Any) -> None:
        return


@contextmanager
def serving() -> Iterator[str]:
    """The address of the running application."""
    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
