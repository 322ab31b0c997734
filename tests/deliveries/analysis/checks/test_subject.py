"""The subject."""

import pytest

from deliveries.analysis.checks import subject
from recipients.models import Recipient
from tests.deliveries.analysis.checks import found, found_in_messages
from tests.deliveries.factories import delivery, people, tried

pytestmark = pytest.mark.django_db


def test_a_missing_subject_is_found():
    assert "missing" in found(subject.subject_is_present, subject="  ")
    assert found(subject.subject_is_present, subject="News") == ""


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("News\u200b for you", "U+200B zero width space"),
        ("News \u202efor you", "U+202E right-to-left override"),
        ("News f\ufffdr you", "wrong encoding"),
        ("Sch\u00c3\u00b6ne News", "wrong encoding"),
        ("Buy now!!!", "“!!!”"),
        ("Save $$$", "“$$$”"),
        ("BUY THE NEW ONE NOW", "capitals"),
        ("★★★★ News", "symbols"),
        ("Re: your order", "pretends"),
        ("FW: your order", "pretends"),
    ],
)
def test_odd_characters_are_found(written: str, sentence: str):
    assert sentence in found(subject.subject_has_no_odd_characters, subject=written)


def test_it_looks_at_the_sender_name_too():
    assert "In the sender name" in found(subject.subject_has_no_odd_characters, sender_name="News\u200b")


@pytest.mark.parametrize(
    "written",
    ["Schöne Grüße 👩\u200d👩\u200d👧!", "Read our NEWS", "Regarding: x", "{{ recipient.first_name|upper }}, news"],
)
def test_usual_subjects_have_no_odd_characters(written: str):
    assert found(subject.subject_has_no_odd_characters, subject=written) == ""


def test_a_subject_that_becomes_long_with_values_is_found():
    people(2)
    Recipient.objects.filter(address="person2@example.org").update(first_name="x" * 70)
    made = delivery(subject="News for {{ recipient.first_name }}")
    made.target_lists.add(*Recipient.objects.get(address="person1@example.org").lists.all())

    said = " ".join(subject.subject_is_short(tried(made)))

    assert "1 of the 2 messages tried" in said
    assert "(79)" in said


def test_a_short_subject_is_fine():
    assert found_in_messages(subject.subject_is_short, subject="News") == ""


@pytest.mark.parametrize("written", ["Hello {{ recipient.last_name }}, news", "{{ recipient.last_name }}, look"])
def test_a_hole_in_the_subject_is_found(written: str):
    assert "3 of the 3 messages tried" in found_in_messages(subject.subject_reads_well_for_everybody, subject=written)


def test_a_subject_that_is_empty_for_somebody_is_found():
    assert "is empty in" in found_in_messages(
        subject.subject_reads_well_for_everybody, subject="{{ recipient.last_name }}"
    )


def test_a_subject_without_holes_is_fine():
    written = "Hello{% if recipient.last_name %} {{ recipient.last_name }}{% endif %}, news"

    assert found_in_messages(subject.subject_reads_well_for_everybody, subject=written) == ""
