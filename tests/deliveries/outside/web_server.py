"""A web server on the loopback that answers as a table says, and remembers what it was asked."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """An answer; ``head`` is the status of HEAD where it is another. ``hold``: the answer waits for it."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"x"
    head: int = 0
    hold: threading.Event | None = None
    announce: bool = True


@dataclass
class WebServer:
    """``pages`` by path; ``asked`` is the method and path of each request with its headers."""

    base: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def add(self, path: str, **values: object) -> str:
        """Publish a page; its address."""
        self.pages[path] = Page(**values)  # type: ignore[arg-type]
        return f"{self.base}{path}"


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """A server while the block lasts, in TLS where told how."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            server.asked.append((self.command, self.path, dict(self.headers)))
            server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            page = server.pages.get(self.path, Page(404))
            if page.hold is not None:
                page.hold.wait(20)
            self.send_response(page.head if self.command == "HEAD" and page.head else page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.announce:
                self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            if self.command != "HEAD":
                try:
                    self.wfile.write(page.body)
                except OSError:
                    pass

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 - the names that http.server looks for

        def handle(self) -> None:
            with suppress(OSError):  # a client that does not trust us, or has enough
                super().handle()

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    if tls is not None:
        # The handshake is for the thread that serves the client, which a bad one must not stop.
        listener.socket = tls.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    server = WebServer(f"http{'s' if tls else ''}://127.0.0.1:{listener.server_address[1]}")
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
