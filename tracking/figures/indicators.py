"""The indicators of deliveries: each with the sentence that says what is counted and what it is a share of.

:func:`sums_of` reads the sums that are kept, a handful of queries for any number of deliveries of any size;
:func:`indicators` is arithmetic alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Count, F, Q, Sum

from deliveries.models import Delivery, message_range
from deliveries.models.message import NUMBER_BITS
from deliveries.sending.verdict import FailureType, Reason
from deliveries.states import MessageState
from recipients.models import Consent, ConsentEvent, Quarantine, QuarantineStatus
from tracking.figures.models import Dimension, EventTally, LogCount, LogTally

EVENTS = ("opens", "clicks", "mirror_views", "opened", "clicked", "viewed")
"""Sums of people; the same with ``all_`` before it is of people and machines."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What is known of a delivery, in messages or (``opens``, ``clicks``, ``mirror_views``) in events."""

    to_deliver: int = 0
    sent: int = 0
    hard: int = 0
    soft: int = 0
    ignored: int = 0
    unqualified: int = 0
    """Failed, and no failure type is known."""
    in_doubt: int = 0
    complaints: int = 0
    """Among the failed ones: the recipient called it spam."""
    text_only: int = 0
    opens: int = 0
    clicks: int = 0
    mirror_views: int = 0
    opened: int = 0
    clicked: int = 0
    viewed: int = 0
    opt_outs: int = 0
    quarantines: int = 0
    machines: bool = False
    """Events of machines are among those of people."""

    @property
    def failed(self) -> int:
        """Messages that failed, whatever the failure type."""
        return self.hard + self.soft + self.ignored + self.unqualified

    @property
    def processed(self) -> int:
        """Messages with an outcome."""
        return self.sent + self.failed + self.in_doubt


@dataclass(frozen=True, slots=True)
class Indicator:
    """One figure. ``of`` and ``of_label`` are the denominator; ``None`` where a share would say nothing."""

    name: str
    label: str
    value: int | float | None
    """A number of messages, people or events; a share from 0 to 1 where ``is_share``, ``None`` when nothing is there
    to divide by."""
    help: str
    of: int | None = None
    of_label: str = ""
    is_share: bool = False

    @property
    def share(self) -> float | None:
        """The part of the denominator, from 0 to 1 (more where totals are counted); ``None`` without one."""
        if self.is_share:
            return self.value
        return self.value / self.of if self.of and self.value is not None else None


def sums_of(deliveries: Iterable[Delivery], *, machines: bool = False) -> Mapping[int, Sums]:
    """The sums of each delivery by its id; ``machines``: with what machines did. Five queries."""
    by_id = {delivery.pk: delivery for delivery in deliveries}
    found: dict[int, dict[str, int]] = {pk: defaultdict(int) for pk in by_id}
    if not by_id:
        return {}
    prefix = "all_" if machines else ""
    columns = [f"{prefix}{name}" for name in EVENTS]
    totals = EventTally.objects.filter(delivery_id__in=by_id, dimension=Dimension.TOTAL, key="")
    for pk, *counts in totals.values_list("delivery_id", *columns):
        found[pk].update(zip(EVENTS, counts, strict=True))
    _add_log(found)
    for pk, text_only in LogCount.objects.filter(pk__in=by_id).values_list("pk", "text_only"):
        found[pk]["text_only"] = text_only
    for pk, count in _opt_outs(by_id):
        found[pk]["opt_outs"] = count
    quarantined = Quarantine.objects.filter(delivery_id__in=by_id, status=QuarantineStatus.QUARANTINE)
    for pk, count in quarantined.order_by().values_list("delivery_id").annotate(Count("pk")):
        found[pk]["quarantines"] = count
    return {pk: Sums(to_deliver=by_id[pk].to_deliver or 0, machines=machines, **counts) for pk, counts in found.items()}


_FAILURE = {FailureType.HARD: "hard", FailureType.SOFT: "soft", FailureType.IGNORED: "ignored"}


def _add_log(found: Mapping[int, dict[str, int]]) -> None:
    rows = LogTally.objects.filter(delivery_id__in=found, hour=None).order_by()
    grouped = rows.values_list("delivery_id", "state", "failure_type", "reason").annotate(Sum("count"))
    for pk, state, failure_type, reason, count in grouped:
        if state == MessageState.SENT:
            found[pk]["sent"] += count
        elif state == MessageState.IN_DOUBT:
            found[pk]["in_doubt"] += count
        elif state == MessageState.FAILED:
            found[pk][_FAILURE.get(failure_type, "unqualified")] += count
            if reason == Reason.DENYLISTED_ADDRESS:
                found[pk]["complaints"] += count


