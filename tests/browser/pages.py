"""Every page of the deliveries in each of its faces, for tests that look at all of them."""

from collections.abc import Mapping
from datetime import timedelta

from bounces.models import BounceMailbox
from campaign.lib.clock import now
from deliveries.actions.archive_again import archive_again
from deliveries.actions.dkim_key import make_key
from deliveries.actions.send_proof import Proof, send_proof
from deliveries.models import (
    AbTest,
    Archive,
    ArchiveCopy,
    CopyState,
    Delivery,
    DeliveryTemplate,
    Message,
    Part,
    PersonalizationBlock,
    PlatformDefaults,
    Route,
)
from deliveries.sending.outcomes import NO_ANSWER
from deliveries.states import MessageState
from recipients.history import Origin
from recipients.models import Recipient, Service
from recipients.subscriptions import subscribe
from tests.deliveries.factories import ab_test, analysed, confirmed, delivery, doubtful, people
from tests.tracking.reports.seen import seen

ROOT = "/admin/"
DELIVERIES = "/admin/deliveries/delivery/"


def prepare() -> Mapping[str, str]:
    """Make what the pages show and return their addresses by name."""
    readers = people(60)
    draft = delivery(readers, label="A draft")
    ready = analysed(delivery(readers, label="All set"))
    running = confirmed(delivery(readers, label="On its way"))
    some = Part.objects.filter(delivery=running).order_by("pk")[:1]
    Part.objects.filter(pk__in=some).update(sent=40, failed=1, in_doubt=1)
    first = Message.objects.of_delivery(running.pk).order_by("pk")[0]
    unanswered = Message.objects.of_delivery(running.pk).order_by("pk")[1]
    Message.objects.filter(pk=unanswered.pk).update(state=MessageState.IN_DOUBT, reply=NO_ANSWER, processed_at=now())
    Message.objects.filter(pk=first.pk).update(state=MessageState.FAILED, reply="550 5.1.1 " + "unknown " * 20)
    testing = delivery(readers, label="Two subjects")
    ab_test(testing, "Another subject", "A third one")
    testing = confirmed(testing)
    Message.objects.of_delivery(testing.pk).filter(pk__lte=AbTest.objects.get(delivery=testing).last_test_id).update(
        state=MessageState.SENT
    )
    faulty = delivery(readers, label="Faulty", html="{{ recipient.nonsense }}")
    followed = seen("Followed")
    archive = Archive.objects.create(name="Vault", stores_files=True)
    Delivery.objects.filter(pk=running.pk).update(archive=archive, archive_emails=True)
    unarchived = doubtful(confirmed(delivery(readers, label="Never archived", archive=archive, archive_emails=True)))
    archive_again(unarchived)
    ArchiveCopy.objects.of_delivery(unarchived.pk).update(
        noted_at=now() - timedelta(hours=3), state=CopyState.FAILED, reply="550 5.1.1 " + "gone " * 20
    )
    key = make_key("example.com", selector="news")
    template, _ = DeliveryTemplate.objects.get_or_create(label="Monthly", defaults={"description": "Once a month."})
    block, _ = PersonalizationBlock.objects.get_or_create(name="of_the_test", defaults={"label": "Of the test"})
    mailbox = BounceMailbox.objects.create(
        name="Bounces", host="imap.example.com", username="bounces", checked_at=now(), last_error="It said no. " * 20,
        login="xoauth2", token_source="microsoft", tenant="example.com", client_id="0b1c",
    )  # fmt: skip
    person = Recipient.objects.earliest("pk")
    service = Service.objects.create(name="Weekly", has_form=True, sender_address="news@example.com")
    subscribe(person, service, Origin("fair"))
    late = delivery(readers, label="Late", contact_at=now() - timedelta(hours=1))
    proof = send_proof(draft, Proof(addresses=["tester@example.com"]))
    return {
        "recipient": f"/admin/recipients/recipient/{person.pk}/change/",
        "erase": f"/admin/deliveries/delivery/person/{person.pk}/erase/",
        "service": f"/admin/recipients/service/{service.pk}/change/",
        "home": ROOT,
        "list": DELIVERIES,
        "create": f"{DELIVERIES}create/",
        "edit": f"{own(draft)}change/",
        "view": f"{own(running)}change/",
        "draft": own(draft),
        "ready": own(ready),
        "running": own(running),
        "ab-test": f"{own(draft)}ab-test/",
        "ab-test-running": f"{own(testing)}ab-test/",
        "ab-test-choose": f"{own(testing)}ab-test/choose/B/",
        "confirm": f"{own(ready)}ask/confirm/",
        "stop": f"{own(running)}ask/stop/",
        "links": f"{own(draft)}links/",
        "links of what was sent": f"{own(running)}links/",
        "send back": f"{own(ready)}ask/send_back/",
        "in doubt": f"{own(running)}in-doubt/",
        "close what is in doubt": f"{own(running)}ask/close_in_doubt/",
        "close some of it": f"{own(running)}ask/close_in_doubt/?some=1&message={unanswered.pk}",
        "late": own(late),
        "ask for a proof": f"{own(draft)}proof/",
        "proof": own(proof),
        "failures": f"{own(running)}failures/",
        "excluded": f"{own(ready)}excluded/",
        "calendar": f"{DELIVERIES}calendar/",
        "audit": "/admin/deliveries/auditline/",
        "why": f"{DELIVERIES}why/?address=person1@example.org&delivery={running.pk}",
        "preview": f"{own(draft)}preview/",
        "faulty preview": f"{own(faulty)}preview/",
        "log": f"{own(running)}log/",
        "empty log": f"{own(draft)}log/",
        "templates": "/admin/deliveries/deliverytemplate/",
        "template": f"/admin/deliveries/deliverytemplate/{template.pk}/change/",
        "new template": "/admin/deliveries/deliverytemplate/add/",
        "duplicate": f"/admin/deliveries/deliverytemplate/{template.pk}/duplicate/",
        "save as template": f"{own(draft)}save-as-template/",
        "archives": "/admin/deliveries/archive/",
        "archive": f"/admin/deliveries/archive/{archive.pk}/change/",
        "defaults": f"/admin/deliveries/platformdefaults/{PlatformDefaults.objects.ensured().pk}/change/",
        "report": f"{own(followed)}report/",
        "empty report": f"{own(draft)}report/",
        "count again": f"{own(followed)}report/recount/",
        "digest": f"{DELIVERIES}digest/",
        "hot clicks": f"{own(followed)}report/hot-clicks/",
        "comparison": f"{DELIVERIES}compare/?delivery={followed.pk}&delivery={running.pk}",
        "longer": f"{own(running)}ask/extend_resources/",
        "archive again": f"{own(running)}ask/archive_again/",
        "give up copies": f"{own(unarchived)}ask/give_up_copies/",
        "block": f"/admin/deliveries/personalizationblock/{block.pk}/change/",
        "keys": "/admin/deliveries/dkimkey/",
        "new key": "/admin/deliveries/dkimkey/add/",
        "key": f"/admin/deliveries/dkimkey/{key.pk}/change/",
        "retire": f"/admin/deliveries/dkimkey/{key.pk}/retire/",
        "mailboxes": "/admin/bounces/bouncemailbox/",
        "mailbox": f"/admin/bounces/bouncemailbox/{mailbox.pk}/change/",
        "route": f"/admin/deliveries/route/{Route.objects.get(is_default=True).pk}/change/",
    }


def own(made: Delivery) -> str:
    """The address of a delivery's page."""
    return f"{DELIVERIES}{made.pk}/"
