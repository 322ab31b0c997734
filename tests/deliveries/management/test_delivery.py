"""``manage.py delivery``: the way of a delivery without a browser."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Q

from campaign.lib.clock import now
from deliveries.actions.analyse import analyse as ask
from deliveries.analysis.run import analyse
from deliveries.management.script import base
from deliveries.models import AuditLine, Delivery, DeliveryTemplate, SeedGroup
from deliveries.states import DeliveryState
from recipients.models import ImportState, RecipientList
from tests.deliveries.factories import HTML, analysed, delivery, people, route, unchecked
from tests.people import marketer, person

__all__ = ["marketer"]

pytestmark = pytest.mark.django_db


def told(*arguments: Any, code: int = 0) -> dict[str, Any]:
    """What the command prints; ``code`` is what it has to end with."""
    out = io.StringIO()
    try:
        call_command("delivery", *map(str, arguments), stdout=out)
        ended: Any = 0
    except SystemExit as end:
        ended = end.code
    answer: dict[str, Any] = json.loads(out.getvalue())
    assert ended == code, answer
    return answer


@pytest.fixture
def template() -> DeliveryTemplate:
    return DeliveryTemplate.objects.create(
        label="Monthly", subject="News", html=HTML, sender_name="News", sender_address="news@example.com"
    )


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that analyses while the command waits."""

    def work(_: float) -> None:
        for pk in Delivery.objects.filter(state=DeliveryState.ANALYSING).values_list("pk", flat=True):
            analyse(pk)

    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=time.monotonic, sleep=work))  # not for other threads


def test_it_goes_the_whole_way(template: DeliveryTemplate, at_work: None) -> None:
    route()
    people(3)

    made = told("create", "--template", "Monthly", "--label", "May", "--list", "Readers", "--code", "M5")
    pk = made["id"]
    proof = told("proof", pk, "--to", "tester@example.com", "--data-of", "person2@example.org")
    ready = told("analyse", pk, "--wait", 60)
    flags = [flag for name in {one["name"] for one in ready["warnings"]} for flag in ("--acknowledge", name)]
    running = told("confirm", pk, "--seen", ready["updated_at"], *flags)
    states = [told(act, pk)["state"] for act in ("pause", "resume", "stop", "status")]

    assert (made["state"], made["code"], made["target"]["lists"]) == ("editing", "M5", ["Readers"])
    assert (proof["proof_of"], proof["proof_number"], proof["state"]) == (pk, 1, "analysing")
    assert (ready["state"], ready["to_deliver"], ready["errors"]) == ("ready", 3, [])
    assert (running["state"], running["messages"]["pending"]) == ("in_progress", 3)
    assert [one["number"] for one in running["proofs"]] == [1]
    assert states == ["paused", "in_progress", "stopped", "stopped"]


def test_it_takes_content_target_and_contact_date(template: DeliveryTemplate, tmp_path: Path) -> None:
    for name in ("In", "Out"):
        RecipientList.objects.create(name=name)
    SeedGroup.objects.create(name="Us")
    html = tmp_path / "may.html"
    html.write_bytes("\ufeff<p>Grüße</p>\r\n".encode())

    made = told(
        "create", "--template", "Monthly", "--label", "May", "--subject", "Other", "--html", html, "--approval", "semi",
        "--list", "In", "--exclude-list", "Out", "--seeds", "Us", "--contact", "2027-05-01T09:00",
        "--zone", "Asia/Tokyo",
    )  # fmt: skip

    kept = Delivery.objects.get(pk=made["id"])
    assert (kept.subject, kept.html, kept.approval_mode) == ("Other", "<p>Grüße</p>\n", "semi")
    assert [one.name for one in kept.excluded_lists.all()] == ["Out"]
    assert [one.name for one in kept.seed_groups.all()] == ["Us"]
    assert (made["contact_at"], made["contact_zone"]) == ("2027-05-01T00:00:00+00:00", "Asia/Tokyo")


