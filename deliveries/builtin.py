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
    return [
        {
            "label": "Newsletter",
            "description": "One column, one message, one button; reads well on phones and in dark mode.",
            "sender_name": "Example News",
            "sender_address": "news@example.com",
            "subject": "News for you{% if recipient.first_name %}, {{ recipient.first_name|proper }}{% endif %}",
            "html": _read("templates/newsletter.html"),
            "language": "en",
        }
    ]


def _read(name: str) -> str:
    return (BUILTIN / name).read_text(encoding="utf-8").removesuffix("\n")
