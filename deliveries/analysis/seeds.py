"""Seed addresses in the real send: at random places, with what they lack taken from a random member of the target."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deliveries.analysis.freeze import COLUMNS
from deliveries.models import Delivery, Message, MessageValues, SeedAddress, message_range
from deliveries.rendering.compile import MAY_BE_TRACKED
from deliveries.states import MessageState
from recipients.addresses import key
from recipients.models import HELD_BACK, Quarantine


@dataclass(frozen=True, slots=True)
class Planting:
    """Seed addresses and, for each, the person of the target (counted from 1, in order) before whom it stands."""

    seeds: tuple[SeedAddress, ...] = ()
    before: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()
    """Addresses in quarantine."""


def plan(delivery: Delivery, people: int) -> Planting:
    """Where the delivery's seed addresses stand among ``people``; the same whenever it is planned again."""
    chosen = SeedAddress.objects.filter(groups__in=delivery.seed_groups.all()).distinct().order_by("pk")
    keys = {seed.pk: key(seed.address) for seed in chosen}
    held = set(
        Quarantine.objects.filter(address_key__in=keys.values(), status__in=HELD_BACK).values_list(
            "address_key", flat=True
        )
    )
    seeds = [seed for seed in chosen if keys[seed.pk] not in held]
    lot = random.Random(f"seeds {delivery.draw}")
    lot.shuffle(seeds)
    before = sorted(lot.randint(1, people + 1) for _ in seeds)
    left_out = tuple(seed.address for seed in chosen if keys[seed.pk] in held)
    return Planting(tuple(seeds), tuple(before), left_out)


def write(delivery: Delivery, contents: Sequence[int], fields: Sequence[str], planting: Planting, people: int) -> None:
    """Write the seeds' messages, each with its content, and their values into the numbers that were left free (same
    transaction)."""
    if not planting.seeds:
        return
    first, _ = message_range(delivery.pk)
    ids = [first + before + index for index, before in enumerate(planting.before)]
    taken = set(ids)
    lot = random.Random(f"donors {delivery.draw}")
    donors = [_donor(lot, first, people + len(ids), taken) for _ in ids]
    known = dict(MessageValues.objects.filter(pk__in=donors).values_list("pk", "values"))
    Message.objects.bulk_create(
        Message(id=pk, content_id=content_id, seed=seed, address=seed.address, state=MessageState.PENDING)
        for pk, content_id, seed in zip(ids, contents, planting.seeds, strict=True)
    )
    MessageValues.objects.bulk_create(
        MessageValues(message_id=pk, values=_values(seed, fields, known[donor]))
        for pk, seed, donor in zip(ids, planting.seeds, donors, strict=True)
    )


def _donor(lot: random.Random, first: int, numbers: int, taken: set[int]) -> int:
    while (pk := first + lot.randint(1, numbers)) in taken:
        pass
    return pk


def _values(seed: SeedAddress, fields: Sequence[str], donor: Sequence[Any]) -> list[Any]:
    values = []
    for path, given in zip(fields, donor, strict=True):
        root, _, name = path.partition(".")
        own: Any = None
        if path == MAY_BE_TRACKED:
            own = True  # the donor's wish is not the seed's
        elif root == "recipient":
            own = getattr(seed, name) if name in COLUMNS else seed.attributes.get(name)
        values.append(given if own in (None, "") else own)
    return values
