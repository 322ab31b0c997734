"""Write the messages of a delivery: one pass inside the database, no row through Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import LiteralString

from django.db import connection
from psycopg import sql

from campaign.lib.sql import statements
from deliveries.analysis.target import target
from deliveries.models import AbTest, Delivery, message_range
from deliveries.rendering.compile import MAIL_FORMAT, MAY_BE_TRACKED
from deliveries.states import MessageState
from deliveries.waves import Wave
from deliveries.zones import moments

SQL = statements(Path(__file__).parent / "sql")

COLUMNS = frozenset({"address", "first_name", "last_name", "language", "time_zone", "mail_format", "may_be_tracked"})
"""Recipient fields that are columns; every other one is a custom attribute."""

MOST_IN_A_PART, FEWEST_IN_A_PART = 500, 50
PARTS_AT_LEAST = 40
"""Where the size is automatic. With few parts a small delivery would have few connections, and leave all others to a
large one beside it."""

TESTING_FIRST = "CASE WHEN lot <= test_people THEN lot END, recipient_id, line"


@dataclass(frozen=True, slots=True)
class Population:
    """Result of computing a target: people found (with repetitions) and messages to write."""

    found: int
    to_deliver: int
    moments: tuple[tuple[datetime, int], ...] = ()
    """When how many people have the contact date in their own time zones; empty when one moment counts for all."""
    test: int = 0
    """Messages of the A/B test, which come first."""


def forget(delivery_id: int) -> None:
    """Remove what an earlier analysis of this delivery wrote."""
    first, last = message_range(delivery_id)
    with connection.cursor() as cursor:
        cursor.execute(SQL["forget_values"], {"first": first, "last": last})
        cursor.execute(SQL["forget_messages"], {"first": first, "last": last})


def select_target(delivery: Delivery, test: AbTest | None = None) -> Population:
    """Compute the target into a temporary table of this transaction and keep the exclusions with their reasons.

    With an A/B test the people who test come first, in the order of their lots.

    Raises :class:`recipients.queries.definition.QueryProblem` when a query cannot be used any more.
    """
    found = target(delivery)
    local = delivery.local_contact
    if local is not None:
        statement = _select(_with_moment(delivery, local, found), order="moment, recipient_id, line")
    elif test is not None:
        statement = _select(_with_lot(delivery, test, found), order=TESTING_FIRST)
    else:
        statement = _select(found, order="recipient_id, line")
    with connection.cursor() as cursor:
        cursor.execute(SQL["forget_target"])
        cursor.execute(statement.as_string(cursor.cursor))
        cursor.execute(SQL["count_population"])
        number, to_deliver = cursor.fetchone()
        cursor.execute(SQL["write_exclusions"], {"delivery": delivery.pk})
        if local is not None:
            cursor.execute(SQL["count_moments"])
            return Population(int(number), int(to_deliver), tuple(cursor.fetchall()))
        if test is not None:
            cursor.execute(SQL["count_test"])
            return Population(int(number), int(to_deliver), test=int(cursor.fetchone()[0]))
    return Population(int(number), int(to_deliver))


def _select(found: sql.Composable, *, order: LiteralString) -> sql.Composable:
    return sql.SQL(SQL["select_target"]).format(target=found, order=sql.SQL(order))


def _with_moment(delivery: Delivery, local: datetime, found: sql.Composable) -> sql.Composable:
    by_zone = moments(local)
    return sql.SQL(SQL["with_moment"]).format(
        target=found,
        moment=sql.Literal(delivery.contact_at),
        zones=sql.Literal(list(by_zone)),
        moments=sql.Literal(list(by_zone.values())),
    )


def _with_lot(delivery: Delivery, test: AbTest, found: sql.Composable) -> sql.Composable:
    return sql.SQL(SQL["with_lot"]).format(
        target=found,
        variants=sql.Literal(test.variants.count()),
        share=sql.Literal(str(test.share)),
        draw=sql.Literal(delivery.draw + 1),
    )


def write_messages(
    delivery_id: int, contents: Sequence[int], rest: int | None, fields: Sequence[str], seeds: Sequence[int]
) -> None:
    """Write a message and its values for each person of the selected target (same transaction).

    Everybody gets the one content; where ``rest`` is given, the people who test get ``contents`` in turn and the others
    ``rest``.
    ``seeds``: before which of these persons (counted from 1, in order) a number is left free for a seed address.
    """
    first, _ = message_range(delivery_id)
    place = sql.SQL("number + width_bucket(number, {}::bigint[])").format(sql.Literal(list(seeds)))
    content: sql.Composable = sql.Literal(contents[0])
    if rest is not None:
        content = sql.SQL(SQL["content_by_lot"]).format(
            contents=sql.Literal(list(contents)), variants=sql.Literal(len(contents)), rest=sql.Literal(rest)
        )
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(SQL["write_messages"]).format(place=place, content=content).as_string(cursor.cursor),
            {"first": first, "pending": MessageState.PENDING.value},
        )
        statement = sql.SQL(SQL["write_values"]).format(values=_values(fields), place=place)
        cursor.execute(statement.as_string(cursor.cursor), {"first": first})


def write_proof(proof: Delivery, content_id: int, fields: Sequence[str]) -> None:
    """Write a message and its values for each line of a proof. They belong to nobody, so that nothing done with a proof
    touches the person whose data it shows."""
    first, _ = message_range(proof.pk)
    given = {
        "first": first,
        "content": content_id,
        "pending": MessageState.PENDING.value,
        "delivery": proof.pk,
        "file": proof.target_file_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL["write_proof_messages"], given)
        values = sql.SQL(", ").join(map(_proof_expression, fields))
        statement = sql.SQL(SQL["write_proof_values"]).format(values=values)
        cursor.execute(statement.as_string(cursor.cursor), given)


def automatic_size(messages: int) -> int:
    """How many of so many messages one worker takes at a time where nobody says it."""
    return min(max(messages // PARTS_AT_LEAST, FEWEST_IN_A_PART), MOST_IN_A_PART)


def write_parts(delivery_id: int, waves: Sequence[Wave], part_size: int) -> None:
    """Cut the messages into parts of ``part_size`` (0 = automatic), none of them in two waves."""
    first, _ = message_range(delivery_id)
    ends = list(accumulate(wave.messages for wave in waves))
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["write_parts"],
            {
                "delivery": delivery_id,
                "first": first,
                "ends": ends,
                "starts": [1, *(end + 1 for end in ends[:-1])],
                "size": part_size or automatic_size(sum(wave.messages for wave in waves)),
            },
        )


def _values(fields: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(_expression(path) for path in fields)


def _proof_expression(path: str) -> sql.Composable:
    """What a seed address lacks is filled from the recipient, as in the real send."""
    if path == MAIL_FORMAT:
        return sql.SQL("proof.mail_format")
    if path == MAY_BE_TRACKED:
        return sql.SQL("true")  # whoever asks for a proof wants to see it as it is
    root, _, name = path.partition(".")
    if root == "file":
        return _expression(path)
    own = (
        sql.SQL("nullif(seed.{}, '')").format(sql.Identifier(name))
        if name in COLUMNS
        else sql.SQL("nullif(nullif(seed.attributes -> {}, '\"\"'), 'null')").format(sql.Literal(name))
    )
    return sql.SQL("coalesce({}, {})").format(own, _expression(path))


def _expression(path: str) -> sql.Composable:
    root, _, name = path.partition(".")
    if root == "file":
        return sql.SQL("line.values -> {}").format(sql.Literal(name))
    if name in COLUMNS:
        return sql.SQL("recipient.{}").format(sql.Identifier(name))
    return sql.SQL("recipient.attributes -> {}").format(sql.Literal(name))
