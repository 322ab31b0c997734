"""Queries: the compiled form finds whom the Python evaluation finds, and no value gets out of its quotes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from psycopg import sql

from recipients.models import AttributeKind, ListMembership, Recipient, Service, Subscription
from recipients.queries.ask import count, finds
from recipients.queries.compile import compiled
from recipients.queries.definition import QueryProblem
from tests.factories import attribute, recipient, recipient_list
from tests.recipients.queries.evaluation import holds

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 17, 12, tzinfo=UTC)
TEXT = "abcABC %_\\'\"é;-{}"
KINDS = {"city": "text", "points": "number", "born": "date", "vip": "boolean"}

texts = st.text(TEXT, min_size=1, max_size=4).filter(lambda text: text.strip())
numbers = st.integers(-3, 3) | st.sampled_from([0.5, -1.5])
days = st.integers(1, 5)
dates = st.integers(-8, 8).map(lambda offset: (AT + timedelta(days=offset)).date().isoformat())


def condition(field: str, values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(sorted(values)).flatmap(
        lambda operator: values[operator].map(lambda value: {"field": field, "is": operator, "value": value})
    )


def pairs(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.tuples(values, values).map(list)


nothing = st.none()
of_text = {
    **dict.fromkeys(("equals", "differs", "contains", "lacks", "begins", "ends"), texts),
    **dict.fromkeys(("in", "not_in"), st.lists(texts, min_size=1, max_size=3).map("\n".join)),
    **dict.fromkeys(("empty", "filled"), nothing),
}
of_number = {
    **dict.fromkeys(("equals", "differs", "below", "above", "at_most", "at_least"), numbers),
    "between": pairs(numbers),
    **dict.fromkeys(("empty", "filled"), nothing),
}
of_date = {
    **dict.fromkeys(("on", "before", "after"), dates),
    "between": pairs(dates),
    **dict.fromkeys(("past_days", "next_days", "not_past_days"), days),
    **dict.fromkeys(("empty", "filled"), nothing),
}
of_boolean = dict.fromkeys(("yes", "no", "empty", "filled"), nothing)

conditions = st.one_of(
    condition("first_name", of_text),
    condition("address", of_text),
    condition("attribute.city", of_text),
    condition("attribute.points", of_number),
    condition("attribute.born", of_date),
    condition("attribute.vip", of_boolean),
    condition("list", dict.fromkeys(("in", "not_in"), st.just("LIST"))),
)
groups = st.recursive(
    conditions,
    lambda items: st.fixed_dictionaries(
        {"match": st.sampled_from(["all", "any", "none"]), "items": st.lists(items, min_size=1, max_size=3)}
    ),
    max_leaves=6,
).map(lambda item: item if "items" in item else {"match": "all", "items": [item]})

anything = st.one_of(texts, numbers, dates, st.booleans(), st.none(), st.just("2026-13-45"), st.just("infinity"))
people = st.lists(
    st.fixed_dictionaries(
        {
            "first_name": st.text(TEXT, max_size=4),
            "has_address": st.booleans(),
            "on_list": st.booleans(),
            "attributes": st.dictionaries(st.sampled_from(sorted(KINDS)), anything, max_size=4),
        }
    ),
    min_size=1,
    max_size=5,
)


def found(definition: Any) -> set[int]:
    statement = sql.SQL("SELECT id FROM recipients_recipient recipient WHERE {}").format(compiled(definition, at=AT))
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor))
        return {pk for (pk,) in cursor.fetchall()}


def with_list(item: dict[str, Any], pk: int) -> dict[str, Any]:
    if "items" in item:
        return {**item, "items": [with_list(each, pk) for each in item["items"]]}
    return {**item, "value": str(pk)} if item["value"] == "LIST" else item


class CompiledQueries(TestCase):
    """In the form that hypothesis needs to undo each example."""

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(definition=groups, described=people)
    def test_it_finds_whom_the_python_evaluation_finds(self, definition: Any, described: list[dict[str, Any]]) -> None:
        for name, kind in KINDS.items():
            attribute(name, AttributeKind(kind))
        chosen = recipient_list()
        made = []
        for number, values in enumerate(described):
            address = f"abc{number}@example.org" if values["has_address"] else None
            person = Recipient.objects.create(
                address=address, first_name=values["first_name"], attributes=values["attributes"]
            )
            if values["on_list"]:
                ListMembership.objects.create(list=chosen, recipient=person)
            made.append(person)
        definition = with_list(definition, chosen.pk)

        assert found(definition) == {person.pk for person in made if holds(definition, person, KINDS, AT)}


def one(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"match": "all", "items": [{"field": field, "is": operator, "value": value}]}


HOSTILE = [
    "'; DROP TABLE recipients_recipient; --",
    "' OR '1'='1",
    "\\'; SELECT pg_sleep(10) --",
    "%s %(x)s {} {0} %%",
    "$$ $1 :name",
    "E'\\x27'",
    "\u202e\u0000"[:1],
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("operator", ["equals", "contains", "begins", "ends", "in", "lacks", "differs", "not_in"])
def test_a_hostile_text_stays_a_text(text: str, operator: str) -> None:
    same = recipient(first_name=text)
    recipient("other@example.org", first_name="Ada")

    ids = found(one("first_name", operator, text))

    assert (same.pk in ids) == (operator not in {"lacks", "differs", "not_in"})
    assert Recipient.objects.count() == 2


@pytest.mark.parametrize("pattern", ["%", "_", "a%", "\\"])
def test_signs_of_patterns_are_plain_characters(pattern: str) -> None:
    recipient(first_name="ada")

    assert found(one("first_name", "contains", pattern)) == set()


@pytest.mark.parametrize(
    ("definition", "word"),
    [
        (None, "group"),
        ([], "group"),
        ({}, "all, any nor none"),
        ({"match": "all", "items": []}, "empty"),
        ({"match": "all", "items": [{}]}, "no field"),
        ({"match": "all", "items": [3]}, "no field"),
        (one("nonsense", "equals", "x"), "no field"),
        (one("id); DROP TABLE x; --", "equals", "x"), "no field"),
        (one("first_name", "sounds_like", "x"), "cannot be asked"),
        (one("first_name", "equals", ""), "Write a text"),
        (one("first_name", "equals", {"a": 1}), "Write a text"),
        (one("first_name", "equals", "\x00"), "character"),
        (one("first_name", "equals", "\ud800"), "character"),
        (one("created_at", "on", "infinity"), "date"),
        (one("created_at", "on", "0001-01-01"), "date"),
        (one("created_at", "past_days", 10**9), "days"),
        (one("created_at", "past_days", 1.5), "days"),
        (one("created_at", "between", ["2026-01-01"]), "both ends"),
        (one("consent", "equals", "perhaps"), "Choose again"),
        (one("list", "in", "999999"), "Choose again"),
        (one("list", "in", "1 OR 1=1"), "Choose again"),
    ],
)  # fmt: skip
def test_it_says_what_is_wrong_with_a_query(definition: Any, word: str) -> None:
    with pytest.raises(QueryProblem, match=word):
        compiled(definition)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e99", "1; DROP TABLE x", True, None, [1]])
def test_a_number_is_a_number(number: Any) -> None:
    attribute("points", AttributeKind.NUMBER)

    with pytest.raises(QueryProblem, match="number"):
        compiled(one("attribute.points", "equals", number))


def test_a_query_has_bounds() -> None:
    deep: dict[str, Any] = one("first_name", "filled")
    for _ in range(10):
        deep = {"match": "any", "items": [deep]}

    with pytest.raises(QueryProblem, match="most"):
        compiled(deep)
    with pytest.raises(QueryProblem, match="most"):
        compiled({"match": "any", "items": one("first_name", "filled")["items"] * 500})


def test_it_knows_consent_blocks_and_services() -> None:
    service = Service.objects.create(name="News")
    agreed, withdrew = recipient("a@example.org"), recipient("b@example.org")
    Subscription.objects.create(service=service, recipient=agreed)
    Subscription.objects.create(service=service, recipient=withdrew, withdrawn_at=AT)

    assert found(one("service", "in", str(service.pk))) == {agreed.pk}
    assert found(one("service", "not_in", str(service.pk))) == {withdrew.pk}
    assert found(one("denylisted", "yes")) == set()
    assert found(one("quarantined", "no")) == {agreed.pk, withdrew.pk}
    assert finds(one("service", "in", str(service.pk)), agreed.pk)
    assert not finds(one("service", "in", str(service.pk)), withdrew.pk)
    assert count(one("created_at", "past_days", 1)) == 2
