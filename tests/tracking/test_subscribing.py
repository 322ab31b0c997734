"""The way in, with a double opt-in: asked for on a page, confirmed by the link in a mail."""

import email
import email.policy
import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client, RequestFactory

from campaign.demo.sink import Fault
from campaign.lib.brief_redis import brief_redis
from campaign.lib.clock import now
from deliveries.actions import subscribe as acts
from deliveries.actions.dkim_key import make_key
from deliveries.actions.subscribe import LinkExpired, ask, confirm, link_token, purge_requests, send, waiting
from recipients import erased, quarantine
from recipients.denylist import deny
from recipients.models import ConsentEvent, Denylist, ErasedWish, Recipient, Service, Subscription, SubscriptionRequest
from tests.deliveries.factories import route
from tests.factories import recipient
from tests.people import at_colleague, colleague
from tests.smtp_sink import SinkThread, smtp_sink
from tracking.subscribing import limits

__all__ = ["at_colleague", "colleague", "smtp_sink"]

pytestmark = pytest.mark.django_db

ADDRESS = "Ada@example.org"


@pytest.fixture(autouse=True)
def nobody_has_asked() -> None:
    client = redis.Redis.from_url(django_settings.REDIS_URL)
    for name in client.scan_iter("subscribe:*"):
        client.delete(name)


@pytest.fixture
def service() -> Service:
    return Service.objects.create(
        name="Weekly", has_form=True, sender_name="Example News", sender_address="news@example.com"
    )


def request_of(service: Service, address: str = ADDRESS, language: str = "en") -> SubscriptionRequest:
    assert ask(service, address, language)
    return SubscriptionRequest.objects.latest("pk")


