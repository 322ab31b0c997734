"""Asking a token endpoint, against a real one in TLS."""

import socket
import threading
from dataclasses import replace

import pytest

from campaign.lib import connecting
from campaign.lib.oauth import endpoint
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.oauth.endpoint import TokenRequest, ask
from campaign.lib.waiting import Interrupted
from tests.deliveries.outside.web_server import running
from tests.deliveries.sending.certificates import Authority
from tests.token_server import CLIENT_SECRET, TokenServer


def request_to(url: str) -> TokenRequest:
    form = {"grant_type": "client_credentials", "client_id": "me & you", "client_secret": CLIENT_SECRET}
    return TokenRequest(url, "the route “Main”", form)


def patience() -> float:
    return 0.5


def refusal(request: TokenRequest) -> str:
    with pytest.raises(TokenRefused) as caught:
        ask(request, patience)
    assert CLIENT_SECRET not in str(caught.value)
    assert CLIENT_SECRET not in repr(request)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_it_asks_by_a_form_and_gets_a_token(tokens: TokenServer) -> None:
    granted = ask(request_to(tokens.url), patience)

    assert granted.access_token == "a-token"
    [(method, path, headers)] = tokens.web.asked
    assert (method, path, headers["Content-Type"]) == ("POST", "/token", "application/x-www-form-urlencoded")
    assert tokens.asked == [dict(request_to("").form)]


def test_an_address_may_have_a_query(tokens: TokenServer) -> None:
    tokens.web.pages["/to%20ken?v=1%202"] = tokens.web.pages["/token"]

    assert ask(request_to(tokens.web.base + "/to ken?v=1 2"), patience).access_token == "a-token"


def test_secrets_go_nowhere_in_clear() -> None:
    with running() as web:
        said = refusal(request_to(f"{web.base}/token"))

    assert said == "The token address of the route “Main” must begin with https://: the client secret goes there."
    assert web.asked == []


def test_secrets_go_to_nobody_whose_certificate_is_not_valid(tokens: TokenServer, authority: Authority) -> None:
    with running(authority.wrong_host) as web:
        said = refusal(request_to(f"{web.base}/token"))

    assert "showed a certificate that is not valid for it" in said
    assert "the token address of the route “Main”" in said
    assert web.asked == []


def test_a_redirect_is_not_followed(tokens: TokenServer) -> None:
    there = tokens.web.add("/elsewhere", body=b'{"access_token": "abc"}')
    tokens.says(b"", status=307, headers={"Location": there})

    assert "leads on to 127.0.0.1 (HTTP 307), where no secret is sent." in refusal(request_to(tokens.url))
    assert [path for _, path, _ in tokens.web.asked] == ["/token"]


def test_a_web_page_is_no_token(tokens: TokenServer) -> None:
    tokens.says(b"<html>Please log in", headers={"Content-Type": "text/html; charset=utf-8"})

    assert "answered with a web page (HTTP 200) instead of a token" in refusal(request_to(tokens.url))


def test_of_a_huge_answer_the_beginning_is_enough(tokens: TokenServer) -> None:
    tokens.says(b'{"access_token": "' + b"x" * 5_000_000 + b'"}')

    assert "answered with more than 64 KB, which is no token" in refusal(request_to(tokens.url))


def test_compressed_answers_are_not_unpacked(tokens: TokenServer) -> None:
    tokens.says(b"\x1f\x8b\x08" + b"\0" * 20, headers={"Content-Encoding": "gzip"})

    assert "something that is no JSON" in refusal(request_to(tokens.url))
    assert tokens.web.asked[0][2]["Accept-Encoding"] == "identity"


def test_silence_ends_in_time(tokens: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "SECONDS", 0.3)
    hold = threading.Event()
    tokens.says(b"", hold=hold)

    said = refusal(request_to(tokens.url))
    hold.set()

    assert "The token endpoint 127.0.0.1 did not answer within 0 seconds. Check the token address of the rou" in said


@pytest.mark.parametrize("octet", [b"H", b"x"])
def test_an_octet_at_a_time_is_silence_as_well(authority: Authority, tokens: TokenServer, octet: bytes, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip  # noqa: E501
    """Headers, or a content, that never end."""
    monkeypatch.setattr(endpoint, "SECONDS", 0.5)
    over = threading.Event()

    def drip() -> None:
        peer, _ = listener.accept()
        with authority.right.wrap_socket(peer, server_side=True) as encrypted:
            begin = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" if octet == b"x" else b"HTTP/1.1 200 OK\r\nX: "
            try:
                encrypted.sendall(begin)
                while not over.wait(0.05):
                    encrypted.sendall(octet)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        said = refusal(request_to(f"https://127.0.0.1:{listener.getsockname()[1]}/token"))
        over.set()
        thread.join(20)

    assert "did not answer within" in said


def test_who_does_not_take_the_handshake_further_is_hung_up_on(
    tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "SECONDS", 0.3)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = refusal(request_to(f"https://127.0.0.1:{listener.getsockname()[1]}/token"))

    assert "did not answer within" in said


def test_who_has_no_patience_left_says_so_and_blames_nobody(tokens: TokenServer) -> None:
    def over() -> float:
        raise Interrupted("the worker had to end")

    with pytest.raises(Interrupted):
        ask(request_to(tokens.url), over)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://127.0.0.1:1/token", "The token server 127.0.0.1:1 refused the connection. Check host and port"),
        ("https://nowhere.invalid/token", "The name of the token server nowhere.invalid was not found."),
    ],
)  # fmt: skip
def test_it_says_that_nobody_is_there(url: str, sentence: str) -> None:
    assert sentence in refusal(request_to(url))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"220 mail.example.com ESMTP\r\n", "does not answer as a web server does"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "does not answer as a web server does"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "something that is no JSON"),
        (b"", "does not answer as a web server does"),
    ],
)
def test_it_says_that_something_else_listens_there(
    authority: Authority, tokens: TokenServer, said: bytes, sentence: str
) -> None:
    def serve() -> None:
        peer, _ = listener.accept()
        with authority.right.wrap_socket(peer, server_side=True) as encrypted:
            heard = b""
            while b"client_secret=" not in heard:
                heard += encrypted.recv(65_536)
            encrypted.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        told = refusal(request_to(f"https://127.0.0.1:{listener.getsockname()[1]}/token"))
        thread.join(20)

    assert sentence in told


def test_it_says_that_there_is_no_tls() -> None:
    with running() as web:
        told = refusal(request_to(web.base.replace("http:", "https:") + "/token"))

    assert "answered, but not in TLS" in told


def test_only_the_host_of_an_address_is_ever_told(tokens: TokenServer) -> None:
    tokens.refuses("invalid_client")
    asked = replace(request_to(tokens.url), url=tokens.url + "?key=hidden")
    tokens.web.pages["/token?key=hidden"] = tokens.web.pages["/token"]

    assert "hidden" not in refusal(asked)


def test_the_authorities_are_those_of_the_system(authority: Authority) -> None:
    connecting._context.cache_clear()  # without the test's authority
    with running(authority.right) as web:
        said = refusal(request_to(f"{web.base}/token"))

    assert "showed a certificate that is not valid" in said
