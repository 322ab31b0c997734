# ruff: noqa: E501 - samples stay on their lines

from dataclasses import replace
from typing import Any

import pytest

from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.links import Link, Obstacle
from tests.deliveries.rendering.contents import FIELDS, compiled
from tests.effort import grows_with_length_only


def test_it_lists_every_problem_of_every_part_at_once() -> None:
    with pytest.raises(PersonalizationErrors) as caught:
        compiled(html="{{ recipient.nmae }}", text="\n{% if %}", subject="{{ name }}", sender_address="{{ x|y }}")

    assert [(problem.where, problem.line) for problem in caught.value] == [
        ("the HTML content", 1),
        ("the text content", 2),
        ("the subject", 1),
        ("the sender address", 1),
        ("the sender address", 1),
    ]


def test_it_names_the_recipient_fields_once_with_the_language_first() -> None:
    content = compiled(html="{{ recipient.score }}{{ recipient.first_name }}", subject="{{ recipient.first_name }}")

    assert content.fields == ("recipient.language", "recipient.score", "recipient.first_name")


def test_it_numbers_the_links() -> None:
    content = compiled(
        html="<a href=' https://example.com/a '>A  <b>link</b></a><map><area href='b' alt='Area'></map><a name='x'>no</a>"
        "<a href='{{ recipient.score }}'><img alt='Image'></a>"
    )

    assert content.links == (
        Link(1, "https://example.com/a", "A link"),
        Link(2, "b", "Area", obstacle=Obstacle.NO_WEB_ADDRESS),
        Link(3, "{{ recipient.score }}", "Image", obstacle=Obstacle.PERSONAL_HOST),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "ftp://example.com"},
        {"base_url": "https://example.com/>\r\nX-Evil: 1"},
        {"message_domain": "example.com>\r\nX-Evil: 1"},
        {"message_domain": ""},
        {"error_address": "nobody"},
        {"language": "en\r\nX-Evil: 1"},
        {"html": "{{ '\\ud800' }}"},
        {"text": "\ud800"},
    ],
)
def test_it_refuses_what_would_break_every_message(change: dict[str, Any]) -> None:
    with pytest.raises(PersonalizationErrors):
        compiled(**change)


def test_it_has_a_field_for_everything_the_catalogue_names() -> None:
    content = compiled(html="".join(f"{{{{ {path} }}}}" for path in FIELDS))

    assert set(content.fields) == {path for path in FIELDS if path.startswith("recipient.")}


def test_it_is_frozen_and_compares_by_value() -> None:
    assert compiled() == replace(compiled())


def test_the_time_of_links_nested_without_end_grows_with_their_number_only() -> None:
    def compile_links(number: int) -> None:
        assert len(compiled(html="<a href=x>y" * number, text="").links) == number

    assert grows_with_length_only(compile_links, 5_000)


def test_it_refuses_a_subject_on_two_lines() -> None:
    with pytest.raises(PersonalizationErrors, match="In the subject, line 1: It must stand on one line"):
        compiled(subject="One\nTwo")


def test_it_refuses_a_number_that_python_will_not_print() -> None:
    with pytest.raises(PersonalizationErrors, match="too large"):
        compiled(html="{{ 0x" + "f" * 50_000 + " }}")
