# ruff: noqa: E501 - samples stay on their lines

import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.header import decode_header, make_header
from typing import Any

import mailparser  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from campaign.lib.signing import MIRROR, UNSUBSCRIBE, split, token, verify
from deliveries.personalization.blocks import Block
from deliveries.rendering.compile import Compiled
from deliveries.rendering.merge import MessageError, Renderer
from tests.deliveries.rendering.contents import DATED_AT, KEY, compiled, defects, parsed, renderer, row

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ONE_LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(
    html=ANY_TEXT.filter(lambda text: "{" not in text and text.strip()),
    text=ANY_TEXT.filter(lambda text: "{" not in text),
)
@example(html="<!DOCTYPE html>\r\n<BODY bgcolor=#FFF>&nbsp;&copy; <Br/><!--[if mso]><td><![endif]-->\t \n", text="x")
@example(html="<p>こんにちは世界</p>", text="\n\nFrom here\n.\n\n")
def test_it_brings_the_authors_html_and_text_byte_for_byte(html: str, text: str) -> None:
    made = renderer(html=html, text=text)
    one = row(made)

    message = parsed(made.mail(one).data)

    part = message.get_body(("html",))
    assert part is not None
    assert made.html(one) == lines(html)
    assert part.get_payload(decode=True) == lines(html).replace("\n", "\r\n").encode()
    if text.strip():
        plain = message.get_body(("plain",))
        assert plain is not None
        assert plain.get_payload(decode=True) == lines(text).replace("\n", "\r\n").encode()


@given(st.text("<>{}%#\"'& \n\r-ab", max_size=40))
def test_it_leaves_braces_that_are_no_personalization(html: str) -> None:
    if any(opening in html for opening in ("{{", "{%", "{#")) or not html.strip():
        return
    made = renderer(html=html)

    assert made.html(row(made)) == lines(html)


def test_it_names_the_message_in_the_envelope_by_its_identifier() -> None:
    made = renderer(html="{{ message.identifier }}", text="")

    mail = made.mail(row(made))

    assert mail.envelope_id == made.html(row(made)).strip()


@given(name=ONE_LINE, html=ANY_TEXT)
@example(name="=?utf-8?q?x?=", html="<script>")
@example(name='O\'Neil, "Anna" \\ <a@b.c>', html="\r\n.\r\n")
def test_it_makes_a_message_without_defects_of_any_value(name: str, html: str) -> None:
    made = renderer(
        subject="Hello {{ recipient.first_name }}",
        html="<p>{{ recipient.products }}</p>",
        text="{{ recipient.products }}\n",
        sender_name="{{ recipient.first_name }}",
        reply_name="Ü {{ recipient.first_name }}",
        reply_address="reply@example.com",
    )

    mail = made.mail(row(made, first_name=name, products=html))

    message = parsed(mail.data)
    independent = mailparser.parse_from_bytes(mail.data)
    assert defects(message) == []
    assert message["Subject"] == f"Hello {name}".strip()
    assert not independent.has_defects
    assert str(make_header(decode_header(independent.message["Subject"]))) == f"Hello {name}".strip()
    assert b"\n" not in mail.data.replace(b"\r\n", b"")
    assert b"\r" not in mail.data.replace(b"\r\n", b"")
    assert max(map(len, mail.data.split(b"\r\n"))) <= 998
    assert mail.data.endswith(b"\r\n")
    assert not mail.smtputf8
    assert not mail.eight_bit
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_payload(decode=True) == (lines(html) + "\n").replace("\n", "\r\n").encode()


@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\x00", "\x1b", "\x85", "\u2028", "\u2029", "\x7f"])
@pytest.mark.parametrize("header", ["subject", "sender_name", "reply_name", "sender_address", "reply_address"])
def test_it_never_lets_a_value_break_out_of_its_header(header: str, control: str) -> None:
    changes: dict[str, Any] = {"reply_address": "reply@example.com", header: "a{{ recipient.first_name }}@example.com"}
    made = renderer(**changes)

    with pytest.raises(MessageError, match=r"line break or control character \(U\+"):
        made.mail(row(made, first_name=f"x{control}Bcc: evil@example.org"))


def test_it_says_where_and_why_a_message_cannot_be_made() -> None:
    made = renderer(html="<p>\n\n{% if recipient.score > 3 %}x{% endif %}")

    with pytest.raises(MessageError) as caught:
        made.mail(row(made))

    assert str(caught.value) == (
        "In the HTML content, line 3: A value does not fit what is done with it, such as a text compared with a number, "
        "or an empty value. Turn values into numbers with |int or |float, or give them a |default."
    )


@pytest.mark.parametrize(
    "source",
    [
        "{{ recipient.score|date }}", "{{ -recipient.first_name }}", "{{ recipient.products < recipient.score }}",
        "{{ recipient.first_name|urlencode(1, 2, 3) }}", "{{ recipient.score|number(1, 2, 3, 4) }}", "{{ 1 / 0 }}",
        "{{ recipient.products|date(recipient.products) }}", "{{ 1|replace }}", "{{ 1 is divisibleby(0) }}",
        "{{ recipient.score in recipient.get }}", "{{ recipient.first_name|join(*recipient.get) }}",
    ],
)  # fmt: skip
def test_it_shows_no_library_message(source: str) -> None:
    try:
        made = renderer(html=source)
        made.html(row(made, first_name="Anna", products=[{"a": 1}], score="x", get=5))
    except MessageError as error:
        sentence = str(error)
        assert sentence.startswith("In the HTML content, line 1: ")
        assert not any(word in sentence for word in ("Error", "argument", "NoneType", "object", "supported", "'str'"))
    else:
        pytest.fail("It was rendered.")


