"""The analysis, from the first check to the last message: read it top to bottom.

It runs in one transaction: either everything below is there afterwards, or nothing of it.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import Count
from django.utils import timezone

from campaign.lib.clock import now
from campaign.lib.durations import spell
from deliveries.analysis import checks, freeze, seeds
from deliveries.analysis.bounce_addresses import address_findings
from deliveries.analysis.checks import Finding
from deliveries.analysis.fingerprint import fingerprint
from deliveries.analysis.mirror import mirror_findings
from deliveries.analysis.sample import sample_findings
from deliveries.analysis.source import compile_properties
from deliveries.keys import signing_keys
from deliveries.models import Content, Delivery, Exclusion, ExclusionReason, Level
from deliveries.moves import move, write_journal
from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.compile import Compiled
from deliveries.states import DeliveryState
from deliveries.waves import Wave, WavesProblem
from recipients.queries.definition import QueryProblem

logger = logging.getLogger(__name__)


class AnalysisFailed(Exception):
    """The analysis found errors; ``findings`` are for the journal."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(finding.sentence for finding in findings))
        self.findings = findings


def analyse(delivery_id: int) -> DeliveryState:
    """Analyse a delivery that is in state *analysing* and return the state it ends in.

    A second call at the same time, or for a delivery in another state, changes nothing.
    """
    with transaction.atomic():
        if not _this_one_runs(delivery_id):
            return DeliveryState.ANALYSING
        delivery = Delivery.objects.get(pk=delivery_id)
        if delivery.current_state is not DeliveryState.ANALYSING:
            return delivery.current_state
        try:
            with transaction.atomic():
                _prepare(delivery)
        except AnalysisFailed as failed:
            delivery.refresh_from_db()
            _fail(delivery, failed.findings)
        except DatabaseError:
            logger.exception("Analysis of delivery %s broke", delivery_id)
            delivery.refresh_from_db()
            sentence = (
                "The database refused the analysis; the operator finds the reason in the worker's log. Try again."
            )
            _fail(delivery, [Finding(Level.ERROR, sentence)])
    return delivery.current_state


def _this_one_runs(delivery_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('analysis'), %s)", [delivery_id])
        return bool(cursor.fetchone()[0])


def _prepare(delivery: Delivery) -> None:
    _forget_earlier(delivery)
    findings = list(checks.run(delivery))
    compiled, content_findings = _compile(delivery)
    findings += content_findings
    if compiled is not None:
        findings += mirror_findings(delivery, compiled)
    _report(delivery, findings)
    if compiled is None or any(finding.blocks for finding in findings):
        raise AnalysisFailed(findings)

    population = _select_target(delivery)
    _report_target(delivery, population)
    if not population.to_deliver:
        raise AnalysisFailed([_empty_target(delivery, population)])

    content = Content.objects.create(
        delivery=delivery,
        compiled=compiled.to_json(),
        dkim_keys=[key.pk for key in signing_keys(delivery.sender_address)],
    )
    planting = seeds.plan(delivery, population.to_deliver)
    freeze.write_messages(delivery.pk, content.pk, compiled.fields, planting.before)
    seeds.write(delivery, content.pk, compiled.fields, planting, population.to_deliver)
    _report_seeds(delivery, planting)
    messages = population.to_deliver + len(planting.seeds)
    freeze.write_parts(delivery.pk, _waves(delivery, messages), delivery.part_size)
    findings = list(address_findings(content, compiled))
    _report(delivery, findings)
    if any(finding.blocks for finding in findings):
        raise AnalysisFailed(findings)
    _report(delivery, sample_findings(content, compiled))
    move(
        delivery,
        DeliveryState.READY,
        content_id=content.pk,
        fingerprint=fingerprint(delivery),
        analysed_at=timezone.now(),
        population=population.found,
        to_deliver=population.to_deliver,
        seeds=len(planting.seeds),
    )
    write_journal(delivery.pk, f"Analysis completed: {population.to_deliver:,} messages are ready to be delivered.")


