"""Which messages are tried: the first ones, and those whose values are unlike the others'."""

import pytest

from deliveries.analysis import sample
from deliveries.analysis.checks import personalization
from deliveries.analysis.patterns import telling_messages
from deliveries.models import Delivery, Message
from recipients.models import AttributeDefinition, Recipient
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

MANY = 300


@pytest.fixture(autouse=True)
def attributes() -> None:
    for name in ("level", "points", "born", "note"):
        AttributeDefinition.objects.create(name=name, label=name)


def crowd(html: str, **rare: dict) -> Delivery:
    """A delivery to many people alike, but for some of them: ``p250={"level": "gold"}``."""
    target = factories.people(MANY)
    target.recipients.update(attributes={"level": "plain", "points": 5, "born": "1990-01-01", "note": "x"})
    for number, values in rare.items():
        Recipient.objects.filter(address=f"person{number[1:]}@example.org").update(attributes=values)
    return factories.delivery(target, html=html)


def told(made: Delivery) -> set[str]:
    """Addresses of the messages that are chosen for their values."""
    material = factories.tried(made)
    assert material.compiled is not None
    ids = telling_messages(made.pk, material.compiled, sample.TELLING)
    return set(Message.objects.filter(pk__in=ids).values_list("address", flat=True)) - {"person1@example.org"}


@pytest.mark.parametrize(
    ("html", "values"),
    [
        ('{% if recipient.level == "gold" %}a{% endif %}', {"level": "gold"}),
        ('{% if recipient.level|lower == "gold" %}a{% endif %}', {"level": " GOLD"}),
        ('{% if "gold" in recipient.level %}a{% endif %}', {"level": "old gold member"}),
        ('{% set v = recipient.level %}{% if v == "gold" %}a{% endif %}', {"level": "gold"}),
        ("{{ recipient.level }}", {"level": ""}),
        ("{{ recipient.level }}", {"level": " "}),
        ("{{ recipient.level }}", {"level": "two\nlines"}),
        ("{{ recipient.level }}", {"level": None}),
        ("{{ recipient.level }}", {}),
        ("{{ recipient.level }}", {"level": "x" * 500}),
        ("{{ recipient.level }}", {"level": 7}),
        ("{{ recipient.level }}", {"level": True}),
        ("{{ recipient.level }}", {"level": []}),
        ("{% if recipient.points > 100 %}a{% endif %}", {"points": 101}),
        ("{% if recipient.points|int > 100 %}a{% endif %}", {"points": "101"}),
        ("{% if recipient.points == 0.5 %}a{% endif %}", {"points": 0.5}),
        ("{{ recipient.points + 1 }}", {"points": "five"}),
        ("{{ recipient.born|date }}", {"born": "no date"}),
    ],
)
def test_a_value_that_changes_the_way_of_one_message_among_many_is_tried(html: str, values: dict):
    full = {"level": "plain", "points": 5, "born": "1990-01-01", "note": "x"} if values else {}

    assert told(crowd(html, p250={**full, **values})) == {"person250@example.org"}


def test_words_that_merely_differ_are_no_reason():
    names = crowd("{{ recipient.first_name }}")

    assert told(names) == set()


def test_each_combination_of_missing_values_is_tried():
    base = {"points": 5, "born": "1990-01-01"}
    made = crowd(
        "{{ recipient.level }} {{ recipient.note }}",
        p201={**base, "level": "plain"},
        p202={**base, "note": "x"},
        p203=base,
    )

    assert told(made) == {f"person{number}@example.org" for number in (201, 202, 203)}


def test_many_patterns_leave_none_of_the_single_traits_untried(monkeypatch: pytest.MonkeyPatch):
    made = crowd(
        "{{ recipient.level }} {{ recipient.note }}", p201={"level": "plain"}, p202={"note": "x"}, p203={"note": ""}
    )
    material = factories.tried(made)
    assert material.compiled is not None

    chosen = telling_messages(made.pk, material.compiled, 4)

    addresses = set(Message.objects.filter(pk__in=chosen).values_list("address", flat=True))
    assert len(addresses) == 4


@pytest.mark.parametrize("hostile", ["'; DROP TABLE deliveries_message; --", "%s %(x)s {}", "\\", "𝔘𝔫𝔦", "a\x01b"])
def test_hostile_constants_and_values_stay_values(hostile: str):
    written = hostile.replace("\\", "\\\\").replace("'", "\\'")
    made = crowd(f"{{% if recipient.level == '{written}' %}}a{{% endif %}}", p250={"level": hostile})

    assert "person250@example.org" in told(made)


def test_what_one_among_many_breaks_is_found_and_so_are_ways_that_nobody_goes():
    html = (
        "{% if recipient.level == 'gold' %}{{ recipient.points + 1 }}{% else %}plain{% endif %}"
        "{% if recipient.level == 'silvr' %}misspelt{% endif %}"
        "{% if recipient.first_name %}name{% else %}no name{% endif %}"
    )
    material = factories.tried(
        crowd(html, p250={"level": "gold", "points": "many"}, p251={"level": "gold", "points": 1})
    )

    (cannot,) = personalization.messages_can_be_made(material)
    (nobody,) = personalization.branches_are_taken(material)

    assert "1 of the" in cannot
    assert "person250@example.org" in cannot
    assert "silvr" in nobody
    assert "gold" not in nobody
    assert "else" not in nobody


def test_the_example_is_one_whole_mail_and_sizes_are_kept_of_all():
    taken = factories.tried(factories.delivery(factories.people(3))).sample

    assert taken.example is not None
    assert taken.example.data.startswith((b"Date:", b"DKIM-Signature:"))
    assert len(taken.made) == 3
    assert all(one.size > one.html_size > 100 for one in taken.made)


def test_a_content_that_takes_long_holds_nothing_up(monkeypatch: pytest.MonkeyPatch):
    made = factories.tried(factories.delivery(factories.people(20)))
    monkeypatch.setattr(sample, "SECONDS", -1)

    assert made.sample.tried == 0
    assert list(personalization.branches_are_taken(made)) == []
