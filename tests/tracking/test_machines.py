"""Who caused an event."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.clock import now
from deliveries.models import Archive, ArchiveCopy, Delivery, SeedAddress, SeedGroup
from deliveries.rendering.tracking import HONEYPOT
from tests.deliveries import factories
from tests.tracking.deliveries import HTML, left, messages, sent
from tests.tracking.test_flush import FIREFOX, hit
from tracking.afterwards import judge_together
from tracking.default_rules import reset, shipped, update_rules
from tracking.flush import record
from tracking.hit import Hit
from tracking.identity import event_id
from tracking.machines import Judge, cut_off
from tracking.models import Event, MachineRule, Origin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules() -> None:
    update_rules()


def judged(*hits: Hit) -> list[tuple[Origin, str]]:
    """Origin and rule of each."""
    events = record(list(hits), Judge.current())
    keys = {rule.pk: rule.key or "" for rule in MachineRule.objects.all()}
    return [(Origin(event.origin), keys[event.rule_id] if event.rule_id else "") for event in events]


@pytest.mark.parametrize(
    ("values", "origin", "rule"),
    [
        ({}, Origin.PERSON, ""),
        ({"user_agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"},
         Origin.PERSON, "gmail-proxy"),
        ({"user_agent": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"},
         Origin.PERSON, "yahoo-proxy"),
        ({"user_agent": "Mozilla/5.0"}, Origin.MACHINE, "apple-privacy"),
        ({"user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                        "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"},
         Origin.MACHINE, "gmail-prefetch"),
        ({"user_agent": ""}, Origin.MACHINE, "no-user-agent"),
        ({"is_head": True}, Origin.MACHINE, "head"),
        ({"user_agent": "Barracuda Sentinel (EE)"}, Origin.MACHINE, "gateways-by-name"),
        ({"user_agent": "python-requests/2.32"}, Origin.MACHINE, "crawlers"),
        ({"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, Origin.MACHINE, "crawlers"),
        ({"address": "40.107.22.5"}, Origin.MACHINE, "microsoft-networks"),
        ({"address": "2a01:111:f400::9"}, Origin.MACHINE, "microsoft-networks"),
        ({"address": "148.163.150.1"}, Origin.MACHINE, "proofpoint-networks"),
        ({"address": "207.211.31.40"}, Origin.MACHINE, "mimecast-networks"),
        ({"address": "209.222.82.1"}, Origin.MACHINE, "barracuda-networks"),
        ({"address": "nonsense"}, Origin.PERSON, ""),
        ({"link": HONEYPOT}, Origin.MACHINE, "honeypot"),
    ],
)  # fmt: skip
def test_each_rule_that_comes_with_the_project_knows_its_machine(
    values: dict[str, Any], origin: Origin, rule: str
) -> None:
    [message] = messages(sent())

    assert judged(hit(message.pk, **values)) == [(origin, rule)]


def test_what_comes_within_seconds_of_sending_is_a_machine() -> None:
    made = sent()
    left(made, seconds_ago=1)
    [message] = messages(made)

    assert judged(hit(message.pk)) == [(Origin.MACHINE, "delay")]
    left(made, seconds_ago=10)
    assert judged(hit(message.pk)) == [(Origin.PERSON, "")]


def test_what_comes_while_the_message_is_under_way_is_a_machine() -> None:
    made = factories.analysed(factories.delivery(factories.people(1), html=HTML))
    [message] = messages(made)

    assert judged(hit(message.pk)) == [(Origin.MACHINE, "delay")]


def test_an_archive_is_told_by_its_network_or_user_agent() -> None:
    archive = Archive.objects.create(
        name="Vault", address="vault@example.com", networks="198.51.100.0/24", user_agents="VaultReader"
    )
    message, other = messages(sent(2))
    ArchiveCopy.objects.create(message=message, archive=archive, noted_at=now(), next_attempt_at=now())

    assert judged(
        hit(message.pk, address="198.51.100.3"),
        hit(message.pk, user_agent="Mozilla/5.0 VaultReader/1"),
        hit(message.pk),
        hit(other.pk, address="198.51.100.3"),
    ) == [(Origin.ARCHIVE, ""), (Origin.ARCHIVE, ""), (Origin.PERSON, ""), (Origin.PERSON, "")]


def test_proofs_and_seed_addresses_are_trials() -> None:
    main = sent()
    proof = sent(label="Proof")
    Delivery.objects.filter(pk=proof.pk).update(proof_of=main, proof_number=1)
    group = SeedGroup.objects.create(name="Team")
    SeedAddress.objects.create(address="seed@example.com").groups.add(group)
    seeded = factories.delivery(main.target_lists.get(), label="Seeded", html=HTML)
    seeded.seed_groups.add(group)
    left(factories.analysed(seeded))
    by_seed = {bool(message.seed_id): message.pk for message in messages(seeded)}

    found = judged(*(hit(pk) for pk in (messages(proof)[0].pk, by_seed[True], by_seed[False])))

    assert found == [(Origin.TRIAL, ""), (Origin.TRIAL, ""), (Origin.PERSON, "")]


def test_a_rule_that_is_switched_off_decides_nothing() -> None:
    MachineRule.objects.filter(key="apple-privacy").update(is_active=False)
    [message] = messages(sent())

    assert judged(hit(message.pk, user_agent="Mozilla/5.0")) == [(Origin.PERSON, "")]


def test_a_new_version_is_written_unless_somebody_changed_the_rule() -> None:
    MachineRule.objects.filter(key="delay").update(version=0, seconds=99)
    MachineRule.objects.filter(key="burst").update(version=0, seconds=99, is_changed=True)
    MachineRule.objects.filter(key="head").update(is_active=False)

    update_rules()

    seconds = dict(MachineRule.objects.values_list("key", "seconds"))
    assert (seconds["delay"], seconds["burst"]) == (2, 99)
    assert not MachineRule.objects.get(key="head").is_active
    assert MachineRule.objects.count() == len(shipped())


def test_a_changed_rule_can_be_reset() -> None:
    MachineRule.objects.filter(key="burst").update(seconds=99, is_changed=True)

    reset(MachineRule.objects.get(key="burst"))

    rule = MachineRule.objects.get(key="burst")
    assert (rule.seconds, rule.is_changed) == (10, False)


def clicks(message_id: int, content_id: int, *seconds: float) -> list[Hit]:
    """A click on link 1, 2, 3 …, so many seconds ago."""
    return [
        hit(
            message_id, content_id=content_id, link=link, at=now() - timedelta(seconds=ago),
            id=event_id(int((now() - timedelta(seconds=ago)).timestamp() * 1000), link), user_agent=FIREFOX,
        )
        for link, ago in enumerate(seconds, start=1)
    ]  # fmt: skip


def test_whoever_follows_all_links_within_seconds_is_a_machine() -> None:
    fast, slow, some = messages(sent(3))
    content_id = fast.content_id
    hits = [
        *clicks(fast.pk, content_id, 33, 31, 30),
        *clicks(slow.pk, content_id, 200, 100, 50),
        *clicks(some.pk, content_id, 31, 30),
    ]
    record(hits, Judge.current())

    changed, again = judge_together(now()), judge_together(now())

    assert (changed, again) == (3, 0)
    machines = Event.objects.filter(origin=Origin.MACHINE)
    assert set(machines.values_list("message_id", "rule__key")) == {(fast.pk, "burst")}
    assert Event.objects.count() == 8


def test_what_comes_near_the_invisible_link_is_the_same_machine() -> None:
    [message] = messages(sent())
    near, trap, late = clicks(message.pk, message.content_id, 300, 290, 100)
    from dataclasses import replace

    record([near, replace(trap, link=HONEYPOT), late], Judge.current())

    assert judge_together(now()) == 1
    assert Event.objects.get(pk=near.id).origin == Origin.MACHINE
    assert Event.objects.get(pk=late.id).origin == Origin.PERSON


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("", None),
        ("203.0.113.77, 1.2.3.4", None),
    ],
)
def test_an_address_is_cut_off(address: str, network: str | None) -> None:
    assert cut_off(address) == network


@given(st.text(max_size=60))
def test_any_address_and_user_agent_are_judged(text: str) -> None:
    assert cut_off(text) is None or "." in text or ":" in text
