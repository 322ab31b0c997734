"""What an analysis freezes of a delivery: its content, or each variant of its A/B test."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from django.db import connection

from deliveries.analysis.checks import Finding
from deliveries.analysis.freeze import SQL
from deliveries.analysis.material import Material
from deliveries.analysis.source import compile_properties
from deliveries.keys import signing_keys
from deliveries.models import AbTest, Content, Delivery, Level, Measure, Part, Variant, WavesMode
from deliveries.personalization.errors import PersonalizationErrors
from deliveries.states import PartState

TEST, REST = 1, 2
"""Waves of a delivery with an A/B test."""


@dataclass(slots=True)
class Version:
    """One content to freeze; ``variant`` is ``None`` without an A/B test. ``material`` is what checks look at."""

    material: Material
    variant: Variant | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """The contents of the messages: those of the versions in turn for the people who test, ``rest`` for the others.

    Without an A/B test there is one version, and everybody gets it.
    """

    contents: tuple[int, ...]
    fields: tuple[str, ...]
    rest: int | None = None

    def of_seeds(self, before: Sequence[int], test: int) -> list[int]:
        """The contents of the seed addresses, each before so many persons: the versions in turn among the first
        ``test``, else what the rest gets."""
        turns = cycle(self.contents)
        return [next(turns) if self.rest is None or place <= test else self.rest for place in before]


def test_of(delivery: Delivery) -> AbTest | None:
    """The delivery's A/B test. A proof has none: it shows one variant."""
    return AbTest.objects.filter(delivery=delivery).first()


def versions_of(delivery: Delivery, test: AbTest | None) -> list[Version]:
    """What is to be frozen, in the order of the variants' letters."""
    if test is None:
        return [Version(Material(delivery))]
    return [Version(Material(variant.of(delivery)), variant) for variant in test.variants.order_by("letter")]


def test_findings(delivery: Delivery, test: AbTest, versions: Sequence[Version]) -> list[Finding]:
    """What keeps a test from being one."""
    found = []
    if len(versions) < 2:
        found.append("The A/B test has one variant only. Add another, or remove the test.")
    found += [
        f"Variant {version.variant.letter} of the A/B test is no different from variant A."
        for version in versions[1:]
        if version.variant is not None and not version.variant.differs
    ]
    if delivery.waves_mode != WavesMode.NONE:
        found.append("An A/B test and waves exclude each other: the rest leaves when the winner is chosen.")
    if delivery.contact_by_recipient:
        found.append("An A/B test and recipients’ own time zones exclude each other.")
    unseen = _unseen(delivery, Measure(test.measure))
    return [Finding(Level.ERROR, sentence) for sentence in found] + [
        Finding(Level.WARNING, sentence) for sentence in unseen
    ]


def _unseen(delivery: Delivery, measure: Measure) -> Iterator[str]:
    """Why nothing could be compared: choosing by hand remains."""
    if measure is Measure.OPT_OUTS:
        return
    if not delivery.track_individuals:
        yield "The A/B test counts people, but individual tracking is off: its variants cannot be compared."
    elif measure is Measure.OPENS and not delivery.track_opens:
        yield "The A/B test is told by opens, but opens tracking is off: only people who click will count."
    elif measure is not Measure.OPENS and not delivery.track_clicks:
        yield "The A/B test is told by clicks, but tracking is off: its variants cannot be compared."


def compile_each(versions: Sequence[Version]) -> list[Finding]:
    """Compile every version; what cannot be read is an error."""

    def compiled(version: Version) -> list[Finding]:
        try:
            version.material.compiled = compile_properties(version.material.delivery)
        except PersonalizationErrors as errors:
            return [Finding(Level.ERROR, str(error)) for error in errors]
        return []

    return findings_of(versions, compiled)


def findings_of(versions: Sequence[Version], find: Callable[[Version], Iterable[Finding]]) -> list[Finding]:
    """What is found in each version: once and as it is when it is in all of them, else with the variant's name."""
    found = [list(dict.fromkeys(find(version))) for version in versions]
    times = Counter(finding for each in found for finding in each)
    common = [finding for finding in found[0] if times[finding] == len(versions)]
    return common + [
        replace(finding, sentence=f"Variant {version.variant.letter}: {finding.sentence}")
        for version, each in zip(versions, found, strict=True)
        for finding in each
        if version.variant is not None and times[finding] < len(versions)
    ]


def freeze_each(delivery: Delivery, test: AbTest | None, versions: Sequence[Version]) -> Frozen:
    """Write the content of every version. All have the same fields, so that the values of a message fit each of them:
    nobody knows yet which one the rest will get."""
    compiled = [version.material.compiled for version in versions if version.material.compiled is not None]
    fields = tuple(dict.fromkeys(field for each in compiled for field in each.fields))
    keys = [key.pk for key in signing_keys(delivery.sender_address)]
    for version, each in zip(versions, compiled, strict=True):
        version.material.compiled = whole = replace(each, fields=fields)
        version.material.content = content = Content.objects.create(
            delivery=delivery, compiled=whole.to_json(), dkim_keys=keys
        )
        if version.variant is not None:
            Variant.objects.filter(pk=version.variant.pk).update(content=content)
    contents = tuple(version.material.content.pk for version in versions if version.material.content is not None)
    return Frozen(contents, fields, rest=_reserve() if test is not None else None)


def _reserve() -> int:
    """The id of a content that will be written when the winner is chosen."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["reserve_content"])
        return int(cursor.fetchone()[0])


def hold_rest(delivery: Delivery, test: AbTest, frozen: Frozen) -> None:
    """Keep the rest from being sent, and begin the test anew."""
    Part.objects.filter(delivery=delivery, wave=REST).update(state=PartState.WAITING)
    last = Part.objects.filter(delivery=delivery, wave=TEST).order_by("-last_id").values_list("last_id", flat=True)[0]
    AbTest.objects.filter(pk=test.pk).update(
        rest_content_id=frozen.rest,
        last_test_id=last,
        tested_at=None,
        looked_at=None,
        asked_at=None,
    )
