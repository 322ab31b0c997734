"""How long a message takes to make: ``python -m benchmarks.render`` prints it for 27 KB of HTML with 20 values."""

import time
from datetime import UTC, datetime

from deliveries.personalization.fields import catalogue
from deliveries.rendering.compile import Source, compile_content
from deliveries.rendering.merge import MessageRow, Renderer

KILOBYTES = 27
VALUES = 20
MESSAGES = 2_000


def source() -> Source:
    """HTML as a newsletter has it, with its values spread over it."""
    row = '<tr><td style="padding:8px 16px;font-family:Arial,sans-serif">Lorem ipsum – schöner</td></tr>\n'
    rows = row * (KILOBYTES * 1024 // VALUES // len(row.encode()))
    html = "<table>" + "".join(
        f"{rows}<tr><td>{{{{ recipient.value_{number} }}}}</td></tr>" for number in range(VALUES)
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
    )


def main() -> None:
    """Compile once, make many, print the mean."""
    compiled = compile_content(source(), catalogue(f"value_{number}" for number in range(VALUES)), {})
    renderer = Renderer(compiled, 1, bytes(32), clock=time.monotonic)
    values = [f"Wert {number} <&>" for number in range(len(compiled.fields))]
    dated_at = datetime(2026, 1, 1, tzinfo=UTC)
    size = len(renderer.mail(MessageRow(0, "anna@example.com", values, dated_at)).data)
    started = time.perf_counter()
    for number in range(MESSAGES):
        renderer.mail(MessageRow(number, "anna@example.com", values, dated_at))
    milliseconds = (time.perf_counter() - started) / MESSAGES * 1000
    print(f"{milliseconds:.3f} ms per message ({len(compiled.html) / 1024:.0f} KB HTML, mails of {size / 1024:.0f} KB)")


if __name__ == "__main__":
    main()
