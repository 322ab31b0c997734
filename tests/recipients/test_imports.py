"""Importing recipients from CSV files, good and bad."""

import csv
import tempfile
import unicodedata
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from recipients.imports.detect import ImportProblem, detect
from recipients.imports.mapping import guess
from recipients.imports.run import Counts, import_file
from recipients.models import AttributeDefinition, AttributeKind, Existing, Recipient, RecipientList
from tests.factories import attribute

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str | bytes, name: str = "people.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def rejects_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


def test_it_imports_people_with_their_attributes_onto_a_list(write):
    path = write("E-mail;Vorname;Nachname;Stadt\nAda@Example.com;Ada;Lovelace;Zürich\nb@example.com;;;\n")

    counts = import_file(path, list_name="Readers")

    assert counts == Counts(created=2, existing=0, rejected=0)
    ada = Recipient.objects.get(address_key="ada@example.com")
    assert (ada.address, ada.first_name, ada.last_name) == ("Ada@example.com", "Ada", "Lovelace")
    assert ada.attributes == {"stadt": "Zürich"}
    assert AttributeDefinition.objects.get(name="stadt").label == "Stadt"
    assert RecipientList.objects.get(name="Readers").recipients.count() == 2


@pytest.mark.parametrize(
    "content",
    [
        "email,first name\nj@example.com,Jörg\n".encode("utf-8-sig"),
        "email\tfirst name\nj@example.com\tJörg\n".encode("utf-16"),
        "email;first name\r\nj@example.com;Jörg\r\n".encode("cp1252"),
        "email|first name\rj@example.com|Jörg\r".encode(),
        '"email","first name"\n"j@example.com","Jörg"'.encode(),
    ],
)
def test_it_detects_encoding_and_delimiter(write, content):
    import_file(write(content))

    assert Recipient.objects.get().first_name == "Jörg"


def test_it_reports_every_rejected_line_with_number_and_reason(write, tmp_path):
    path = write('email,name\ngood@example.com,A\nbad,"two\nlines"\n\n=cmd@,B\nx@example.com,C,D\nGOOD@example.com,E\n')
    rejects = tmp_path / "rejects.csv"

    counts = import_file(path, rejects=rejects)

    lines = rejects_of(rejects)
    assert counts == Counts(created=1, existing=0, rejected=4)
    assert [line[0] for line in lines] == ["3", "6", "7", "2"]
    assert "no @ sign" in lines[0][1]
    assert lines[1][2] == "'=cmd@"
    assert "3 cells instead of 2" in lines[2][1]
    assert "last line counts" in lines[3][1]
    assert lines[3][2:] == ["good@example.com", "A"]
    assert Recipient.objects.get().last_name == "E"


def test_it_updates_known_people_without_erasing(write):
    import_file(write("email,first name,city\na@example.com,Ada,Bern\n"))

    counts = import_file(write("email,first name,team\nA@example.com,,Red\n"))

    known = Recipient.objects.get()
    assert counts == Counts(created=0, existing=1, rejected=0)
    assert known.first_name == "Ada"
    assert known.attributes == {"city": "Bern", "team": "Red"}


def test_it_can_leave_known_people_as_they_are(write):
    import_file(write("email,first name\na@example.com,Ada\n"))

    import_file(write("email,first name\na@example.com,Eve\nb@example.com,Bo\n"), existing=Existing.SKIP)

    assert sorted(Recipient.objects.values_list("first_name", flat=True)) == ["Ada", "Bo"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PK\x03\x04\x00\x00\x08\x00", "not a CSV file"),
        (b"first name,city\nAda,Bern\n", "No column holds the e-mail address"),
        (b"a@example.com,Ada\nb@example.com,Bo\n", "must name the columns"),
        (b"email,email\na@example.com,b@example.com\n", "Two columns are called"),
        (b'email,name\na@example.com,"never closed\nb@example.com,B\n', "Line 3: a quotation mark is opened"),
        (b'email,name\na@example.com,"in "the" middle"\n', "Line 2: a quotation mark stands in the middle"),
        (b'email,name\na@example.com,A\nb@example.com,"' + b"x" * 200_000 + b'"\n', "quotation mark"),
        (b"email,name\na@example.com," + b"x" * 200_000 + b"\n", "Line 2: a cell holds more than 100,000"),
    ],
)
def test_it_says_in_a_sentence_what_is_wrong_and_imports_nothing(write, content, sentence):
    with pytest.raises(ImportProblem, match=sentence):
        import_file(write(content))

    assert not Recipient.objects.exists()
    assert not AttributeDefinition.objects.exists()


