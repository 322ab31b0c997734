"""Run the checks that a delivery's typology asks for."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps as present_apps
from django.apps.registry import Apps
from django.db import DatabaseError

from deliveries.analysis.checks import CHECKS, Check, Finding, Phase
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel, Delivery, Level, Typology, TypologyCheck

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """A check with the order and level that a typology gives it."""

    check: Check
    order: int
    level: CheckLevel


def typology_of(delivery: Delivery) -> Typology | None:
    """The delivery's own typology, or else the default one."""
    return delivery.typology or Typology.objects.filter(is_default=True).first()


def plan(typology: Typology | None) -> list[Planned]:
    """Every check that is not off, in the order in which it runs: required ones first."""
    rows = {row.check_key: row for row in typology.checks.all()} if typology else {}
    planned = [_planned(check, rows.get(check.key)) for check in CHECKS.values()]
    running = [one for one in planned if one.level is not CheckLevel.OFF]
    return sorted(running, key=lambda one: (not one.check.required, one.order))


def _planned(check: Check, row: TypologyCheck | None) -> Planned:
    if row is None or check.required:
        return Planned(check, check.order, check.level)
    return Planned(check, row.order, CheckLevel(row.level))


def findings(material: Material, phase: Phase) -> Iterator[Finding]:
    """What the checks of the delivery's typology find in this phase, in their order."""
    is_proof = material.delivery.proof_of_id is not None
    for one in plan(typology_of(material.delivery)):
        if one.check.phase is phase:
            yield from _run(one, material, is_proof=is_proof)


def _run(one: Planned, material: Material, *, is_proof: bool) -> list[Finding]:
    level = Level(one.level)
    if is_proof and level is Level.ERROR and not one.check.required:
        level = Level.WARNING  # a proof is there to see what is not right yet
    try:
        return one.check.run(material, level)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("The check %s of delivery %s broke", one.check.key, material.delivery.pk)
        sentence = "This check broke, so nobody knows what it would have found. The operator finds why in the log."
        return [Finding(Level.WARNING, sentence, one.check.key)]


def complete(typology: Typology) -> None:
    """Give a typology a row for each check that has none, as the check was made."""
    known = set(typology.checks.values_list("check_key", flat=True))
    TypologyCheck.objects.bulk_create(
        TypologyCheck(typology=typology, check_key=check.key, order=check.order, level=check.level)
        for check in CHECKS.values()
        if check.key not in known and not check.required
    )


def complete_all(apps: Apps = present_apps, **_: Any) -> None:
    """After each migration: checks that came with a new version, or an extension, get their rows."""
    try:
        apps.get_model("deliveries", "TypologyCheck")
    except LookupError:  # migrated back to a time before typologies
        return
    for typology in Typology.objects.all():
        complete(typology)