def _forget_earlier(delivery: Delivery) -> None:
    freeze.forget(delivery.pk)
    delivery.parts.all().delete()
    delivery.exclusions.all().delete()
    Delivery.objects.filter(pk=delivery.pk).update(content=None)
    delivery.contents.all().delete()
    delivery.journal.all().delete()


def _compile(delivery: Delivery) -> tuple[Compiled | None, list[Finding]]:
    try:
        return compile_properties(delivery), []
    except PersonalizationErrors as errors:
        return None, [Finding(Level.ERROR, str(error)) for error in errors]


def _report(delivery: Delivery, findings: Iterable[Finding]) -> None:
    for finding in findings:
        write_journal(delivery.pk, finding.sentence, level=finding.level)


def _select_target(delivery: Delivery) -> freeze.Population:
    """Raises AnalysisFailed when a query of the target cannot be used any more."""
    try:
        return freeze.select_target(delivery)
    except QueryProblem as problem:
        raise AnalysisFailed([Finding(Level.ERROR, str(problem))]) from problem


def _report_seeds(delivery: Delivery, planting: seeds.Planting) -> None:
    if planting.seeds:
        write_journal(delivery.pk, f"Seed addresses: {len(planting.seeds):,}, in none of the figures.")
    for address in planting.left_out:
        sentence = f"The seed address {address} is in quarantine: it gets nothing."
        write_journal(delivery.pk, sentence, level=Level.WARNING)


def _report_target(delivery: Delivery, population: freeze.Population) -> None:
    write_journal(delivery.pk, f"Target: {population.found:,} found.")
    for reason, count in exclusion_counts(delivery.pk).items():
        write_journal(delivery.pk, f"Excluded: {count:,} × {ExclusionReason(reason).label}.")


def _waves(delivery: Delivery, total: int) -> Sequence[Wave]:
    """The delivery's waves. Raises AnalysisFailed when they do not fit the target or the delivery's duration."""
    try:
        waves = delivery.waves(total)
    except WavesProblem as problem:
        raise AnalysisFailed([Finding(Level.ERROR, str(problem))]) from problem
    start = max(delivery.contact_at or now(), now())
    lasts = delivery.ends(start) - start
    if waves[-1].after >= lasts:
        sentence = (
            f"The last wave starts {spell(waves[-1].after)} after the start, but the delivery may send for "
            f"{spell(max(lasts, timedelta()))} only. Make the delivery duration longer or the waves closer."
        )
        raise AnalysisFailed([Finding(Level.ERROR, sentence)])
    for number, wave in enumerate(waves, start=1) if len(waves) > 1 else ():
        write_journal(delivery.pk, f"Wave {number}: {wave.messages:,} messages, {spell(wave.after)} after the start.")
    return waves


def _empty_target(delivery: Delivery, population: freeze.Population) -> Finding:
    """Names the causes, because the exclusions themselves are undone with the rest."""
    if not population.found:
        return Finding(Level.ERROR, "The target is empty: nobody is found. Choose another list or query.")
    causes = "; ".join(
        f"{count:,} × {ExclusionReason(reason).label}" for reason, count in exclusion_counts(delivery.pk).items()
    )
    return Finding(
        Level.ERROR,
        f"The target is empty: everybody who is found is excluded ({causes}). Choose another list or query.",
    )


def exclusion_counts(delivery_id: int) -> dict[str, int]:
    """How many lines of the target were left out, by reason."""
    rows = Exclusion.objects.filter(delivery_id=delivery_id).values_list("reason").annotate(count=Count("id"))
    return dict(sorted(rows))


def _fail(delivery: Delivery, findings: list[Finding]) -> None:
    """The transaction of the attempt was undone; keep its findings all the same."""
    delivery.journal.all().delete()
    _report(delivery, findings)
    errors = [finding.sentence for finding in findings if finding.blocks]
    move(
        delivery,
        DeliveryState.ANALYSIS_FAILED,
        note=errors[0] if errors else "",
        fingerprint="",
        population=None,
        to_deliver=None,
        seeds=0,
    )