def _opt_outs(delivery_ids: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Messages whose link or header somebody used to withdraw a consent, by delivery."""
    ranges = reduce(or_, (Q(message_id__range=message_range(pk)) for pk in delivery_ids))
    withdrawn = ConsentEvent.objects.filter(ranges, state=Consent.WITHDRAWN).order_by()
    return withdrawn.values_list(F("message_id").bitrightshift(NUMBER_BITS)).annotate(
        Count("message_id", distinct=True)
    )


def estimated(opens: int, to_deliver: int, text_only: int) -> int:
    """Opens as there would be if messages without HTML could report them, rounded half up; 0 when none can."""
    can_report = to_deliver - text_only
    return (2 * opens * to_deliver + can_report) // (2 * can_report) if can_report > 0 else 0


def indicators(sums: Sums) -> tuple[Indicator, ...]:
    """Every indicator, in the order in which people read them."""
    return (*_of_sending(sums), *_of_opens(sums), *_of_clicks(sums), *_of_wishes(sums))


TO_DELIVER = "messages to deliver"
PROCESSED = "processed messages"
SUCCESS = "successful messages"


def _of_sending(sums: Sums) -> Iterable[Indicator]:
    yield Indicator(
        "to_deliver",
        "To deliver",
        sums.to_deliver,
        "Messages that the analysis wrote for the target. Proofs and seed addresses are in no figure.",
    )
    yield Indicator(
        "processed",
        "Processed",
        sums.processed,
        "Messages with an outcome (success, errors and in doubt), divided by the messages to deliver.",
        sums.to_deliver,
        TO_DELIVER,
    )
    yield Indicator(
        "success",
        "Success",
        sums.sent,
        "Messages that a server took and that did not come back, divided by the processed messages. It may still go "
        "down while bounces come in.",
        sums.processed,
        PROCESSED,
    )
    yield Indicator(
        "errors",
        "Errors",
        sums.failed,
        "Messages that were refused, came back or could not be made, divided by the processed messages.",
        sums.processed,
        PROCESSED,
    )
    for name, label, value, what in (
        ("hard", "Hard errors", sums.hard, "whose address is invalid"),
        ("soft", "Soft errors", sums.soft, "that failed for a reason that may be temporary"),
        ("ignored", "Ignored errors", sums.ignored, "that failed for a reason that says nothing about the address"),
    ):
        yield Indicator(
            name, label, value, f"Messages {what}, divided by the processed messages.", sums.processed, PROCESSED
        )
    yield Indicator(
        "quarantines",
        "New quarantines",
        sums.quarantines,
        "Addresses that are in quarantine because of this delivery, divided by the processed messages.",
        sums.processed,
        PROCESSED,
    )


def _of_opens(sums: Sums) -> Iterable[Indicator]:
    who = _who(sums)
    yield Indicator(
        "distinct_opens",
        "Distinct opens",
        sums.opened,
        f"Messages that were opened, clicked or looked at as mirror page at least once{who}, divided by the successful "
        "messages. Who clicks has opened.",
        sums.sent,
        SUCCESS,
    )
    yield Indicator(
        "total_opens",
        "Total opens",
        sums.opens,
        f"All opens{who}; one recipient may open many times, so there is no share.",
    )
    yield Indicator(
        "estimated_distinct_opens",
        "Estimated distinct opens",
        estimated(sums.opened, sums.to_deliver, sums.text_only),
        "Distinct opens × messages to deliver ÷ messages to deliver with HTML: messages of text alone cannot report "
        "an open. Divided by the successful messages.",
        sums.sent,
        SUCCESS,
    )
    yield Indicator(
        "estimated_total_opens",
        "Estimated total opens",
        estimated(sums.opens, sums.to_deliver, sums.text_only),
        "Total opens × messages to deliver ÷ messages to deliver with HTML. No share, as of total opens.",
    )


def _of_clicks(sums: Sums) -> Iterable[Indicator]:
    who = _who(sums)
    guess = estimated(sums.opened, sums.to_deliver, sums.text_only)
    left_out = "Links to the mirror page, out of the newsletter and untracked ones do not count."
    yield Indicator(
        "clicked",
        "Recipients who clicked",
        sums.clicked,
        f"Messages with at least one click on a tracked link{who}, divided by the successful messages. {left_out}",
        sums.sent,
        SUCCESS,
    )
    yield Indicator(
        "total_clicks",
        "Total clicks",
        sums.clicks,
        f"All clicks on tracked links{who}; one recipient may click many times, so there is no share. {left_out}",
    )
    yield Indicator(
        "raw_reactivity",
        "Raw reactivity",
        sums.clicked / sums.opened if sums.opened else None,
        "Recipients who clicked, divided by the distinct opens.",
        sums.opened,
        "distinct opens",
        is_share=True,
    )
    yield Indicator(
        "estimated_reactivity",
        "Estimated reactivity",
        sums.clicked / guess if guess else None,
        "Recipients who clicked, divided by the estimated distinct opens.",
        guess,
        "estimated distinct opens",
        is_share=True,
    )


def _of_wishes(sums: Sums) -> Iterable[Indicator]:
    who = _who(sums)
    yield Indicator(
        "mirror_views",
        "Mirror page views",
        sums.mirror_views,
        f"All looks at mirror pages{who}; one recipient may look many times, so there is no share.",
    )
    yield Indicator(
        "viewed",
        "Recipients at the mirror page",
        sums.viewed,
        f"Messages whose mirror page was looked at{who}, divided by the successful messages.",
        sums.sent,
        SUCCESS,
    )
    yield Indicator(
        "opt_outs",
        "Opt-outs",
        sums.opt_outs,
        "Messages by whose link or header somebody unsubscribed (also those who took it back), divided by the "
        "successful messages.",
        sums.sent,
        SUCCESS,
    )
    yield Indicator(
        "complaints",
        "Complaints",
        sums.complaints,
        "Messages that recipients called spam, as far as providers report it, divided by the successful messages. They "
        "are among the errors.",
        sums.sent,
        SUCCESS,
    )


def _who(sums: Sums) -> str:
    return " by people or machines" if sums.machines else " by people"