def test_it_gives_one_budget_to_a_whole_message() -> None:
    loop = "{% for p in recipient.products %}{{ p }}{% endfor %}"
    made = renderer(html=loop, text=loop, subject="x" + loop)
    one = row(made, products=["a"] * 4000)

    assert len(made.html(one)) == 4000
    with pytest.raises(MessageError, match="more than 10,000 times"):
        made.mail(one)


def test_it_says_when_the_values_are_gone() -> None:
    made = renderer(html="{{ recipient.first_name }}")

    with pytest.raises(MessageError, match="not there any more"):
        made.html(replace(row(made), values=[]))


def test_it_makes_the_mirror_page_of_the_mails_html() -> None:
    made = renderer(
        html="<p>{{ recipient.first_name }} {{ message.mirror_url }} {{ delivery.label }} {{ delivery.sender_name }}</p>"
    )
    one = row(made, first_name="<Anna>")

    part = parsed(made.mail(one).data).get_body(("html",))

    assert part is not None
    assert part.get_payload(decode=True) == made.html(one).encode()
    assert made.html(one).startswith("<p>&lt;Anna&gt; https://mail.example.com/m/")
    assert made.html(one).endswith(" May news Example Shop</p>")


def test_it_signs_what_it_shows() -> None:
    made = renderer(html="{{ message.mirror_url }} {{ message.unsubscribe_url }} {{ message.identifier }}")
    one = row(made)

    mirror, unsubscribe, identifier = made.html(one).split(" ")

    assert mirror == f"https://mail.example.com/m/{identifier}"
    assert identifier == token(MIRROR, 7, one.id, KEY)
    assert verify(UNSUBSCRIBE, split(unsubscribe.rpartition("/")[2]), KEY)
    assert parsed(made.mail(one).data)["List-Unsubscribe"] == f"<{unsubscribe}>"


def test_it_fills_envelope_and_headers() -> None:
    made = renderer(
        reply_name="Service", reply_address="service@münchen.example", sender_address="news@münchen.example"
    )

    mail = made.mail(row(made, address="Anna@BÜCHER.example"))

    message = parsed(mail.data)
    assert (mail.sender, mail.recipient) == ("bounces@example.com", "Anna@xn--bcher-kva.example")
    assert message["From"] == "Example Shop <news@xn--mnchen-3ya.example>"
    assert message["Reply-To"] == "Service <service@xn--mnchen-3ya.example>"
    assert message["To"] == "Anna@xn--bcher-kva.example"
    assert message["Date"].datetime == DATED_AT
    assert message["Message-ID"].endswith("@mail.example.com>")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Content-Language"] == "en"


def test_it_offers_one_click_only_where_the_address_is_https() -> None:
    made = renderer(base_url="http://mail.example.com")

    message = parsed(made.mail(row(made)).data)

    assert message["List-Unsubscribe"].startswith("<http://mail.example.com/u/")
    assert "List-Unsubscribe-Post" not in message


def test_it_asks_for_utf8_transport_only_for_addresses_that_need_it() -> None:
    made = renderer()

    mail = made.mail(row(made, address="jürgen@example.com"))

    assert (mail.smtputf8, mail.eight_bit) == (True, True)
    assert "\r\nTo: jürgen@example.com\r\n".encode() in mail.data


def test_it_writes_in_the_recipients_language_else_the_contents() -> None:
    made = renderer(html="{{ recipient.birthday|date }} {{ recipient.score|number(2) }}", language="fr")

    assert made.html(row(made, birthday="2000-05-01", score=1.5, language="de")) == "1. Mai 2000 1,50"
    assert made.html(row(made, birthday="2000-05-01", score=1.5)) == "1 mai 2000 1,50"


def test_it_takes_the_same_moment_for_the_same_bytes() -> None:
    made = renderer(html="{{ message.date }} {{ message.date|date('iso') }}")
    elsewhere = DATED_AT.astimezone(timezone(timedelta(hours=9)))
    one = row(made)

    assert made.mail(one) == made.mail(replace(one, dated_at=elsewhere))


def test_it_keeps_everything_through_json() -> None:
    content = compiled(html="{{ recipient.first_name }}<a href='https://example.com'>x</a>")

    again = Compiled.from_json(content.to_json())

    assert again == content


_PROGRAM = """
import hashlib
from tests.deliveries.rendering.contents import renderer, row
made = renderer(
    subject="{{ recipient.first_name }} ü", html="{{ recipient.products }}{{ recipient.birthday|date }}{{ recipient.score|number }}",
)
print(hashlib.sha256(made.mail(row(made, first_name="É", products=["a", "b"], birthday="2000-01-01", score=1)).data).hexdigest())
"""


def test_it_makes_the_same_bytes_in_every_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LANG": language, "LC_ALL": language},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed, zone, language in (("1", "Asia/Tokyo", "C"), ("2", "America/New_York", "de_DE.UTF-8"))
    }

    assert len(digests) == 1


def test_it_puts_blocks_into_html_and_text() -> None:
    blocks = {"footer": Block("footer", "<b>{{ recipient.first_name }}</b>", "-- {{ recipient.first_name }}")}
    made = renderer(blocks, html="<p>{% include 'footer' %}</p>", text="{% include 'footer' %}")
    one = row(made, first_name="A&B")

    assert made.html(one) == "<p><b>A&amp;B</b></p>"
    assert made.text(one) == "-- A&B"


def test_it_needs_no_clock() -> None:
    made = Renderer(compiled(), 7, KEY, clock=iter(map(float, range(100))).__next__)

    assert made.html(row(made)) == "<p>Hello</p>"


def test_it_takes_no_date_without_a_zone() -> None:
    made = renderer()
    naive = datetime(2026, 5, 31, 9, 30)

    with pytest.raises(ValueError, match="zone"):
        made.mail(replace(row(made), dated_at=naive))
