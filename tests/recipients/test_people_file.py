"""Files of people for one delivery: matched by address, created where nobody has it, columns kept line by line."""

import csv
from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile

from recipients.imports.people_file import forget, read_file, waiting
from recipients.models import AttributeDefinition, PeopleFile, PeopleFileLine, Recipient
from recipients.tasks import wake_imports
from tests.factories import recipient

pytestmark = pytest.mark.django_db

Upload = Callable[[str], PeopleFile]


@pytest.fixture
def read() -> Upload:
    """Store a file as an upload does and read it as a worker does."""

    def read(content: str) -> PeopleFile:
        file = PeopleFile(file_name="orders.csv")
        file.file.save("people.csv", ContentFile(content.encode()), save=True)
        read_file(file.pk)
        file.refresh_from_db()
        return file

    return read


def values_by_address(file: PeopleFile) -> list[tuple[str | None, dict[str, str]]]:
    lines = PeopleFileLine.objects.filter(file=file).order_by("pk")
    return list(lines.values_list("recipient__address", "values"))


def test_it_finds_people_by_address_and_adds_those_whom_nobody_knows(read: Upload) -> None:
    known = recipient("ada@example.org", first_name="Ada")

    file = read("E-mail;First name;Amount due\nADA@Example.ORG;Countess;12,50\nnew@example.org;Neo;3\n")

    known.refresh_from_db()
    assert (known.address, known.first_name, known.attributes) == ("ada@example.org", "Ada", {})
    assert Recipient.objects.get(address="new@example.org").first_name == "Neo"
    assert (file.state, file.lines, file.created, file.rejected) == ("done", 2, 1, 0)
    assert file.columns == [["first_name", "First name"], ["amount_due", "Amount due"]]
    assert values_by_address(file) == [
        ("ada@example.org", {"first_name": "Countess", "amount_due": "12,50"}),
        ("new@example.org", {"first_name": "Neo", "amount_due": "3"}),
    ]
    assert not AttributeDefinition.objects.exists()


def test_it_says_of_strangers_alone_whether_they_may_be_tracked(read: Upload) -> None:
    known = recipient("ada@example.org", may_be_tracked=True)

    file = read("mail,may be tracked\nada@example.org,no\nnew@example.org,nein\nother@example.org,\n")

    known.refresh_from_db()
    assert known.may_be_tracked
    assert list(Recipient.objects.filter(may_be_tracked=False).values_list("address", flat=True)) == ["new@example.org"]
    assert [values for _, values in values_by_address(file)] == [
        {"may_be_tracked": "no"}, {"may_be_tracked": "no"}, {"may_be_tracked": ""},
    ]  # fmt: skip


def test_it_keeps_every_line_about_the_same_person(read: Upload) -> None:
    file = read("mail,order\na@example.org,first\nA@example.org,second\n")

    assert [values["order"] for _, values in values_by_address(file)] == ["first", "second"]
    assert (file.lines, file.created) == (2, 1)


def test_it_keeps_bad_lines_for_download_and_no_cell_becomes_a_formula(read: Upload) -> None:
    file = read('mail,order\nnonsense,"=cmd()"\na@example.org,1\n')

    with file.rejects.open() as content:
        rows = list(csv.reader(content.read().decode("utf-8-sig").splitlines()))
    assert rows[0] == ["Line", "Reason", "mail", "order"]
    assert rows[1][0] == "2"
    assert rows[1][2:] == ["nonsense", "'=cmd()"]
    assert (file.lines, file.rejected) == (1, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name,city\nAda,Bern\n", "address"),
        ("mail,order\n", "no lines of data"),
        ('mail\n"a@example.org\n', "quotation"),
    ],
)
def test_it_says_why_a_file_cannot_be_used_and_adds_nobody(read: Upload, content: str, words: str) -> None:
    file = read(content)

    assert file.state == "failed"
    assert words in file.sentence
    assert not Recipient.objects.exists()
    assert not file.people.exists()


def test_the_upload_is_gone_once_it_is_read(read: Upload, media) -> None:
    file = read("mail,order\na@example.org,1\n")

    assert not file.file
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_a_second_reading_changes_nothing(read: Upload) -> None:
    file = read("mail,order\na@example.org,1\n")

    read_file(file.pk)

    assert file.people.count() == 1


def test_it_takes_up_a_file_whose_hint_was_lost(monkeypatch) -> None:
    file = PeopleFile.objects.create(file_name="orders.csv", file="targets/people.csv")
    PeopleFile.objects.create(file_name="other.csv", state="done")
    told: list[int] = []
    monkeypatch.setattr("recipients.tasks.read_people_file.delay", told.append)

    wake_imports()

    assert waiting() == told == [file.pk]


def test_nothing_stays_of_a_file_that_is_forgotten(read: Upload, media, django_capture_on_commit_callbacks) -> None:
    file = read("mail,order\nnonsense,1\na@example.org,1\n")
    assert [path for path in media.rglob("*") if path.is_file()]

    with django_capture_on_commit_callbacks(execute=True):
        forget(file)

    assert [path for path in media.rglob("*") if path.is_file()] == []
    assert not PeopleFileLine.objects.exists()
    assert Recipient.objects.count() == 1