def test_it_hands_a_file_of_people_to_a_worker(template: DeliveryTemplate, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("address,amount\nann@example.org,5\n")

    made = told("create", "--template", "Monthly", "--label", "May", "--file", file)

    assert made["target"]["file"] | {"note": ""} == {
        "name": "people.csv", "state": ImportState.QUEUED, "lines": 0, "rejected": 0, "note": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--template", "Yearly"], 2, "There is no template “Yearly”."),
        (["--list", "Nobody"], 2, "There is no list “Nobody”."),
        (["--html", "/no/such/file"], 2, "/no/such/file cannot be read: No such file or directory."),
        (["--contact", "tomorrow"], 2, "“tomorrow” is no time. Write one such as 2026-12-01T09:00."),
        (["--contact", "2026-12-01T09:00", "--zone", "Moon/Base"], 2, "There is no time zone “Moon/Base”."),
        (["--contact", "2027-03-28T02:30", "--zone", "Europe/Zurich"], 2, "skip 02:30 on that day"),
        (["--by-recipient"], 2, "--by-recipient needs a --contact."),
        (["--label", "x" * 201], 1, "Label: Ensure this value has at most 200 characters"),
        (["--subject", "x" * 1001], 1, "Subject: Ensure this value has at most"),
        (["--as", "nobody"], 2, "There is nobody called “nobody” who may log in."),
    ],
)
def test_it_says_what_is_wrong_and_makes_nothing(
    template: DeliveryTemplate, arguments: list[str], code: int, sentence: str
) -> None:
    answer = told("create", "--template=Monthly", "--label=May", *arguments, code=code)

    assert sentence in answer["error"]
    assert not Delivery.objects.exists()


def test_it_does_not_change_what_the_template_locks(template: DeliveryTemplate) -> None:
    template.locked = ["subject"]
    template.save()

    answer = told("create", "--template", "Monthly", "--label", "May", "--subject", "Mine", code=1)

    assert answer == {"error": "Locked by the template “Monthly”: Subject."}


def test_it_confirms_nothing_before_each_warning_is_named() -> None:
    made = analysed(delivery(people(1), html="<p>Hello</p>"))
    names = sorted({one["name"] for one in told("status", made.pk)["warnings"]})
    assert len(names) > 1

    answer = told("confirm", made.pk, "--acknowledge", names[0], code=1)

    assert answer["error"].startswith("Not confirmed: the analysis warns.")
    assert f"--acknowledge {names[1]}" in answer["error"]
    assert f"--acknowledge {names[0]}" not in answer["error"]
    assert answer["state"] == "ready"


def test_it_confirms_nothing_that_changed_after_the_status_was_read() -> None:
    made = analysed(unchecked(delivery(people(1))))
    seen = told("status", made.pk)["updated_at"]
    Delivery.objects.filter(pk=made.pk).update(contact_at=now(), updated_at=now())

    assert "changed or analysed again" in told("confirm", made.pk, "--seen", seen, code=1)["error"]
    assert told("confirm", made.pk)["state"] == "in_progress"


def test_it_fails_when_the_analysis_does_and_says_why(at_work: None) -> None:
    made = delivery(people(1), html="{{ recipient.nonsense }}")

    answer = told("analyse", made.pk, "--wait", 60, code=1)

    assert "Unknown field recipient.nonsense" in answer["error"]
    assert answer["state"] == "analysis_failed"
    assert "Unknown field recipient.nonsense" in answer["errors"][0]["sentence"]


def test_it_says_when_it_waited_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 1000, 10))
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: next(ticks), sleep=time.sleep))

    answer = told("analyse", delivery(people(1)).pk, "--wait", 5, code=3)

    assert answer["error"].startswith("Not over after 5 s")
    assert answer["state"] == "analysing"


@pytest.mark.parametrize("act", ["analyse", "proof", "confirm", "cancel", "pause", "resume", "stop", "status"])
def test_it_says_that_there_is_no_such_delivery(act: str) -> None:
    assert told(act, 999_999, code=2) == {"error": "There is no delivery 999999."}


@pytest.mark.parametrize("act", ["confirm", "cancel", "pause", "resume", "stop"])
def test_it_says_why_a_move_is_refused(act: str) -> None:
    answer = told(act, delivery(people(1)).pk, code=1)

    assert answer["error"].startswith(
        ("A delivery that is “Being edited” cannot", "The delivery is “Being edited”; this can only")
    )


@pytest.mark.parametrize("arguments", [[], ["explode"], ["pause"], ["pause", "seven"], ["create", "--label", "May"]])
def test_it_says_what_is_wrong_with_the_call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("delivery", *arguments)

    assert ended.value.code == 2
    assert "--help" in json.loads(capsys.readouterr().out)["error"]


def test_it_lists_the_newest_first_as_far_as_was_asked_and_says_how_many_there_are() -> None:
    made = [delivery(label=f"Week {number}") for number in range(4)]
    delivery(proof_of=made[3], proof_number=1)

    everything, two = told("list"), told("list", "--limit", 2)

    assert [one["id"] for one in everything["deliveries"]] == [one.pk for one in reversed(made)]
    assert [one["label"] for one in two["deliveries"]] == ["Week 3", "Week 2"]
    assert (everything["total"], two["total"]) == (4, 4)


