"""Additional SMTP headers in the mail, read back by Python's own parser."""

from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.personalization.errors import PersonalizationErrors
from deliveries.personalization.header_script import findings
from deliveries.rendering.merge import MessageError
from tests.deliveries.rendering.contents import compiled, renderer, row

OWN = {
    "date", "from", "reply-to", "to", "subject", "message-id", "list-unsubscribe", "list-unsubscribe-post",
    "content-language", "mime-version", "content-type", "content-transfer-encoding",
}  # fmt: skip

LINES = [
    "X-A: {{ recipient.first_name }}",
    "X-B: a {{ recipient.first_name }} b",
    "X-C: ä",
    "{% if recipient.first_name %}",
    "{% else %}",
    "{% endif %}",
    "List-Id: <x.example.com>",
    "X-D: " + "long " * 300,
    "X-E: " + "w" * 1500,
    "",
    "X",
]


def mail(script: str, **values: str) -> bytes:
    made = renderer(smtp_headers=script)
    return made.mail(row(made, **values)).data


def added(data: bytes) -> dict[str, str]:
    message = BytesParser(policy=policy.default).parsebytes(data)
    return {name: str(value) for name, value in message.items() if name.lower() not in OWN}


def test_it_writes_a_line_of_the_script_as_a_header() -> None:
    assert added(mail("Precedence: bulk\nX-Tag:spring")) == {"Precedence": "bulk", "X-Tag": "spring"}


def test_it_personalizes_values_and_follows_conditions() -> None:
    script = (
        "X-Name: {{ recipient.first_name }}\n{% if recipient.first_name == 'Zoë' %}\nX-Who: Z\n"
        "{% else %}\nX-Who: other\n{% endif %}"
    )

    assert added(mail(script, first_name="Zoë")) == {"X-Name": "Zoë", "X-Who": "Z"}
    assert added(mail(script, first_name="Anna"))["X-Who"] == "other"


def test_it_leaves_out_a_header_without_a_value() -> None:
    assert added(mail("X-Name: {{ recipient.first_name }}", first_name="")) == {}


@pytest.mark.parametrize("value", ["a\nBcc: x@example.net", "a\rb", "a\r\n\r\nbody", "a\u2028b", "a\x00b"])
def test_it_fails_the_message_whose_value_brings_a_line_break(value: str) -> None:
    with pytest.raises(MessageError, match=r"In the additional SMTP headers, line 1: .*Correct the recipient's data"):
        mail("X-Name: {{ recipient.first_name }}", first_name=value)


def test_it_fails_the_message_whose_conditions_write_a_header_twice() -> None:
    script = (
        "{% if recipient.first_name %}\nX-A: 1\n{% endif %}\n"
        "{% if recipient.first_name == 'no' %}\nX-B: 1\n{% else %}\nX-B: 2\n{% endif %}"
    )
    assert added(mail(script, first_name="Zoë")) == {"X-A": "1", "X-B": "2"}

    with pytest.raises(PersonalizationErrors, match="stands here a second time"):
        compiled(smtp_headers="X-A: 1\n{% if recipient.first_name %}\nX-A: 2\n{% endif %}")


def test_it_reads_reply_to_as_an_address() -> None:
    made = mail("Reply-To: Käthe <service@bücher.example>")

    assert b"<service@xn--bcher-kva.example>" in made
    with pytest.raises(MessageError, match="is not an e-mail address"):
        mail("Reply-To: {{ recipient.first_name }}", first_name="nobody")


def test_it_says_at_the_analysis_which_line_cannot_be_used() -> None:
    with pytest.raises(PersonalizationErrors, match="In the additional SMTP headers, line 2: A colon is missing"):
        compiled(smtp_headers="X-A: 1\nX-B")
    with pytest.raises(PersonalizationErrors, match=r"line 2: Unknown field recipient\.first_nam"):
        compiled(smtp_headers="X-A: 1\nX-B: {{ recipient.first_nam }}")


@given(
    script=st.lists(st.sampled_from(LINES), max_size=6),
    value=st.text(max_size=80),
)
def test_it_adds_no_header_but_its_own_whatever_the_value(script: list[str], value: str) -> None:
    source = "\n".join(script)
    if any(finding.blocks for finding in findings(source)):
        return
    try:
        data = mail(source, first_name=value)
    except (MessageError, PersonalizationErrors):
        return

    head, _, _ = data.partition(b"\r\n\r\n")
    names = {name.lower() for name in added(data)}
    assert names <= {"x-a", "x-b", "x-c", "x-d", "x-e", "list-id"}
    assert not set(head.replace(b"\r\n", b"")) & set(b"\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998


def test_it_keeps_the_words_of_a_long_value_across_folds() -> None:
    words = " ".join(f"word{number}" for number in range(60))

    data = mail(f"X-Long: {words}")

    assert added(data) == {"X-Long": words}
    written = data[data.index(b"X-Long") : data.index(b"MIME-Version")]
    assert max(map(len, written.split(b"\r\n"))) <= 78


def test_it_encodes_the_name_of_a_list_and_not_its_identifier() -> None:
    made = mail("List-Id: {{ recipient.first_name }} <news.example.com>", first_name="Käse")

    assert b"List-Id: =?utf-8?b?S8Okc2U=?= <news.example.com>\r\n" in made
    assert b"List-Id: <news.example.com>\r\n" in mail("List-Id: <news.example.com>")
    with pytest.raises(MessageError, match=r"must look like Name <list\.example\.com>"):
        mail("List-Id: {{ recipient.first_name }}", first_name="news")
