"""The analysis, from the first check to the last message: read it top to bottom.

It runs in one transaction: either everything below is there afterwards, or nothing of it.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import Count
from django.utils import timezone

from campaign.lib.clock import now
from campaign.lib.dates import spelled
from campaign.lib.durations import spell
from deliveries.analysis import freeze, seeds, typology, versions
from deliveries.analysis.checks import Finding, Phase
from deliveries.analysis.fingerprint import fingerprint
from deliveries.analysis.progress import Step, show_step
from deliveries.models import AbTest, Delivery, ExclusionReason, Level
from deliveries.moves import move, write_journal
from deliveries.states import DeliveryState
from deliveries.waves import Wave, WavesProblem, by_moments
from recipients.queries.definition import QueryProblem

logger = logging.getLogger(__name__)


class AnalysisFailed(Exception):
    """The analysis found errors; ``findings`` are for the journal."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(finding.sentence for finding in findings))
        self.findings = findings


class AnalysisStopped(Exception):
    """Somebody stopped the analysis while it ran."""


def analyse(delivery_id: int) -> DeliveryState | None:
    """Analyse a delivery that is in state *analysing* and return the state it ends in.

    A second call at the same time, or for a delivery in another state, changes nothing and returns ``None``.
    """
    with transaction.atomic():
        if not _this_one_runs(delivery_id):
            return None
        delivery = Delivery.objects.get(pk=delivery_id)
        if delivery.current_state is not DeliveryState.ANALYSING:
            return None
        try:
            with transaction.atomic():
                _prepare(delivery)
        except AnalysisStopped:
            return None
        except AnalysisFailed as failed:
            delivery.refresh_from_db()
            _fail(delivery, failed.findings)
        except DatabaseError:
            if _was_stopped(delivery_id):  # which ends the statement that runs
                return None
            delivery.refresh_from_db()
            logger.exception("Analysis of delivery %s broke", delivery_id)
            sentence = (
                "The database refused the analysis; the operator finds the reason in the worker's log. Try again."
            )
            _fail(delivery, [Finding(Level.ERROR, sentence)])
    return delivery.current_state


def _was_stopped(delivery_id: int) -> bool:
    return not Delivery.objects.filter(pk=delivery_id, state=DeliveryState.ANALYSING).exists()


