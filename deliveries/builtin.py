"""What is there out of the box: personalization blocks and a first delivery template, from ``templates/builtin/``.

Written once by a migration; what people edit afterwards stays theirs.
"""

from pathlib import Path

BUILTIN = Path(__file__).resolve().parent.parent / "templates" / "builtin"

BLOCK_LABELS = {
    "mirror_link": "Link to mirror page",
    "mirror_url": "Mirror page URL",
    "unsubscribe_link": "Unsubscription link",
    "greeting": "Greetings",
    "sender_footer": "Sender's footer",
}


def block_values() -> list[dict[str, str]]:
    """Field values of the out-of-the-box personalization blocks."""
    return [
        {
            "name": name,
            "label": label,
            "html": _read(f"blocks/{name}.html"),
            "text": _read(f"blocks/{name}.txt"),
        }
        for name, label in BLOCK_LABELS.items()
    ]


def template_values() -> list[dict[str, str]]:
    """Field values of the out-of-the-box delivery templates."""
    first_name = "{% if recipient.first_name %}, {{ recipient.first_name|proper }}{% endif %}"
    own: list[dict[str, str]] = [
        {
            "label": "Newsletter",
            "description": "One column, one message, one button; reads well on phones and in dark mode.",
            "subject": f"News for you{first_name}",
            "html": _framed(
                "newsletter", "What is new this month, {{ recipient.first_name|proper|default('dear reader', true) }}."
            ),
        },
        {
            "label": "Announcement",
            "description": "A product, an event, a date: a large sentence, the facts, a button.",
            "subject": f"Something new is here{first_name}",
            "html": _framed("announcement", "When, where, and why it is worth a look."),
        },
        {
            "label": "Transactional notice",
            "description": "Something happened in somebody's account: the facts in a table, no advertising.",
            "subject": "We have received your request",
            "html": _framed("notice", "What happened, and what happens next."),
        },
        {
            "label": "Re-engagement",
            "description": "For people who have not opened anything for long: stay or leave, both with one click.",
            "subject": f"Shall we keep in touch{first_name}?",
            "html": _framed("reengagement", "One click tells us."),
        },
        {
            "label": "Plain text",
            "description": "A letter without any design. There is no HTML part, hence no mirror page.",
            "subject": f"A few words{first_name}",
            "html": "",
            "text": _read("templates/plain.txt"),
        },
    ]
    shared = {"sender_name": "Example News", "sender_address": "news@example.com", "language": "en"}
    return [{**shared, **values} for values in own]


def _framed(name: str, preheader: str) -> str:
    """A content inside the frame that all of them share; ``preheader`` is what a mailbox shows behind the subject."""
    content = _read(f"templates/{name}.html") + "\n"
    return _read("frame.html").replace("[[content]]", content).replace("[[preheader]]", preheader)


def _read(name: str) -> str:
    return (BUILTIN / name).read_text(encoding="utf-8").removesuffix("\n")