def received(sink: SinkThread) -> EmailMessage:
    [mail] = sink.messages
    message = email.message_from_bytes(mail.data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_it_subscribes_who_asks_and_follows_the_link(client: Client, service: Service, smtp_sink: SinkThread):
    route(smtp_sink.port)
    make_key("example.com", selector="news")
    page = client.get(f"/s/{service.pk}").content.decode()
    assert "Subscribe to “Weekly”" in page

    told = client.post(f"/s/{service.pk}", {"address": ADDRESS}, headers={"accept-language": "de"}).content.decode()
    assert "Schauen Sie in Ihr Postfach" in told
    assert not Recipient.objects.exists()
    assert send(waiting()[0])

    mail = received(smtp_sink)
    assert mail["Subject"] == "Bitte bestätigen: Weekly"
    assert mail["To"] == ADDRESS
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "d=example.com" in str(mail["DKIM-Signature"])
    text = mail.get_content()
    link = re.search(r"https?://[^/]+(/s/confirm/\S+)", text)
    assert link is not None
    assert "ada" not in link[1].lower()

    assert "Noch ein Schritt" in client.get(link[1]).content.decode()
    client.head(link[1])
    assert not Recipient.objects.exists()
    for _ in range(2):
        assert "Sie sind angemeldet" in client.post(link[1]).content.decode()

    made = Recipient.objects.get()
    assert (made.address, made.language) == (ADDRESS, "de")
    assert Subscription.objects.get().withdrawn_at is None
    assert ConsentEvent.objects.get().source.startswith("subscription form, asked")


def test_it_tells_everybody_the_same_whatever_it_knows(client: Client, service: Service):
    deny(recipient("denied@example.org"), source="phone")
    quarantine.add("held@example.org", reason="User unknown")
    Subscription.objects.create(service=service, recipient=recipient("has.it@example.org"))

    pages = {
        re.sub(r"\S+@example\.org", "", client.post(f"/s/{service.pk}", {"address": address}).content.decode())
        for address in ("denied@example.org", "held@example.org", "has.it@example.org", "nobody@example.org")
    }

    assert len(pages) == 1
    asked = set(SubscriptionRequest.objects.values_list("address", flat=True))
    assert asked == {"denied@example.org", "has.it@example.org", "nobody@example.org"}


def test_it_floods_nobody(service: Service):
    assert ask(service, ADDRESS, "en")
    assert not ask(service, ADDRESS.upper(), "en")
    assert ask(service, "other@example.org", "en")

    for _ in range(2):
        SubscriptionRequest.objects.update(asked_at=now() - timedelta(hours=2))
        assert ask(service, ADDRESS, "en")
    SubscriptionRequest.objects.update(asked_at=now() - timedelta(hours=2))
    assert not ask(service, ADDRESS, "en")


def test_it_takes_sub_addresses_for_one_mailbox_where_it_counts(service: Service):
    assert ask(service, "Ada+1@example.org", "en")

    assert not ask(service, "ada+2@example.org", "en")
    assert not ask(service, r'"\a\da"@example.org', "en")
    assert not ask(service, "ada@example.org", "en")
    assert ask(service, "+ada@example.org", "en")
    assert ask(service, "ada@other.example.org", "en")
    assert set(SubscriptionRequest.objects.values_list("address", "mailbox")) == {
        ("Ada+1@example.org", "ada@example.org"),
        ("+ada@example.org", "+ada@example.org"),
        ("ada@other.example.org", "ada@other.example.org"),
    }


def test_it_warns_before_the_forms_are_shut_and_says_when_they_are(
    settings, client: Client, admin_client: Client, service: Service, caplog: pytest.LogCaptureFixture
):
    settings.SUBSCRIPTION_MAILS_AN_HOUR = 5
    homes, answers = [], []
    for number in range(6):
        homes.append(admin_client.get("/admin/").content.decode())
        answers.append(client.post(f"/s/{service.pk}", {"address": f"p{number}@example.org"}))

    assert [answer.status_code for answer in answers] == [200] * 5 + [503]
    assert "Too many people are asking" in answers[-1].content.decode()
    assert SubscriptionRequest.objects.count() == 5
    assert ["Subscription forms have sent" in home for home in homes] == [False] * 4 + [True, True]
    assert "At 5 they are shut" in homes[4]
    assert "They are shut until" in homes[5]
    assert [record.levelname for record in caplog.records if record.name == acts.logger.name] == ["WARNING", "ERROR"]


def test_it_tells_nobody_of_full_forms_who_may_not_change_services(settings, at_colleague: Client, service: Service):
    settings.SUBSCRIPTION_MAILS_AN_HOUR = 1
    assert ask(service, ADDRESS, "en")

    assert "Subscription forms" not in at_colleague.get("/admin/").content.decode()


def test_it_slows_down_one_place_on_the_network(client: Client, service: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MOST", 2)

    answers = [client.post(f"/s/{service.pk}", {"address": f"p{number}@example.org"}) for number in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "too many attempts" in answers[2].content.decode()
    assert SubscriptionRequest.objects.count() == 2
    elsewhere = client.post(f"/s/{service.pk}", {"address": "p9@example.org"}, REMOTE_ADDR="192.0.2.9")
    assert elsewhere.status_code == 200


def test_a_network_that_asks_too_often_shuts_the_form_for_nobody_else(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "MOST_OF_NETWORK", 3)

    def asked_from(place: str) -> int:
        return client.post(f"/s/{service.pk}", {"address": f"{place}@example.org"}, REMOTE_ADDR=place).status_code

    assert [asked_from(f"192.0.2.{number}") for number in range(5)] == [200, 200, 200, 429, 429]
    assert asked_from("192.0.3.1") == 200


@pytest.mark.parametrize(
    ("remote", "forwarded", "behind_proxy", "expected"),
    [
        ("192.0.2.1", "203.0.113.5", False, ("192.0.2.1/32", "192.0.2.0/24")),
        ("10.0.0.1", "198.51.100.7, 203.0.113.5", True, ("203.0.113.5/32", "203.0.113.0/24")),
        ("2001:db8:1:2:3:4:5:6", "", False, ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("::ffff:192.0.2.1", "", False, ("192.0.2.1/32", "192.0.2.0/24")),
        ("", "nonsense", True, ("unknown", "unknown/")),
    ],
)
def test_it_takes_one_household_for_one_place(settings, remote, forwarded, behind_proxy, expected):
    settings.BEHIND_PROXY = behind_proxy
    headers = {"x-forwarded-for": forwarded} if forwarded else {}

    assert limits.places(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)) == expected


def test_it_works_without_redis(settings, client: Client, service: Service):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    brief_redis.cache_clear()

    try:
        assert client.post(f"/s/{service.pk}", {"address": ADDRESS}).status_code == 200
    finally:
        brief_redis.cache_clear()


def test_it_says_beside_the_field_what_is_no_address(client: Client, service: Service):
    response = client.post(f"/s/{service.pk}", {"address": "<b>nonsense\x00"})

    page = response.content.decode()
    assert response.status_code == 422
    assert 'aria-invalid="true"' in page
    assert "&lt;b&gt;nonsense" in page
    assert not SubscriptionRequest.objects.exists()


def test_it_has_a_form_only_where_somebody_wanted_one(client: Client, service: Service):
    other = Service.objects.create(name="Internal")

    assert client.get(f"/s/{other.pk}").status_code == 404
    assert client.get("/s/999").status_code == 404
    assert Client(enforce_csrf_checks=True).post(f"/s/{service.pk}", {"address": ADDRESS}).status_code == 403


def test_it_believes_no_link_that_is_old_made_up_or_of_a_form_that_is_gone(client: Client, service: Service):
    token = link_token(request_of(service))

    for wrong in (f"{token}x", "1.2.3", token.replace(token.partition(".")[0], "999", 1)):
        assert client.get(f"/s/confirm/{wrong}").status_code == 410
    Service.objects.update(has_form=False)
    assert client.post(f"/s/confirm/{token}").status_code == 410
    assert not Recipient.objects.exists()


def test_it_ends_with_the_link(service: Service, monkeypatch: pytest.MonkeyPatch):
    token = link_token(request_of(service))
    monkeypatch.setattr(acts, "VALID", timedelta(seconds=-1))

    with pytest.raises(LinkExpired):
        confirm(token)


def test_it_ends_an_earlier_wish_for_no_mails_at_all(client: Client, service: Service):
    deny(recipient(ADDRESS), source="phone")
    token = link_token(request_of(service))
    assert "this wish ends" in client.get(f"/s/confirm/{token}").content.decode()

    confirm(token)

    assert not Denylist.objects.exists()
    states = list(ConsentEvent.objects.order_by("pk").values_list("subject", "state"))
    assert states == [("all", "withdrawn"), ("all", "given"), ("service", "given")]


def test_it_takes_somebody_back_who_was_erased(service: Service):
    erased.remember("ada@example.org", source="erasure")

    confirm(link_token(request_of(service)))

    assert not ErasedWish.objects.exists()
    assert not Denylist.objects.exists()


def test_it_tries_again_later_and_then_gives_up(service: Service, smtp_sink: SinkThread):
    route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="451 4.3.0 Later", recipient="Ada@"))
    request = request_of(service)

    for attempt in range(1, 5):
        assert not send(request.pk)
        request.refresh_from_db()
        assert request.attempts == attempt
        assert "451 4.3.0 Later" in request.sentence
        assert not send(request.pk)  # not before its time
        SubscriptionRequest.objects.exclude(next_attempt_at=None).update(next_attempt_at=now())

    assert request.next_attempt_at is None
    assert waiting() == []


def test_it_keeps_a_mail_that_cannot_leave_because_there_is_no_route(service: Service):
    request = request_of(service)

    assert not send(request.pk)

    request.refresh_from_db()
    assert "There is no route" in request.sentence


def test_it_forgets_requests_whose_link_has_expired(service: Service):
    request_of(service)
    SubscriptionRequest.objects.update(asked_at=now() - timedelta(days=8))
    request_of(service, "young@example.org")

    assert purge_requests(now() - acts.VALID, 10) == 1

    assert SubscriptionRequest.objects.get().address == "young@example.org"


def test_it_asks_for_a_sender_before_there_is_a_form(admin_client: Client):
    page = "/admin/recipients/service/add/"

    refused = admin_client.post(page, {"name": "Weekly", "has_form": "on"}).content.decode()
    assert "Write the sender’s address" in refused

    admin_client.post(page, {"name": "Weekly", "has_form": "on", "sender_address": "news@example.com"})
    made = Service.objects.get()
    shown = admin_client.get(f"/admin/recipients/service/{made.pk}/change/").content.decode()
    assert f'/s/{made.pk}"' in shown
