from pathlib import Path

import pytest

from campaign.lib.sql import StatementError, statements


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)


def test_it_finds_each_statement_by_its_name(tmp_path):
    write(tmp_path, "a.sql", "-- About messages.\n\n-- name: first\n-- Served by the primary key.\nSELECT 1;\n")
    write(tmp_path, "b.sql", "-- name: second\nSELECT 2\n\n-- name: third\nSELECT 3")

    found = statements(tmp_path)

    assert dict(found) == {
        "first": "-- Served by the primary key.\nSELECT 1;",
        "second": "SELECT 2",
        "third": "SELECT 3",
    }


def test_it_says_which_statements_there_are_when_one_is_unknown(tmp_path):
    write(tmp_path, "a.sql", "-- name: first\nSELECT 1")

    with pytest.raises(StatementError, match=r"No SQL statement is called 'frist' in .*; there are: first\."):
        statements(tmp_path)["frist"]


def test_it_refuses_two_statements_of_one_name(tmp_path):
    write(tmp_path, "a.sql", "-- name: first\nSELECT 1")
    write(tmp_path, "b.sql", "-- name: first\nSELECT 2")

    with pytest.raises(StatementError, match=r"Two SQL statements are called 'first'; the second is in .*b\.sql\."):
        statements(tmp_path)


@pytest.mark.parametrize("heading", ["-- name:", "-- name: Two", "--name: 1st"])
def test_it_refuses_a_name_that_is_none(tmp_path, heading):
    write(tmp_path, "a.sql", f"{heading}\nSELECT 1")

    with pytest.raises(StatementError, match="write lower-case letters, digits and _"):
        statements(tmp_path)


def test_it_refuses_an_empty_statement(tmp_path):
    write(tmp_path, "a.sql", "-- name: first\n\n-- name: second\nSELECT 1")

    with pytest.raises(StatementError, match=r"The statement 'first' in .*a\.sql is empty\."):
        statements(tmp_path)
