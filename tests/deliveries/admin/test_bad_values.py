"""A bad value in any field is answered beside that field, and nothing that was typed is lost."""

from typing import Any

import pytest
from django.test import Client

from deliveries.models import Delivery, Properties
from tests.deliveries.admin.test_delivery_form import filled, url
from tests.deliveries.factories import delivery

pytestmark = pytest.mark.django_db

BAD: dict[str, dict[str, Any]] = {
    "label": {"label": ""},
    "code": {"code": "x" * 65},
    "sender_name": {"sender_name": "x" * 201},
    "sender_address": {"sender_address": "nobody"},
    "reply_name": {"reply_name": "x" * 201},
    "reply_address": {"reply_address": "a b@example.com"},
    "subject": {"subject": "x" * 501},
    "language": {"language": "English"[:7] + "!"},
    "route": {"route": "999999"},
    "part_size": {"part_size": "-1"},
    "priority": {"priority": "9"},
    "max_retries": {"max_retries": "101"},
    "retry_period": {"retry_period": "soon"},
    "mail_formats": {"mail_formats": "pdf"},
    "approval_mode": {"approval_mode": "by chance"},
    "in_doubt_policy": {"in_doubt_policy": "hope"},
    "waves_mode": {"waves_mode": "tide"},
    "wave_size": {"waves_mode": "equal", "wave_size": "some"},
    "wave_interval": {"wave_interval": "0"},
    "wave_calendar": {"waves_mode": "calendar", "wave_calendar": "tomorrow 5"},
    "archive": {"archive_emails": "on", "archive": ""},
    "validity": {"validity": "5 parsecs"},
    "resources_validity": {"resources_validity": "1s"},
    "ends_at": {"explicit_dates": "on", "ends_at": "never"},
    "resources_end_at": {"explicit_dates": "on", "ends_at": "2030-01-01T10:00", "resources_end_at": ""},
    "mirror_mode": {"mirror_mode": "broken"},
    "personalization_time": {"personalization_time": "2h"},
    "error_address": {"default_error_address": "", "error_address": "nobody"},
    "investigation_address": {"investigation_address": "nobody@"},
    "consent_service": {"consent_service": "999999"},
    "typology": {"typology": "999999"},
    "smtp_headers": {"smtp_headers": "no colon"},
    "tracking_validity": {"tracking_validity": "a while"},
    "substitution_url": {"substitution_url": "javascript:alert(1)"},
    "url_parameters": {"url_parameters": "utm_source"},
}

NEVER_BAD = {
    "description", "html", "text", "archive_emails", "explicit_dates", "default_error_address", "test_smtp",
    "exclude_duplicates", "keep_duplicate_records", "exclude_denylisted", "exclude_quarantined", "track_clicks",
    "track_opens", "track_individuals", "url_parameter_hosts", "link_choices",
    "honeypot",
}  # fmt: skip
"""Texts that are judged by the analysis, with their lines, boxes, and what has a page of its own."""


def test_it_covers_every_property() -> None:
    assert {*BAD, *NEVER_BAD} == set(Properties.property_names())


@pytest.mark.parametrize("name", BAD)
def test_it_answers_beside_the_field_and_keeps_what_was_typed(at_marketer: Client, name: str) -> None:
    made = delivery()
    before = {field: getattr(made, field) for field in Properties.property_names()}
    typed = filled(made, **{"description": "Typed at length", "html": "<p>typed</p>", **BAD[name]})

    page = at_marketer.post(url(made), typed)

    form = page.context["adminform"].form
    assert form.errors[name], form.errors
    for field in (*BAD[name], "description", "html"):
        assert str(form[field].value() or "") in {str(typed[field]), "True", "False"}
    html = page.content.decode()
    assert str(form.errors[name][0]).split("“")[0][:20].replace("'", "&#x27;") in html
    saved = Delivery.objects.get(pk=made.pk)
    assert {field: getattr(saved, field) for field in Properties.property_names()} == before


def test_it_names_every_parameter_that_cannot_be_one(at_marketer: Client) -> None:
    made = delivery()
    lines = "utm_source\nutm_medium=mail\n=x\nwho={{ recipient.id }}\n{x}=1\nutm_campaign={label}"

    errors = at_marketer.post(url(made), filled(made, url_parameters=lines)).context["adminform"].form.errors

    assert errors["url_parameters"] == [
        "“utm_source” and “=x” are no parameter. Write name=value.",
        (
            "“who={{ recipient.id }}” and “{x}=1” are not the same for everybody: of fields, only {label} and {code} "
            "can stand in a parameter."
        ),
    ]
    many = "\n".join(["bad"] * 30)
    errors = at_marketer.post(url(made), filled(made, url_parameters=many)).context["adminform"].form.errors
    assert errors["url_parameters"][0] == "Write at most 20 parameters; these are 30."
    assert " and 10 more are no parameter" in errors["url_parameters"][1]
