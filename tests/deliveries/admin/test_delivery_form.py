from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from deliveries.actions.analyse import analyse
from deliveries.admin.files import LARGEST_FILE_BYTES, content_identifier
from deliveries.models import Attachment, AttachmentRole, Delivery, Properties
from deliveries.states import DeliveryState
from tests.deliveries.factories import analysed, confirmed, delivery, people
from tests.people import logged_in, person

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


SCHEDULE = {
    "part_size": 0,
    "priority": 1,
    "validity": "5d",
    "max_retries": 5,
    "retry_period": "1h",
    "waves_mode": "none",
    "wave_size": "",
    "wave_interval": "1d",
    "wave_calendar": "",
    "in_doubt_policy": "ask",
    "approval_mode": "manual",
    "mail_formats": "recipient",
    "default_error_address": "on",
    "resources_validity": "60d",
    "mirror_mode": "default",
    "personalization_time": "5s",
    "track_clicks": "on",
    "track_opens": "on",
    "track_individuals": "on",
    "tracking_validity": "0",
    "exclude_duplicates": "on",
    "exclude_denylisted": "on",
    "exclude_quarantined": "on",
    "limit_mode": "",
    "limit_size": "0",
    "control_mode": "",
    "control_size": "0",
}
"""What the form shows of a new delivery's sending, as the browser sends it back."""


def url(made: Delivery) -> str:
    return reverse("admin:deliveries_delivery_change", args=[made.pk])


def filled(made: Delivery, **changes: Any) -> dict[str, Any]:
    """What the browser sends when somebody changes only ``changes``."""
    names = (
        "label", "code", "description", "sender_name", "sender_address", "reply_name", "reply_address", "subject",
        "html", "text", "language", "smtp_headers",
    )  # fmt: skip
    return {
        **{name: getattr(made, name) for name in names},
        "target_lists": list(made.target_lists.values_list("pk", flat=True)),
        "attachments": list(made.attachments.values_list("pk", flat=True)),
        "route": "",
        **SCHEDULE,
        "contact_zone": "UTC",
        **changes,
    }


def save(client: Client, made: Delivery, **changes: Any) -> Any:
    response = client.post(url(made), filled(made, **changes))
    made.refresh_from_db()
    return response


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_it_saves_and_leads_back_to_the_delivery(at_marketer: Client) -> None:
    made = delivery()

    response = save(at_marketer, made, subject="A better subject")

    assert response["Location"] == reverse("admin:deliveries_delivery_dashboard", args=[made.pk])
    assert made.subject == "A better subject"


def test_it_chooses_the_target(at_marketer: Client) -> None:
    made, readers = delivery(), people(3)

    page = at_marketer.get(url(made)).content.decode()
    save(at_marketer, made, target_lists=[readers.pk])

    assert "Readers (3 recipients)" in page
    assert list(made.target_lists.all()) == [readers]


def test_it_shows_a_mistake_beside_its_field_and_loses_nothing(at_marketer: Client) -> None:
    made = delivery()

    page = save(at_marketer, made, part_size="99999", html="<p>Typed for an hour</p>").content.decode()

    assert "Write a whole number from 0 to 10,000." in page
    assert "Typed for an hour" in page
    assert "data-errors" in page


def test_it_saves_faulty_personalization_and_warns(at_marketer: Client) -> None:
    made = delivery()

    response = save(at_marketer, made, subject="Hello {{ recipient.nonsense }}")

    assert made.subject == "Hello {{ recipient.nonsense }}"
    assert "an analysis would refuse this" in said(response)


def test_it_sets_an_analysis_aside_that_no_longer_fits(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))

    response = save(at_marketer, made, subject="Another")

    assert made.current_state is DeliveryState.EDITING
    assert "analyse again" in said(response)


def test_it_keeps_an_analysis_that_still_fits(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))

    save(at_marketer, made)

    assert made.current_state is DeliveryState.READY


