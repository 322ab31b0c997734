"""The newsletter that all senders of the benchmarks send: 27 KB as multipart, 20 personalised values, 20 links, no
attachment."""

import csv
from pathlib import Path

VALUES = 20
LINKS = 20
SUBJECT = "{{ recipient.first_name }}, 20 new arrivals in {{ recipient.value_1 }}"
SENDER_NAME = "Example Shop"
DOMAIN = "example.org"
"""Of every recipient."""
ATTRIBUTES = tuple(f"value_{number}" for number in range(1, VALUES - 1))
"""Custom attributes; first and last name make the values twenty."""

_CELL = (
    '<td style="padding:8px 16px;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px;'
    'color:#333333;border-bottom:1px solid #eeeeee">'
)
_WORDS = (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit – schön und günstig, sed do eiusmod tempor incididunt ut "
    "labore et dolore magna aliqua."
)


def html() -> str:
    """The HTML part as an author writes it."""
    people = [f"recipient.{name}" for name in ("first_name", "last_name", *ATTRIBUTES)]
    rows = "\n".join(
        f'<tr>{_CELL}<img src="https://images.example.com/{number}.png" width="120" height="80" alt="Article {number}">'
        f"</td>{_CELL}<strong>Article {number} for {{{{ {value} }}}}</strong><br>{_WORDS} {_WORDS}<br>"
        f'<a href="https://shop.example.com/articles/{number}?campaign=spring" style="color:#0a58ca">'
        f"See article {number}</a></td></tr>"
        for number, value in enumerate(people, start=1)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>News</title></head>\n'
        '<body style="margin:0;background:#ffffff"><table role="presentation" width="640" align="center">\n'
        f"{rows}\n</table></body></html>\n"
    )


def text() -> str:
    """The text part as an author writes it."""
    rows = (
        f"{number}. {_WORDS} {_WORDS}\n   {{{{ recipient.{name} }}}}" for number, name in enumerate(ATTRIBUTES, start=1)
    )
    return "Dear {{ recipient.first_name }} {{ recipient.last_name }},\n\n" + "\n".join(rows) + "\n"


def person(number: int) -> dict[str, str]:
    """The values of one recipient, with a few characters that need encoding."""
    return {
        "first_name": f"Zoë{number}",
        "last_name": f"Müller & Söhne {number}",
        **dict.fromkeys(ATTRIBUTES, f"Wert {number % 1000} <&>"),
    }


def address(number: int) -> str:
    """The address of one recipient."""
    return f"person{number}@{DOMAIN}"


def write_people(path: Path, count: int) -> None:
    """A CSV file of ``count`` recipients as the import reads it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "first_name", "last_name", *ATTRIBUTES])
        for number in range(1, count + 1):
            writer.writerow([address(number), *person(number).values()])
