"""Figures as files."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from deliveries.models import Delivery, Message
from deliveries.sending.verdict import FailureType, Reason
from deliveries.states import MessageState
from tests.deliveries.factories import confirmed, delivery, people
from tests.people import logged_in, person
from tests.tracking.reports.seen import seen
from tracking.reports import export, tables
from tracking.reports.tables import TABLES

pytestmark = pytest.mark.django_db


def ask(client: Client, made: Delivery, what: str, form: str, **query: str):
    return client.get(reverse("admin:deliveries_delivery_export_report", args=[made.pk, what, form]), query)


def read_csv(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def read_excel(response) -> list[list]:
    book = load_workbook(io.BytesIO(response.getvalue()))
    return [list(row) for sheet in book.worksheets for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("what", TABLES)
def test_it_writes_the_same_rows_in_both_forms(at_marketer: Client, what: str) -> None:
    made = seen()

    lines, cells = (
        read_csv(ask(at_marketer, made, what, "csv")),
        read_excel(ask(at_marketer, made, what, "xlsx")),
    )

    assert len(lines) == len(cells) > 1
    assert lines[0] == cells[0]
    assert [line[0] for line in lines[1:]] == [str(row[0]) for row in cells[1:]]


def test_it_lists_who_opened_and_clicked(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK", 2)
    made = seen()

    found = read_csv(ask(at_marketer, made, "people", "csv"))
    with_machines = read_csv(ask(at_marketer, made, "people", "csv", machines="1"))

    assert [(row[1], *row[3:]) for row in found[1:]] == [
        ("person1@example.org", "2", "1", "0"),
        ("person2@example.org", "0", "2", "0"),
        ("person3@example.org", "1", "0", "0"),
    ]
    assert len(with_machines) == 5


def test_it_lists_what_became_of_every_message(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK", 2)
    made = confirmed(delivery(people(5)))
    ids = list(Message.objects.of_delivery(made.pk).order_by("pk").values_list("pk", flat=True))
    Message.objects.filter(pk=ids[0]).update(state=MessageState.SENT, reply="250 OK")
    Message.objects.filter(pk=ids[1]).update(
        state=MessageState.FAILED, failure_type=FailureType.HARD, reason=Reason.USER_UNKNOWN, reply="550 No."
    )

    rows = read_csv(ask(at_marketer, made, "log", "csv"))

    assert [(row[1], row[2], row[3], row[4], row[7]) for row in rows[1:]] == [
        ("person1@example.org", "Sent", "", "", "250 OK"),
        ("person2@example.org", "Failed", "hard", "User unknown", "550 No."),
        *((f"person{number}@example.org", "Pending", "", "", "") for number in (3, 4, 5)),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_taken_for_a_formula(at_marketer: Client, start: str) -> None:
    made = seen()
    evil = f"{start}HYPERLINK(0)@x.example"
    Message.objects.filter(pk=(made.pk << 32) + 1).update(address=evil)

    assert read_csv(ask(at_marketer, made, "people", "csv"))[1][1] == f"'{evil}"
    book = load_workbook(io.BytesIO(ask(at_marketer, made, "people", "xlsx").getvalue()))
    cell = book.worksheets[0]["B2"]
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'")


def test_it_goes_on_on_another_sheet(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 2)

    rows = read_excel(ask(at_marketer, seen(), "people", "xlsx"))

    assert [row[0] for row in rows] == ["Number", 1, 2, "Number", 3]


def test_it_gives_people_only_to_those_who_may_view_both(at_outsider: Client) -> None:
    made = seen()
    analyst = person("analyst")
    analyst.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    at_analyst = logged_in(analyst)

    assert ask(at_outsider, made, "indicators", "csv").status_code == 403
    assert ask(at_analyst, made, "indicators", "csv").status_code == 200
    assert ask(at_analyst, made, "people", "csv").status_code == 403


def test_it_knows_no_other_files(at_marketer: Client) -> None:
    made = seen()

    assert ask(at_marketer, made, "secrets", "csv").status_code == 404
    assert ask(at_marketer, made, "links", "exe").status_code == 404