def test_it_keeps_contents_as_they_were_typed_whatever_line_ends_a_browser_sends(at_marketer: Client) -> None:
    made = delivery()

    save(at_marketer, made, html="  <p>one</p>\r\n\r\n<p>two</p>\r\n")

    assert made.html == "  <p>one</p>\n\n<p>two</p>\n"


def asked(made: Delivery) -> Delivery:
    analyse(made)
    return made


@pytest.mark.parametrize("prepare", [confirmed, asked])
def test_it_changes_nothing_once_the_content_is_taken(at_marketer: Client, prepare: Any) -> None:
    made = prepare(delivery(people(1)))

    page = at_marketer.get(url(made)).content.decode()
    save(at_marketer, made, subject="Too late")

    assert [name for name in Properties.property_names() if f'name="{name}"' in page] == []
    assert "can no longer be changed" in page
    assert made.subject != "Too late"


def test_it_never_writes_the_state(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody asks for an analysis between the form's reading and its writing."""
    made = delivery(people(1))
    from deliveries.admin.delivery import DeliveryAdmin

    save_model = DeliveryAdmin.save_model

    def slow(*args: Any) -> None:
        analyse(Delivery.objects.get(pk=made.pk))
        save_model(*args)

    monkeypatch.setattr(DeliveryAdmin, "save_model", slow)
    response = save(at_marketer, made, subject="Too late")

    assert "Not saved" in said(response)
    assert made.subject != "Too late"


def test_it_takes_several_files_and_images(at_marketer: Client) -> None:
    made = delivery()

    save(
        at_marketer,
        made,
        new_files=[SimpleUploadedFile("terms.pdf", b"%PDF"), SimpleUploadedFile("list.csv", b"a,b")],
        new_images=[SimpleUploadedFile("Our Logo.png", PNG, "image/png")],
    )

    assert {(file.name, file.role, file.content_id) for file in made.attachments.all()} == {
        ("terms.pdf", AttachmentRole.ATTACHED, ""),
        ("list.csv", AttachmentRole.ATTACHED, ""),
        ("Our Logo.png", AttachmentRole.INLINE, "our-logo"),
    }
    assert bytes(made.attachments.get(name="terms.pdf").data) == b"%PDF"


def test_it_removes_a_file_that_is_unticked(at_marketer: Client) -> None:
    made = delivery()
    save(at_marketer, made, new_files=[SimpleUploadedFile("terms.pdf", b"%PDF")])

    save(at_marketer, made, attachments=[])

    assert not made.attachments.exists()


def test_it_keeps_uploads_when_another_field_is_wrong(at_marketer: Client) -> None:
    made = delivery()

    page = save(at_marketer, made, label="", new_files=[SimpleUploadedFile("terms.pdf", b"%PDF")]).content.decode()
    kept = Attachment.objects.get()
    save(at_marketer, made, attachments=[kept.pk])

    assert f'value="{kept.pk}"' in page
    assert "terms.pdf" in page
    assert list(made.attachments.all()) == [kept]


def test_it_refuses_what_is_too_large_or_no_image(at_marketer: Client) -> None:
    made = delivery()
    large = SimpleUploadedFile("film.mp4", b"0" * (LARGEST_FILE_BYTES + 1))

    page = save(
        at_marketer, made, new_files=[large], new_images=[SimpleUploadedFile("a.pdf", b"%PDF")]
    ).content.decode()

    assert "“film.mp4” is 5.0" in page
    assert "“a.pdf” is not an image" in page
    assert not made.attachments.exists()


def test_it_does_not_give_away_the_files_of_another_delivery(at_marketer: Client) -> None:
    other, made = delivery(), delivery()
    save(at_marketer, other, new_files=[SimpleUploadedFile("secret.pdf", b"%PDF")])

    save(at_marketer, made, attachments=[other.attachments.get().pk])

    assert not made.attachments.exists()


def test_it_lets_a_colleague_look(at_colleague: Client) -> None:
    made = delivery()

    page = at_colleague.get(url(made)).content.decode()
    response = save(at_colleague, made, subject="Mine now")

    assert "News for" in page
    assert 'name="subject"' not in page
    assert response.status_code == 403
    assert made.subject != "Mine now"


def test_it_is_closed_to_outsiders(at_outsider: Client) -> None:
    assert at_outsider.get(url(delivery())).status_code == 403


@pytest.mark.parametrize(
    ("name", "identifier"), [("logo.png", "logo"), ("Our Logo.png", "our-logo"), ("тест.png", "image"), (".png", "png")]
)
def test_it_makes_a_content_identifier_of_any_file_name(name: str, identifier: str) -> None:
    assert content_identifier(name) == identifier


def test_it_takes_durations_as_people_write_them(at_marketer: Client) -> None:
    made = delivery()

    save(at_marketer, made, validity="1d 12h", retry_period="30m")

    assert (made.validity, made.retry_period) == (timedelta(hours=36), timedelta(minutes=30))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"validity": "soon"}, "“soon” is not a duration."),
        ({"validity": "5s"}, "Write a duration, at least 1m."),
        ({"waves_mode": "equal", "wave_size": ""}, "is not a size"),
        ({"waves_mode": "equal", "wave_size": "150%"}, "more than everything"),
        ({"waves_mode": "calendar", "wave_calendar": "0 10%\n2h"}, "Line 2 of the calendar"),
        ({"contact_local": "2027-03-28T02:30", "contact_zone": "Europe/Berlin"}, "skip 02:30"),
    ],
)
def test_it_says_what_is_wrong_with_the_schedule(at_marketer: Client, changes: dict[str, str], sentence: str) -> None:
    page = save(at_marketer, delivery(), **changes).content.decode()

    assert sentence in page