def test_it_says_where_bytes_are_of_another_encoding(write):
    path = write("email,name\n" + "a{}@example.com,x\n" * 10_000)
    with path.open("ab") as file:
        file.write(b"z@example.com,J\xf6rg\n")

    with pytest.raises(ImportProblem, match=r"^Line 10,002 holds bytes that are not utf-8; they look like cp1252\. "):
        import_file(path)

    assert not Recipient.objects.exists()


@pytest.mark.parametrize(
    ("encoding", "content", "sentence"),
    [
        (
            "utf-8",
            b"email,name\na@example.com,J\xf6rg\n",
            "Line 2 holds bytes that are not utf-8; they look like cp1252",
        ),
        ("utf-8", b"email,name\rb@example.com,B\ra@example.com,J\xf6rg\r", "Line 3 holds"),
        ("utf-8", b'email,name\r\nb@example.com,"B\r\nC"\r\na@example.com,J\xf6rg\r\n', "Line 4 holds"),
        ("utf-8", b"email,n\xe4me\na@example.com,x\n", "Line 1 holds"),
        ("cp1252", b"email,name\na@example.com,J\x81rg\n", r"Line 2 holds bytes that are not cp1252\. Save"),
        ("utf-16", "email,name\na@example.com,x".encode("utf-16") + b"\x00", "Line 2 holds bytes that are not utf-16"),
        ("ascii", "email,name\na@example.com,ö\n".encode(), "Line 2 holds bytes that are not ascii"),
    ],
)
def test_it_names_the_line_that_does_not_fit_a_stated_encoding(write, encoding, content, sentence):
    with pytest.raises(ImportProblem, match=sentence):
        import_file(write(content), encoding=encoding)


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Ada\r\nBcc: x@example.com", "Ada Bcc: x@example.com"),
        ("Ada\rKing", "Ada King"),
        ("  Ada \n\n King\t", "Ada King"),
        ("Ada\x1b\x7f\x85\u2028\u2029King", "Ada King"),
        ("\n", ""),
        ("Ada  de\u00a0King", "Ada  de\u00a0King"),
    ],
)
def test_it_puts_names_on_one_line(write, cell, name):
    counts = import_file(write(f'email,first name,last name\na@example.com,"{cell}","{cell}"\n'))

    person = Recipient.objects.get()
    assert counts == Counts(created=1, existing=0, rejected=0)
    assert (person.first_name, person.last_name) == (name, name)


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=150))
def test_a_name_never_holds_a_line_break_or_a_control_character(text):
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        path = Path(folder) / "people.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["email", "first name"], ["a@example.com", text]])

        import_file(path)

        name = Recipient.objects.get().first_name
        assert len(name.splitlines()) <= 1
        assert not any(unicodedata.category(character) == "Cc" for character in name)
        transaction.set_rollback(True)


@pytest.mark.parametrize("content", ["email,name\n", "email,name", "\ufeffemail;name\r\n\r\n;\r\n"])
def test_it_says_that_a_file_has_nothing_but_the_names_of_columns(write, content):
    with pytest.raises(ImportProblem, match="The file has no lines of data"):
        import_file(write(content), list_name="Readers")

    assert not RecipientList.objects.exists()
    assert not AttributeDefinition.objects.exists()


def test_it_guesses_columns_in_four_languages():
    assert guess(["Courriel", "Prénom", "Nom", "Langue"]) == {
        "Courriel": "address", "Prénom": "first_name", "Nom": "last_name", "Langue": "language",
    }  # fmt: skip
    assert guess(["E-Mail-Adresse", "Apellidos", "2nd Score %"]) == {
        "E-Mail-Adresse": "address", "Apellidos": "last_name", "2nd Score %": "field_2nd_score",
    }  # fmt: skip


def test_it_detects_a_semicolon_file_whose_header_has_a_comma_in_quotes(write):
    assert detect(write('email;"name, first"\na@example.com;A\n')).delimiter == ";"