def _this_one_runs(delivery_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(freeze.SQL["begin_analysis"], {"delivery": delivery_id})
        return bool(cursor.fetchone()[0])


def end_statement(delivery_id: int) -> None:
    """End what the database is doing for the analysis of this delivery, which then finds that it was stopped."""
    with connection.cursor() as cursor:
        cursor.execute(freeze.SQL["end_analysis"], {"delivery": delivery_id})


def _prepare(delivery: Delivery) -> None:
    _begin(delivery, Step.CHECKS)
    _forget_earlier(delivery)
    test = versions.test_of(delivery)
    each = versions.versions_of(delivery, test)
    findings = versions.test_findings(delivery, test, each) if test is not None else []
    findings += versions.compile_each(each)
    findings += versions.findings_of(each, lambda version: typology.findings(version.material, Phase.CONTENT))
    _report(delivery, findings)
    if any(finding.blocks for finding in findings):
        raise AnalysisFailed(findings)

    _begin(delivery, Step.TARGET)
    population = _select(delivery, test)
    if not population.to_deliver:
        raise AnalysisFailed([_empty_target(delivery, population)])

    frozen = versions.freeze_each(delivery, test, each)
    _begin(delivery, Step.MESSAGES)
    planting = _write_messages(delivery, frozen, population)
    freeze.write_parts(delivery.pk, _waves(delivery, test, population, planting), delivery.part_size)
    if test is not None:
        versions.hold_rest(delivery, test, frozen)
    _begin(delivery, Step.SAMPLE)
    for version in each:
        version.material.messages = population.to_deliver + len(planting.seeds)
    later = versions.findings_of(each, lambda version: typology.findings(version.material, Phase.MESSAGES))
    _report(delivery, later)
    if any(finding.blocks for finding in later):
        raise AnalysisFailed([*findings, *later])
    _go_on(delivery)
    move(
        delivery,
        DeliveryState.READY,
        content_id=frozen.contents[0],
        fingerprint=fingerprint(delivery),
        analysed_at=timezone.now(),
        population=population.found,
        to_deliver=population.to_deliver,
        seeds=len(planting.seeds),
        contact_times=[moment for moment, _ in population.moments],
    )
    delivery.contents.exclude(pk__in=frozen.contents).delete()
    write_journal(delivery.pk, f"Analysis completed: {population.to_deliver:,} messages are ready to be delivered.")


def _begin(delivery: Delivery, step: Step) -> None:
    """Go on to a step, unless somebody stopped the analysis while Python was at work and no statement could be ended.

    Raises :class:`AnalysisStopped`.
    """
    if _was_stopped(delivery.pk):
        raise AnalysisStopped
    show_step(delivery.pk, step)


def _select(delivery: Delivery, test: AbTest | None) -> freeze.Population:
    """Who gets the delivery; a proof goes to its own addresses.

    Raises :class:`AnalysisFailed` when a query of the target cannot be used any more.
    """
    if delivery.proof_of_id is not None:
        lines = delivery.proof_lines.count()
        return freeze.Population(found=lines, to_deliver=lines)
    try:
        population = freeze.select_target(delivery, test)
    except QueryProblem as problem:
        raise AnalysisFailed([Finding(Level.ERROR, str(problem))]) from problem
    _report_target(delivery, population)
    return population


def _write_messages(delivery: Delivery, frozen: versions.Frozen, population: freeze.Population) -> seeds.Planting:
    """Write all messages and their values; returns where the seed addresses stand among them."""
    if delivery.proof_of_id is not None:
        freeze.write_proof(delivery, frozen.contents[0], frozen.fields)
        return seeds.Planting()
    planting = seeds.plan(delivery, population.to_deliver)
    freeze.write_messages(delivery.pk, frozen.contents, frozen.rest, frozen.fields, planting.before)
    contents = frozen.of_seeds(planting.before, population.test)
    seeds.write(delivery, contents, frozen.fields, planting, population.to_deliver)
    _report_seeds(delivery, planting)
    return planting


def _forget_earlier(delivery: Delivery) -> None:
    freeze.forget(delivery.pk)
    delivery.parts.all().delete()
    delivery.exclusions.all().delete()
    delivery.journal.all().delete()


def _go_on(delivery: Delivery) -> None:
    """Nobody stopped this analysis, or stopped it and asked for another. Raises :class:`AnalysisStopped`.

    The delivery's row is left alone until here, so that it can be stopped at any time.
    """
    present = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if present.current_state is not DeliveryState.ANALYSING or present.updated_at != delivery.updated_at:
        raise AnalysisStopped


def _report(delivery: Delivery, findings: Iterable[Finding]) -> None:
    for finding in findings:
        write_journal(delivery.pk, finding.sentence, level=finding.level, check_key=finding.check_key)


def _report_seeds(delivery: Delivery, planting: seeds.Planting) -> None:
    if planting.seeds:
        write_journal(delivery.pk, f"Seed addresses: {len(planting.seeds):,}, in none of the figures.")
    for address in planting.left_out:
        sentence = f"The seed address {address} is in quarantine: it gets nothing."
        write_journal(delivery.pk, sentence, level=Level.WARNING)


def _report_target(delivery: Delivery, population: freeze.Population) -> None:
    write_journal(delivery.pk, f"Target: {population.found:,} found.")
    for reason, count in exclusion_counts(delivery).items():
        write_journal(delivery.pk, f"Excluded: {count:,} × {ExclusionReason(reason).label}.")


def _waves(
    delivery: Delivery, test: AbTest | None, population: freeze.Population, planting: seeds.Planting
) -> Sequence[Wave]:
    """The delivery's waves. Raises AnalysisFailed when they do not fit the target or the delivery's duration."""
    if test is not None:
        return _test_and_rest(delivery, test, population, planting)
    if population.moments:
        return _waves_by_zone(delivery, population.moments, planting)
    try:
        waves = delivery.waves(population.to_deliver + len(planting.seeds))
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


def _waves_by_zone(
    delivery: Delivery, moments: Sequence[tuple[datetime, int]], planting: seeds.Planting
) -> Sequence[Wave]:
    last = moments[-1][0]
    if last >= (end := delivery.ends(max(moments[0][0], now()))):
        sentence = (
            f"The last time zone has its contact date on {spelled(last, delivery.contact_zone)}, but the delivery may "
            f"send until {spelled(end, delivery.contact_zone)} only. Make the delivery duration longer."
        )
        raise AnalysisFailed([Finding(Level.ERROR, sentence)])
    waves = by_moments(moments, planting.before)
    for (moment, _), wave in zip(moments, waves, strict=True):
        write_journal(
            delivery.pk, f"Time zones: {wave.messages:,} messages on {spelled(moment, delivery.contact_zone)}."
        )
    return waves


def _test_and_rest(
    delivery: Delivery, test: AbTest, population: freeze.Population, planting: seeds.Planting
) -> Sequence[Wave]:
    """The messages that test, then those that wait for the winner."""
    rest = population.to_deliver - population.test
    if rest <= 0:
        sentence = (
            f"The target has {population.to_deliver:,} messages: too few for an A/B test that leaves somebody to get "
            "the winner. Test with fewer variants or a smaller share, or remove the test."
        )
        raise AnalysisFailed([Finding(Level.ERROR, sentence)])
    start = max(delivery.contact_at or now(), now())
    if start + test.wait >= (end := delivery.ends(start)):
        until = spelled(end, delivery.contact_zone)
        sentence = (
            f"The A/B test waits {spell(test.wait)} for its winner, but the delivery may send until {until} "
            "only. Make the delivery duration longer, or the time to wait shorter."
        )
        raise AnalysisFailed([Finding(Level.ERROR, sentence)])
    write_journal(delivery.pk, f"A/B test: {population.test:,} messages test, {rest:,} wait for the winner.")
    return by_moments([(start, population.test), (start + test.wait, rest)], planting.before)


def _empty_target(delivery: Delivery, population: freeze.Population) -> Finding:
    """Names the causes, because the exclusions themselves are undone with the rest."""
    if not population.found:
        return Finding(Level.ERROR, "The target is empty: nobody is found. Choose another list or query.")
    causes = "; ".join(
        f"{count:,} × {ExclusionReason(reason).label}" for reason, count in exclusion_counts(delivery).items()
    )
    return Finding(
        Level.ERROR,
        f"The target is empty: everybody who is found is excluded ({causes}). Choose another list or query.",
    )


def exclusion_counts(delivery: Delivery) -> dict[str, int]:
    """How many lines of the target were left out, by reason; as they were once the log is deleted."""
    if delivery.kept is not None:
        return dict(delivery.kept["exclusions"])
    rows = delivery.exclusions.order_by().values_list("reason").annotate(count=Count("id"))
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
