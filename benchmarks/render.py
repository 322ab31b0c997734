"""Milliseconds to render one message: 27 KB of HTML, 20 personal values, text made from the HTML.

python -m benchmarks.render [--messages 2000] [--octets 27000]
"""

import argparse
import time
from datetime import UTC, datetime, timedelta

from deliveries.personalization.fields import catalogue
from deliveries.rendering.compile import Compiled, Source, compile_content
from deliveries.rendering.merge import MessageRow, Renderer

VALUES = 20
PARAGRAPH = '<p style="margin:0 0 16px">Sentences of a newsletter, as long as people write them, one by one.</p>\n'


def content(octets: int) -> Compiled:
    """A content of about ``octets`` octets of HTML that uses 20 custom attributes, a condition and a loop."""
    names = [f"attribute_{number}" for number in range(VALUES)]
    values = "".join(f"<p>{name}: {{{{ recipient.{name}|default('none') }}}}</p>\n" for name in names)
    choice = "{% if recipient.first_name %}Hello {{ recipient.first_name|proper }}{% else %}Hello{% endif %}"
    loop = "<ul>{% for entry in ['one', 'two', 'three'] %}<li>{{ loop.index }} {{ entry }}</li>{% endfor %}</ul>"
    links = '<a href="{{ message.mirror_url }}">View</a> <a href="{{ message.unsubscribe_url }}">Unsubscribe</a>'
    head = f"<html><body><h1>{choice}</h1>{loop}{values}"
    html = head + PARAGRAPH * ((octets - len(head)) // len(PARAGRAPH)) + links + "</body></html>"
    source = Source(
        subject="News for {{ recipient.first_name }}: prices from 10 €",
        html=html,
        text="",
        sender_name="Example News",
        sender_address="news@example.com",
        reply_name="",
        reply_address="",
        error_address="bounces@example.com",
        language="en",
        base_url="https://mail.example.com",
        message_domain="example.com",
        label="Newsletter",
        code="N1",
    )
    return compile_content(source, catalogue(names), {})


def rows(compiled: Compiled, count: int) -> list[MessageRow]:
    """Messages to as many people."""
    dated_at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        MessageRow(
            id=number,
            address=f"person{number}@example.org",
            values=[f"value {number} Ünïcode" for _ in compiled.fields],
            dated_at=dated_at + timedelta(seconds=number),
        )
        for number in range(1, count + 1)
    ]


def main() -> None:
    """Print one line for compiling and one per part of rendering."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--octets", type=int, default=27_000)
    options = parser.parse_args()

    start = time.perf_counter()
    compiled = content(options.octets)
    print(f"compile, once per content   {(time.perf_counter() - start) * 1000:8.2f} ms")
    renderer = Renderer(compiled, 1, bytes(32), clock=time.monotonic)
    people = rows(compiled, options.messages)
    octets = len(renderer.mail(people[0]).data)
    for name, render in (("html", renderer.html), ("text", renderer.text), ("mail", renderer.mail)):
        start = time.perf_counter()
        for row in people:
            render(row)
        print(f"{name}, per message           {(time.perf_counter() - start) * 1000 / len(people):8.3f} ms")
    print(f"{octets:,} octets per mail, {len(people):,} messages")


if __name__ == "__main__":
    main()