def test_it_reads_the_contact_date_in_its_zone_and_shows_it_again(at_marketer: Client) -> None:
    made = delivery()

    save(at_marketer, made, contact_local="2027-06-01T09:30", contact_zone="America/New_York")

    assert made.contact_at == datetime(2027, 6, 1, 13, 30, tzinfo=UTC)
    assert 'value="2027-06-01T09:30"' in at_marketer.get(url(made)).content.decode()


def test_it_forgets_the_contact_date(at_marketer: Client) -> None:
    made = delivery(contact_at=datetime(2027, 6, 1, 13, 30, tzinfo=UTC), contact_zone="UTC")

    save(at_marketer, made, contact_local="")

    assert (made.contact_at, made.contact_zone) == (None, "")


def test_it_says_beside_the_field_which_header_lines_cannot_be_used_and_keeps_what_was_typed(
    at_marketer: Client,
) -> None:
    made = delivery()
    typed = "X-Tag: spring\nFrom: x\nX-Code {{ delivery.code }}"

    response = save(at_marketer, made, subject="A new subject", smtp_headers=typed)

    form = response.context["adminform"].form
    assert form.errors["smtp_headers"] == [
        "Line 2: “From” cannot be set here. Set the sender address instead.",
        "Line 3: A colon is missing. Write name: value.",
    ]
    assert form["smtp_headers"].value() == typed
    assert form["subject"].value() == "A new subject"
    assert made.smtp_headers == ""


def test_it_checks_a_header_script_while_it_is_typed(at_marketer: Client) -> None:
    asked = {"script": "X-Tag: {{ recipient.nme }}\nReply-To: a@example.com\n", "reply_address": "b@example.com"}

    answer = at_marketer.post(reverse("admin:deliveries_delivery_headers"), asked, content_type="application/json")

    assert answer.json()["findings"] == [
        {
            "sentence": "Line 2: “Reply-To” cannot be set here. The delivery writes it already, because of its other "
            "properties.",
            "blocks": True,
        }
    ]
    alone = at_marketer.post(
        reverse("admin:deliveries_delivery_headers"), {**asked, "reply_address": ""}, content_type="application/json"
    )
    assert alone.json()["findings"][0]["sentence"].startswith("Line 1: Unknown field recipient.nme")


