"""A server that speaks as much of S3 as a store of files needs, in a thread on the loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

ACCESS_KEY = "AKIATEST"
PROBLEM = b"<Error><Code>%s</Code><Message>%s</Message></Error>"


class S3Server:
    """Objects by ``/bucket/key``. ``refuses`` answers every request with 403."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuses = False
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def options(self, **changes: object) -> dict[str, object]:
        """What an operator writes into ARCHIVE_STORAGE_OPTIONS for it."""
        return {
            "bucket_name": "mail", "endpoint_url": self.url, "access_key": ACCESS_KEY, "secret_key": "secret",
            "region_name": "eu-central-1", "addressing_style": "path", **changes,
        }  # fmt: skip

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                pass

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if "aws-chunked" in self.headers.get("Content-Encoding", ""):
                    body = unchunked(body)
                if self.allowed():
                    store.objects[self.path] = body
                    self.answer(200)

            def do_HEAD(self) -> None:
                if self.allowed():
                    found = store.objects.get(self.path)
                    self.answer(404 if found is None else 200, b"" if found is None else found)

            do_GET = do_HEAD  # noqa: N815

            def do_DELETE(self) -> None:
                if self.allowed():
                    store.objects.pop(self.path, None)
                    self.answer(204)

            def allowed(self) -> bool:
                store.requests.append(f"{self.command} {self.path}")
                signed = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/"
                if store.refuses or not self.headers.get("Authorization", "").startswith(signed):
                    self.answer(403, PROBLEM % (b"AccessDenied", b"Access Denied"))
                    return False
                return True

            def answer(self, status: int, body: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", '"x"')
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        return Handler


def unchunked(body: bytes) -> bytes:
    """The content of an aws-chunked body."""
    content = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            break
        content, body = content + rest[:length], rest[length + 2 :]
    return content


@pytest.fixture
def s3_server() -> Iterator[S3Server]:
    """A running server with no objects."""
    server = S3Server()
    server.start()
    yield server
    server.stop()
