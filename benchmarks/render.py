"""How long a message takes to make: ``python -m benchmarks.render`` prints it for 27 KB of HTML with 20 values and 20
links, without tracking and with it."""

import time
from datetime import UTC, datetime

from deliveries.personalization.fields import catalogue
from deliveries.rendering.compile import Source, compile_content
from deliveries.rendering.merge import MessageRow, Renderer
from deliveries.rendering.tracking import Tracking

KILOBYTES = 27
VALUES = 20
MESSAGES = 500
BATCHES = 10


def source(tracking: Tracking) -> Source:
    """HTML as a newsletter has it, with its values and links spread over it."""
    row = '<tr><td style="padding:8px 16px;font-family:Arial,sans-serif">Lorem ipsum – schöner</td></tr>\n'
    rows = row * (KILOBYTES * 1024 // VALUES // len(row.encode()))
    html = "<table>" + "".join(
        f"{rows}<tr><td>{{{{ recipient.value_{number} }}}} "
        f'<a href="https://shop.example.com/articles/{number}?campaign=spring">See it</a></td></tr>'
        for number in range(VALUES)
    )
    return Source(
        subject="News for {{ recipient.value_0 }}",
        html=html + "</table>",
        text="",
        sender_name="Example Shop",
        sender_address="news@example.com",
        reply_name="",
        reply_address="",
        error_address="bounces@example.com",
        language="en",
        base_url="https://mail.example.com",
        message_domain="mail.example.com",
        label="Benchmark",
        code="benchmark",
        tracking=tracking,
    )


def main() -> None:
    """Print the mean without and with tracking, in turns, so that both meet the same machine."""
    renderers = {"not tracked": prepared(Tracking()), "tracked": prepared(Tracking(clicks=True, opens=True))}
    seconds = dict.fromkeys(renderers, 0.0)
    for batch in range(BATCHES):
        for name, renderer in renderers.items():
            seconds[name] += make(renderer, batch)
    for name, renderer in renderers.items():
        size = len(renderer.mail(row(renderer, 0)).data)
        milliseconds = seconds[name] / BATCHES / MESSAGES * 1000
        html = len(renderer.compiled.html)
        print(f"{name}: {milliseconds:.3f} ms per message ({html / 1024:.0f} KB HTML, mails of {size / 1024:.0f} KB)")


def prepared(tracking: Tracking) -> Renderer:
    """The content, compiled."""
    compiled = compile_content(source(tracking), catalogue(f"value_{number}" for number in range(VALUES)), {})
    return Renderer(compiled, 1, bytes(32), clock=time.monotonic)


def row(renderer: Renderer, number: int) -> MessageRow:
    """One message of it."""
    values = [f"Wert {number} <&>" for number in range(len(renderer.compiled.fields))]
    return MessageRow(number, "anna@example.com", values, datetime(2026, 1, 1, tzinfo=UTC))


def make(renderer: Renderer, batch: int) -> float:
    """Seconds that one batch of messages takes."""
    rows = [row(renderer, batch * MESSAGES + number) for number in range(MESSAGES)]
    started = time.perf_counter()
    for one in rows:
        renderer.mail(one)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