def test_it_checks_no_header_script_for_strangers_or_of_another_shape(client: Client, at_marketer: Client) -> None:
    address = reverse("admin:deliveries_delivery_headers")

    assert client.post(address, {}, content_type="application/json").status_code in {302, 400}
    assert at_marketer.post(address, "[]", content_type="application/json").status_code == 400
    assert at_marketer.get(address).status_code == 405


def test_it_says_beside_the_field_what_is_wrong_with_a_bounce_address(at_marketer: Client) -> None:
    made = delivery()

    response = save(
        at_marketer,
        made,
        default_error_address="",
        error_address="nobody",
        investigation_address="{{ delivery.code }}",
    )

    errors = response.context["adminform"].form.errors
    assert errors["error_address"] == ["The error address is not an e-mail address: “nobody”."]
    assert "investigation_address" not in errors
    response = save(at_marketer, made, default_error_address="", error_address="")
    assert response.context["adminform"].form.errors["error_address"] == [
        "Write the error address, or tick the box above."
    ]


def test_it_wants_both_dates_in_order_once_they_count(at_marketer: Client) -> None:
    made = delivery()

    response = save(at_marketer, made, explicit_dates="on", ends_at="2030-01-02T10:00")

    form = response.context["adminform"].form
    assert form.errors["resources_end_at"] == ["Choose a date, or untick “explicitly set validity dates”."]
    assert form["ends_at"].value() == "2030-01-02T10:00"
    response = save(
        at_marketer, made, explicit_dates="on", ends_at="2030-01-02T10:00", resources_end_at="2030-01-01T10:00"
    )
    assert "not before the end of the delivery" in response.context["adminform"].form.errors["resources_end_at"][0]
    save(at_marketer, made, explicit_dates="on", ends_at="2030-01-02T10:00", resources_end_at="2030-02-01T10:00")
    assert made.ends(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2030, 1, 2, 10, tzinfo=UTC)
    assert made.resources_end(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2030, 2, 1, 10, tzinfo=UTC)


def test_it_keeps_the_mirror_pages_at_least_as_long_as_messages_leave(at_marketer: Client) -> None:
    response = save(at_marketer, delivery(), validity="5d", resources_validity="2d")

    assert "at least the delivery duration" in response.context["adminform"].form.errors["resources_validity"][0]


def test_nobody_makes_himself_a_reviewer_beside_others_or_takes_them_away(at_marketer: Client, marketer: User) -> None:
    made, reviewer = delivery(), person("reviewer", Q())
    made.reviewers.add(reviewer)

    beside = save(at_marketer, made, reviewers=[reviewer.pk, marketer.pk]).content.decode()
    away = save(at_marketer, made, reviewers=[]).content.decode()

    assert "You cannot make yourself a reviewer." in beside
    assert "Only a reviewer or an administrator takes a reviewer away." in away
    assert list(made.reviewers.all()) == [reviewer]


def test_a_reviewer_names_others_and_leaves(marketer: User) -> None:
    made, reviewer = delivery(), person("reviewer", Q())
    made.reviewers.add(reviewer)

    save(logged_in(reviewer), made, reviewers=[marketer.pk])

    assert list(made.reviewers.all()) == [marketer]


def test_only_who_may_start_it_lets_it_start_by_itself(at_marketer: Client) -> None:
    made = delivery()
    preparer = logged_in(person("preparer", Q(codename__in=["view_delivery", "change_delivery"])))

    refused = save(preparer, made, approval_mode="automatic").content.decode()
    kept = made.approval_mode
    save(at_marketer, made, approval_mode="semi")
    save(preparer, made, approval_mode="semi", subject="By the preparer")

    assert "Only somebody who may start this delivery can let it start by itself." in refused
    assert (kept, made.approval_mode, made.subject) == ("manual", "semi", "By the preparer")
