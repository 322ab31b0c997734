"""The content and the rows of the golden mails."""

# ruff: noqa: E501 - samples stay on their lines

from datetime import datetime
from pathlib import Path
from typing import Any

from deliveries.personalization.blocks import Block
from deliveries.personalization.fields import FieldKind, catalogue
from deliveries.rendering.compile import AttachedFile, Compiled, Source, compile_content
from deliveries.rendering.links import LinkMode
from deliveries.rendering.merge import MessageRow
from deliveries.rendering.return_path import ReturnPath
from deliveries.rendering.tracking import Choice, Tracking

FOLDER = Path(__file__).resolve().parent
KEY = bytes(range(32))
CONTENT_ID = 12

_HTML = """<!DOCTYPE html>
<html lang="{{ recipient.language|default('en') }}">
<head><style>.pre { display: none }</style></head>
<body bgcolor=#FFFFFF>
<div class="pre">A preheader for {{ recipient.first_name|proper }}</div>
<!--[if mso]><table><tr><td><![endif]-->
<p>Dear {{ recipient.first_name|proper|default('reader') }} {{ recipient.last_name|proper }},</p>
{% if recipient.points|int > 100 %}<p>You have <b>{{ recipient.points|number }}</b> points,
worth {{ (recipient.points|int / 100)|currency('EUR') }}, until {{ recipient.expiry|date('full') }}.</p>{% else %}
<p>Collect points!</p>{% endif %}
<ul>{% for product in recipient.products %}<li>{{ loop.index }}/{{ loop.length }} {{ product.name }}: {{ product.price|number(2) }}</li>{% endfor %}</ul>
<p><a href="https://example.com/?name={{ recipient.first_name|urlencode }}">To the shop</a>
<A HREF='https://example.com/terms?a=1&amp;b=2#top'>Terms</A> <a href=https://example.com/{{ recipient.points }}?utm_source=x>example.com</a> <a href="tel:+41">Call</a> <img src="cid:logo@example.com" alt="Logo"></p>
{% include 'footer' %}
<!--[if mso]></td></tr></table><![endif]-->
</body>
</html>
"""

_FOOTER = Block(
    name="footer",
    html='<p><a href="{{ message.mirror_url }}">In the browser</a> · <a href="{{ message.unsubscribe_url }}">Unsubscribe</a>'
    " {{ delivery.label }}, {{ message.date|date('medium') }}</p>",
    text="",
)

ROWS: list[dict[str, Any]] = [
    {
        "id": (5 << 32) | 1,
        "address": "anna@example.org",
        "dated_at": "2026-05-31T09:30:00+00:00",
        "values": {
            "language": "de", "first_name": "ANNA-LENA", "last_name": "von grün", "points": 12345, "expiry": "2026-12-31",
            "products": [{"name": "Käse & Wein", "price": 12.5}, {"name": "<Brot>", "price": "3"}],
        },
    },
    {
        "id": (5 << 32) | 2,
        "address": "jürgen@bücher.example",
        "dated_at": "2026-05-31T18:30:00.123456+09:00",
        "values": {},
    },
    {
        "id": (5 << 32) | 3,
        "address": '"quoted local"@example.com',
        "dated_at": "1999-12-31T23:59:59+00:00",
        "values": {
            "language": "ja", "mail_format": "text", "may_be_tracked": True, "first_name": "花子", "last_name": "山田", "points": "250", "expiry": "2027-01-01",
            "products": [{"name": "本" * 60, "price": 1980}],
        },
    },
    {
        "id": (5 << 32) | 4,
        "address": "untracked@example.com",
        "dated_at": "2026-05-31T09:30:00+00:00",
        "values": {"may_be_tracked": False, "first_name": "Bo", "points": 1},
    },
]  # fmt: skip


def content() -> Compiled:
    """Something of everything that a content can have."""
    kinds = {"points": FieldKind.NUMBER, "expiry": FieldKind.DATE, "products": FieldKind.TEXT}
    source = Source(
        subject="{{ recipient.first_name|proper|default('You') }}, 5 € for you – “only” today",
        html=_HTML,
        text="",
        sender_name="Example, Inc. ({{ recipient.language|default('en')|upper }})",
        sender_address="news@bücher.example",
        reply_name="Kundenservice für {{ recipient.last_name|proper|default('alle') }}",
        reply_address="service@example.com",
        error_address="bounces@example.com",
        language="en",
        base_url="https://mail.example.com",
        message_domain="mail.example.com",
        label="May news",
        code="may-26",
        smtp_headers="List-Id: Käse <news.example.com>\nX-Name: {{ recipient.first_name }}\n{% if recipient.points %}\n"
        "X-Points: many\n{% endif %}",
        investigation_address="team@example.com",
        return_path=ReturnPath.SUB_ADDRESS,
        by_preference=True,
        tracking=Tracking(
            clicks=True,
            opens=True,
            honeypot=True,
            choices={"https://example.com/terms?a=1&b=2#top": Choice(LinkMode.OPT_OUT, "Terms", "Legal")},
            parameters=(("utm_source", "news & more"), ("utm_campaign", "may-26")),
        ),
        attachments=(
            AttachedFile.of("logo.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(100), "logo@example.com"),
            AttachedFile.of(
                "Größentabelle für alle Kleider und Schuhe der neuen Kollektion.pdf", "application/pdf", b"%PDF-1.4\n"
            ),
        ),
    )
    return compile_content(source, catalogue(kinds), {"footer": _FOOTER})


def row_of(row: dict[str, Any]) -> MessageRow:
    """One of :data:`ROWS` as rendering takes it."""
    fields = [path.removeprefix("recipient.") for path in content().fields]
    return MessageRow(
        id=row["id"],
        address=row["address"],
        values=[row["values"].get(name) for name in fields],
        dated_at=datetime.fromisoformat(row["dated_at"]),
    )
