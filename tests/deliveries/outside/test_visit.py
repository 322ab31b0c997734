"""Visits to addresses that authors wrote."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from deliveries.outside import visit as module
from deliveries.outside.visit import MOST_OCTETS, MOST_REDIRECTS, MOST_URLS, Answer, visit
from tests.deliveries.outside.web_server import WebServer


def on_loopback(*urls: str, seconds: float = 10) -> list[Answer]:
    """Answers, with the loopback allowed."""
    return list(visit(urls, seconds=seconds, is_allowed=lambda _: True, ports=None).values())


def test_it_tells_status_kind_and_length(web: WebServer):
    url = web.add("/a.png", headers={"Content-Type": "Image/PNG; x=y"}, body=b"x" * 1234)

    assert on_loopback(url) == [Answer(200, "", "image/png", 1234)]
    assert [method for method, _, _ in web.asked] == ["HEAD"]


def test_it_asks_again_where_head_is_not_known(web: WebServer):
    url = web.add("/page", head=405, body=b"x" * 10)

    assert on_loopback(url)[0].status == 200
    assert [method for method, _, _ in web.asked] == ["HEAD", "GET"]


def test_it_follows_redirects_but_not_for_ever(web: WebServer):
    start = web.add("/1", status=302, headers={"Location": "2?x=é y"})
    web.add("/2?x=%C3%A9%20y", headers={"Content-Type": "text/html"})
    circle = web.add("/circle", status=301, headers={"Location": "/circle"})

    found, lost = on_loopback(start, circle)

    assert found.status == 200
    assert f"more than {MOST_REDIRECTS} times" in lost.problem
    assert len([1 for _, path, _ in web.asked if path == "/circle"]) == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"],
)
def test_a_private_address_is_refused_before_anything_is_sent(web: WebServer, host: str):
    port = web.base.rpartition(":")[2]

    answer = visit([f"http://{host}:{port}/"], ports=None, seconds=5)

    assert "not in the public network" in next(iter(answer.values())).problem
    assert web.asked == []


@pytest.mark.parametrize("location", ["http://localhost:{port}/secret", "//127.0.0.1:{port}/secret", "/secret"])
def test_a_redirect_into_a_private_network_is_refused(web: WebServer, location: str, monkeypatch: pytest.MonkeyPatch):
    port = web.base.rpartition(":")[2]
    web.add("/", status=302, headers={"Location": location.format(port=port)})
    # “stranger.example” is allowed once; what it leads to is judged anew, and so is the same name a second time.
    names = {"stranger.example": iter(["192.0.2.1", "127.0.0.1"])}
    monkeypatch.setattr(module, "resolve", lambda host, _: [next(names[host])] if host in names else ["127.0.0.1"])
    opened = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda address, **kwargs: opened(("127.0.0.1", int(port)), **kwargs)
    )

    answer = visit([f"http://stranger.example:{port}/"], ports=None, is_allowed=lambda address: address == "192.0.2.1")

    assert "not in the public network" in next(iter(answer.values())).problem
    assert [path for _, path, _ in web.asked] == ["/"]


def test_the_address_that_was_judged_is_the_one_that_is_opened(web: WebServer, monkeypatch: pytest.MonkeyPatch):
    port = web.base.rpartition(":")[2]
    web.add("/")
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr(module, "resolve", resolve)

    answer = visit([f"http://stranger.example:{port}/"], ports=None, is_allowed=lambda address: address == "127.0.0.1")

    assert next(iter(answer.values())).status == 200
    assert asked == ["stranger.example"]
    assert web.asked[0][2]["Host"] == f"stranger.example:{port}"


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "resolve", lambda *_: ["8.8.8.8", "10.0.0.1"])

    assert "not in the public network" in visit(["http://stranger.example/"])["http://stranger.example/"].problem


def test_other_ports_and_other_schemes_are_not_asked(web: WebServer):
    web.add("/f", status=302, headers={"Location": "file:///etc/passwd"})
    web.add("/g", status=302, headers={"Location": "gopher://127.0.0.1:70/x"})

    answers = visit([f"{web.base}/"], is_allowed=lambda _: True)
    led = on_loopback(f"{web.base}/f", f"{web.base}/g")

    assert "Port" in next(iter(answers.values())).problem
    assert [answer.problem for answer in led] == ["It leads on to something that is no web page."] * 2


def test_a_server_that_keeps_silent_or_dribbles_is_cut_off(web: WebServer):
    held = threading.Event()
    silent = web.add("/silent", hold=held)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def dribble() -> None:
            client, _ = listener.accept()
            with client:
                try:
                    client.sendall(b"HTTP/1.1 200 OK\r\n")
                    while not held.wait(0.05):
                        client.sendall(b"X: y\r\n")
                except OSError:
                    pass

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        began = time.monotonic()

        answers = on_loopback(silent, f"http://127.0.0.1:{listener.getsockname()[1]}/", seconds=0.5)

        assert time.monotonic() - began < 20
        held.set()
        thread.join(5)
    assert all(answer.status == 0 and "answer" in answer.problem for answer in answers)


def test_an_endless_answer_is_read_to_its_limit_only(web: WebServer):
    url = web.add("/large", head=405, body=b"x" * (MOST_OCTETS + 500_000), announce=False)

    (answer,) = on_loopback(url)

    assert MOST_OCTETS <= answer.octets < MOST_OCTETS + 70_000


@pytest.mark.parametrize(
    "answer", [b"", b"220 mail.example.com ESMTP\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100, b"x" * 200_000]
)
def test_what_is_no_web_server_is_said_to_be_none(answer: bytes):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                with suppress(OSError):  # whoever was answered once may hang up, and close the listener
                    client, _ = listener.accept()
                    with client:
                        client.recv(1000)
                        client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        (found,) = on_loopback(f"http://127.0.0.1:{listener.getsockname()[1]}/")

    assert found.status == 0
    assert found.problem


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://a:99999/", "https://x y/", "http://\u2100.example/", "http://a\r\nb/"]
)
def test_a_broken_address_is_an_answer_too(url: str):
    assert on_loopback(url)[0].problem


def test_an_encryption_that_nobody_trusts_is_named(web: WebServer):
    (answer,) = on_loopback(web.base.replace("http:", "https:") + "/")

    assert "certificate" in answer.problem


def test_it_asks_a_limited_number_and_each_once(web: WebServer):
    urls = [web.add(f"/{number}") for number in range(MOST_URLS + 20)]

    answers = on_loopback(*urls, *urls, seconds=20)

    assert len(answers) == MOST_URLS
    assert len(web.asked) == MOST_URLS
