"""The script of additional SMTP headers, judged line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.personalization.header_script import USUAL, Finding, findings


def said(script: str, **options: frozenset[str]) -> list[str]:
    return [str(finding) for finding in findings(script, **options)]


def test_it_has_nothing_to_say_about_the_usual_headers() -> None:
    assert said("\n".join(line for _, line in USUAL)) == []


def test_it_takes_an_empty_script() -> None:
    assert said("") == said("\n") == []


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("X-A: 1\n\nX-B: 2", "Line 2: This line is empty. It is left out; remove it."),
        (" X-A: 1", "Line 1: The line begins with a blank."),
        ("X-A: 1\nX-B: 2 ", "Line 2: There are blanks at the end of the line."),
        ("X-A 1", "Line 1: A colon is missing. Write name: value."),
        ("X-A : 1", "Line 1: There is a blank before the colon."),
        (": 1", "Line 1: The name before the colon is missing."),
        ("X A: 1", "Line 1: “X A” cannot be the name of a header"),
        ("Größe: 1", "Line 1: “Größe” cannot be the name of a header"),
        ("X-{{ delivery.code }}: 1", "Line 1: The name of a header cannot be personalized."),
        ("X-A:", "Line 1: The value behind the colon is missing; the header is left out."),
        ("X-A: 1\nx-a: 2", "Line 2: “x-a” stands here a second time."),
        ("X-A: \x07", "Line 1: There is a control character in this line."),
        ("X-A: {{ recipient.first_name", "Line 1: "),
        ("{% for x in y %}\nX-A: 1\n{% endfor %}", "Line 1: “for” cannot be used here."),
    ],
)
def test_it_names_the_line_and_what_to_do(script: str, sentence: str) -> None:
    assert any(found.startswith(sentence) for found in said(script))


@pytest.mark.parametrize(
    "name",
    [
        "From", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "Return-Path", "Received", "Sender",
        "Content-Type", "content-language", "MIME-Version", "DKIM-Signature", "ARC-Seal", "List-Unsubscribe",
        "List-Unsubscribe-Post", "Resent-From", "Authentication-Results",
    ],
)  # fmt: skip
def test_it_protects_what_the_delivery_and_the_servers_write(name: str) -> None:
    assert said(f"{name}: x")[0].startswith(f"Line 1: “{name}” cannot be set here. ")


def test_it_protects_what_other_properties_write() -> None:
    assert said("Reply-To: a@example.com") == []
    assert said("Reply-To: a@example.com", taken=frozenset({"reply-to"}))


def test_it_lets_the_branches_of_a_condition_write_the_same_header() -> None:
    script = "{% if recipient.last_name %}\nX-A: 1\n{% else %}\nX-A: 2\n{% endif %}"

    assert said(script) == []
    assert said(script + "\nX-A: 3") == ["Line 6: “X-A” stands here a second time."]


def test_it_counts_lines_across_tags_that_span_them() -> None:
    script = "{% if\nrecipient.last_name %}\nX-A: 1\n{% endif %}\nX-B"

    assert said(script) == ["Line 5: A colon is missing. Write name: value."]


def test_it_tells_what_blocks_from_what_is_left_out() -> None:
    assert findings("X-A: 1\n\nX-B: 2") == [Finding(2, "This line is empty. It is left out; remove it.", blocks=False)]


@given(st.text(st.sampled_from("X-a:{}%# \n\tif else endif\"'\x00é"), max_size=60))
def test_it_says_something_about_any_script_without_breaking(script: str) -> None:
    assert all(finding.line >= 1 and finding.sentence for finding in findings(script))