def test_its_command_maps_columns_and_keeps_the_rejects(write, tmp_path, capsys):
    path = write("Kontakt,Ort\na@example.com,Bern\nnonsense,Bern\n")

    call_command("import_recipients", str(path), map=["Kontakt=address", "Ort="], list="All")

    assert Recipient.objects.get().attributes == {}
    assert "1 created, 0 updated, 1 rejected." in capsys.readouterr().out
    assert rejects_of(tmp_path / "people.rejects.csv")[0][0] == "3"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"map": ["Nope=address"]}, "no column “Nope”"),
        ({"map": ["nonsense"]}, "COLUMN=FIELD"),
        ({"encoding": "klingon"}, "no encoding called"),
    ],
)
def test_its_command_ends_in_a_sentence(write, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("import_recipients", str(write("email\na@example.com\n")), **arguments)


def test_its_command_says_that_a_file_is_missing(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_recipients", str(tmp_path / "missing.csv"))


@pytest.mark.parametrize("before", ["\n\n", "  \r\n", "sep=;\r\n", "\ufeffSEP=;\n"])
def test_it_passes_over_what_stands_before_the_names_of_the_columns(write, before):
    counts = import_file(write(before + "email;first name\na@example.com;Ada\n"))

    assert counts == Counts(created=1, existing=0, rejected=0)
    assert Recipient.objects.get().first_name == "Ada"


def test_it_keeps_values_by_the_kind_of_their_attribute(write, tmp_path):
    attribute("points", AttributeKind.NUMBER)
    path = write("email,points,Born,Member,City\na@example.com,12,31.12.1990,yes,007\nb@example.com,many,,,\n")

    counts = import_file(
        path, mapping={"Born": "born:date", "Member": "member:boolean"}, rejects=tmp_path / "rejects.csv"
    )

    assert counts == Counts(created=1, existing=0, rejected=1)
    assert Recipient.objects.get().attributes == {"points": 12, "born": "1990-12-31", "member": True, "city": "007"}
    assert dict(AttributeDefinition.objects.values_list("name", "kind")) == {
        "born": "date", "city": "text", "member": "boolean", "points": "number",
    }  # fmt: skip
    assert "“many” is not a number" in rejects_of(tmp_path / "rejects.csv")[0][1]


def test_it_imports_who_may_be_tracked_and_an_empty_cell_changes_nothing(write):
    assert guess(["E-mail", "may_be_tracked"])["may_be_tracked"] == "may_be_tracked"
    import_file(write("email,May be tracked\na@example.com,no\nb@example.com,Ja\nc@example.com,\n"))
    tracked = Recipient.objects.order_by("address").values_list("may_be_tracked", flat=True)
    assert list(tracked) == [False, True, True]

    import_file(write("email,May be tracked\na@example.com,\nb@example.com,0\nc@example.com,x\n"))
    assert list(tracked.all()) == [False, False, True]
    import_file(write("email,first name\na@example.com,Ada\nb@example.com,Bo\n"))
    assert list(tracked.all()) == [False, False, True]
    import_file(write("email,may be tracked\na@example.com,yes\n"), existing=Existing.SKIP)
    assert list(tracked.all()) == [False, False, True]
    assert not AttributeDefinition.objects.exists()


def test_it_rejects_what_says_neither_yes_nor_no_about_tracking(write, tmp_path):
    path = write("email,May be tracked\na@example.com,perhaps\nb@example.com,no\nB@example.com,yes\n")
    rejects = tmp_path / "rejects.csv"

    assert import_file(path, rejects=rejects) == Counts(created=1, existing=0, rejected=2)

    wrong, repeated = rejects_of(rejects)
    assert wrong == ["2", "“perhaps” is neither yes nor no. Write yes or no.", "a@example.com", "perhaps"]
    assert repeated[2:] == ["b@example.com", "no"]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("points:date", "is known with the kind “number”"),
        ("points:money", "There is no kind “money”"),
        ("first_name:text", "is a built-in field"),
        ("Points!", "cannot be a field's name"),
    ],
)
def test_it_refuses_a_kind_that_cannot_be(write, target, sentence):
    attribute("points", AttributeKind.NUMBER)

    with pytest.raises(ImportProblem, match=sentence):
        import_file(write("email,p\na@example.com,1\n"), mapping={"p": target})

    assert not Recipient.objects.exists()


def test_it_can_be_run_again_without_harm(write):
    path = write("email,first name\na@example.com,Ada\nb@example.com,Bo\n")
    import_file(path, list_name="Readers")

    counts = import_file(path, list_name="Readers")

    assert counts == Counts(created=0, existing=2, rejected=0)
    assert RecipientList.objects.get().recipients.count() == 2
