"""Who gets a delivery: lists, queries and a file, less what is excluded, as one SQL statement."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg import sql

from campaign.lib.sql import statements
from deliveries.models import Delivery, ExclusionReason, ShareMode
from recipients.models import RecipientList, SavedQuery
from recipients.queries.compile import compiled
from recipients.queries.definition import QueryProblem

SQL = statements(Path(__file__).parent / "sql")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an analysis would find now: people found (with repetitions), messages, and those left out by reason."""

    found: int
    to_deliver: int
    excluded: tuple[tuple[ExclusionReason, int], ...]


def target(delivery: Delivery) -> sql.Composable:
    """``SELECT recipient_id, line, times, address, reason``: everybody found, with why they are left out (NULL: they
    are not). ``line`` is the file's line about them.

    Raises :class:`recipients.queries.definition.QueryProblem` when a query cannot be used any more.
    """
    found = judged(delivery)
    if not (delivery.limit_mode or delivery.control_mode):
        return found
    sample = _share(delivery.limit_mode, delivery.limit_size, sql.SQL("people"))
    of_sample = sql.SQL("least(people, {})").format(sample or sql.SQL("people"))
    control = _share(delivery.control_mode, delivery.control_size, of_sample)
    return _sql(
        "drawn_target",
        judged=found,
        draw=sql.Literal(delivery.draw),
        sample=sample or sql.SQL("people"),
        control=control or sql.SQL("0"),
    )


def judged(delivery: Delivery) -> sql.Composable:
    """The same before sample and control group are drawn. Raises as :func:`target`."""
    return _sql(
        "judged_target",
        records=_records(delivery),
        barred=_union(_lists(delivery.excluded_lists.all()) + _queries(delivery.excluded_queries.all())),
        denylisted=sql.Literal(delivery.exclude_denylisted),
        quarantined=sql.Literal(delivery.exclude_quarantined),
        consent=sql.Literal(delivery.consent_service_id is not None),
        service=sql.Literal(delivery.consent_service_id or 0),
    )


def estimate(delivery: Delivery) -> Estimate:
    """Count what an analysis would find; nothing is written. Raises as :func:`target`."""
    counts = {reason: (people, times) for reason, people, times in _rows(_sql("estimate", target=target(delivery)))}
    excluded = {reason: people for reason, (people, _) in counts.items() if reason}
    found = sum(times for _, times in counts.values())
    if repeated := found - sum(people for people, _ in counts.values()):
        excluded[ExclusionReason.DUPLICATE] = repeated
    return Estimate(
        found=found,
        to_deliver=counts.get(None, (0, 0))[0],
        excluded=tuple((ExclusionReason(reason), excluded[reason]) for reason in sorted(excluded)),
    )


def judge(delivery: Delivery, recipient_id: int) -> tuple[bool, ExclusionReason | None]:
    """Whether a recipient is found by the target as it is now, and why they would be left out (before sample and
    control group). Raises as :func:`target`."""
    rows = _rows(_sql("judge_one", judged=judged(delivery), person=sql.Literal(recipient_id)))
    if not rows:
        return False, None
    reason = rows[0][0]
    return True, ExclusionReason(reason) if reason else None


def first_of(delivery: Delivery) -> int | None:
    """The first recipient who is not left out; None when there is nobody. Raises as :func:`target`."""
    rows = _rows(_sql("first_one", judged=judged(delivery)))
    return int(rows[0][0]) if rows and rows[0][0] else None


def some_of(delivery: Delivery, number: int) -> list[int]:
    """Up to ``number`` recipients who are not left out, at random. Raises as :func:`target`."""
    rows = _rows(_sql("some", judged=judged(delivery), number=sql.Literal(number)))
    return [int(recipient_id) for (recipient_id,) in rows]


def _records(delivery: Delivery) -> sql.Composable:
    sources = _lists(delivery.target_lists.all()) + _queries(delivery.target_queries.all())
    once = len(sources) == 1 and delivery.target_lists.count() <= 1
    if delivery.target_file_id is not None:
        sources.append(_sql("people_in_file", file=sql.Literal(delivery.target_file_id)))
        once = False
    if once or (delivery.keep_duplicate_records and not delivery.exclude_duplicates):
        form = "as_often_as_found"
    else:
        form = "once_each" if delivery.exclude_duplicates else "once_a_record"
    return _sql(form, found=_union(sources))


def _lists(chosen: QuerySet[RecipientList]) -> list[sql.Composable]:
    ids = [sql.Literal(pk) for pk in chosen.order_by("pk").values_list("pk", flat=True)]
    return [_sql("people_on_lists", lists=sql.SQL(", ").join(ids))] if ids else []


def _queries(chosen: QuerySet[SavedQuery]) -> list[sql.Composable]:
    return [_sql("people_found", condition=condition(query)) for query in chosen.order_by("pk")]


def condition(query: SavedQuery) -> sql.Composable:
    """The query's condition; what is wrong with it names the query. Raises as :func:`target`."""
    try:
        return compiled(query.definition)
    except QueryProblem as problem:
        raise QueryProblem(f"The query “{query.name}” cannot be used: {problem}") from problem


def _union(sources: list[sql.Composable]) -> sql.Composable:
    return sql.SQL(" UNION ALL ").join(sources) if sources else sql.SQL(SQL["nobody"])


def _share(mode: str, size: float, of: sql.Composable) -> sql.Composable | None:
    """Number of people as SQL; None when there is no such limit."""
    match mode:
        case ShareMode.NUMBER:
            return sql.Literal(int(size))
        case ShareMode.PERCENT:
            return sql.SQL("round({of} * {size}::numeric / 100)").format(of=of, size=sql.Literal(str(size)))
    return None


def _sql(name: str, **parts: sql.Composable) -> sql.Composable:
    return sql.SQL(SQL[name]).format(**parts)


def _rows(statement: sql.Composable) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor))
        return list(cursor.fetchall())