def test_it_lists_deliveries_in_the_states_that_are_asked_for_with_their_figures() -> None:
    edited, asked, ready = delivery(), delivery(), analysed(delivery(people(3)))
    told("analyse", asked.pk)

    chosen = told("list", "--state", "ready", "--state", "analysing")["deliveries"]

    assert [one["id"] for one in chosen] == [ready.pk, asked.pk]
    assert [one["state"] for one in chosen] == ["ready", "analysing"]
    assert chosen[0]["messages"] == {"sent": 0, "failed": 0, "in_doubt": 0, "pending": 3}
    assert chosen[0] == {name: value for name, value in told("status", ready.pk).items() if name in chosen[0]}
    assert told("list", "--state", "editing")["deliveries"][0]["id"] == edited.pk
    assert told("list", "--state", "stopped") == {"deliveries": [], "total": 0}


def test_a_list_takes_as_many_queries_for_many_deliveries_as_for_one(
    template: DeliveryTemplate, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        analysed(delivery(template=template))

    with django_assert_num_queries(3):
        assert told("list")["total"] == 5


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "1.5"])
def test_a_list_is_as_long_as_can_be_read(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("delivery", "list", f"--limit={limit}")

    assert ended.value.code == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error.startswith(f"--limit is a whole number from 1 to 1000, not “{limit}”.")


def test_a_state_that_there_is_not_is_answered_by_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("delivery", "list", "--state", "sent")

    assert ended.value.code == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error.startswith("--state cannot be “sent”. Choose one of: editing, analysing, ready,")


ACTS = {"analyse": [], "proof": ["--to", "tester@example.com"], "confirm": [], "cancel": [], "pause": [], "stop": []}


@pytest.mark.parametrize("act", ACTS)
def test_it_goes_by_the_rights_of_the_person_it_acts_for(act: str) -> None:
    looker = person("looker", Q(codename__startswith="view_"))
    made = delivery(people(1))

    answer = told(act, made.pk, "--as", looker.username, *ACTS[act], code=1)

    assert answer == {"error": "looker may not do this with “Spring news”."}
    assert Delivery.objects.get().current_state is DeliveryState.EDITING


def test_it_shows_nothing_to_and_makes_nothing_for_somebody_without_rights(template: DeliveryTemplate) -> None:
    person("outsider")
    made = delivery()

    for asked in (["status", made.pk], ["list"]):
        assert told(*asked, "--as", "outsider", code=1) == {"error": "outsider may not look at deliveries."}
    answer = told("create", "--template", "Monthly", "--label", "May", "--as", "outsider", code=1)
    assert answer == {"error": "outsider may not create deliveries."}


def test_the_audit_trail_names_the_person_it_acted_for(marketer: User) -> None:
    made = analysed(delivery(people(1)))
    names = {one["name"] for one in told("status", made.pk)["warnings"]}

    told("confirm", made.pk, "--as", "marketer", *(flag for name in names for flag in ("--acknowledge", name)))

    lines = AuditLine.objects.filter(delivery=made, user=marketer).values_list("sentence", flat=True)
    assert [line for line in lines if line.startswith("Acknowledged the warning")]
    assert [line for line in lines if line.startswith("Delivery confirmed: 1 messages")]


def test_it_takes_a_scheduled_start_back() -> None:
    made = analysed(unchecked(delivery(people(1), contact_at=now().replace(year=now().year + 1))))

    assert told("confirm", made.pk)["state"] == "start_pending"
    assert told("cancel", made.pk)["state"] == "ready"


def test_a_proof_that_cannot_be_made_says_why(at_work: None) -> None:
    made = delivery(people(1), html="{{ recipient.nonsense }}")

    answer = told("proof", made.pk, "--to", "tester@example.com", "--wait", 60, code=1)

    assert answer["error"].startswith("The proof was not sent: ")
    assert answer["proof_of"] == made.pk


def test_it_answers_a_cron_with_json_and_an_exit_code() -> None:
    """A process of its own without a terminal: what a shell script gets."""
    database = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0"}
    call = [sys.executable, "manage.py", "delivery", "pause", "seven"]

    ended = subprocess.run(call, cwd=settings.BASE_DIR, env=database, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert json.loads(ended.stdout)["error"].startswith("DELIVERY is a whole number, not “seven”.")
    assert ended.stderr == ""


def test_a_delivery_under_analysis_is_not_confirmed() -> None:
    made = delivery(people(1))
    ask(made)

    assert "Analysis in progress" in told("confirm", made.pk, code=1)["error"]
