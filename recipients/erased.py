"""Wishes that outlive their person: who asked not to be written to stays unwritten to, even when imported again."""

from collections.abc import Iterable

from campaign.lib.pseudonyms import digest, digests
from recipients.denylist import deny
from recipients.models import ErasedWish, Recipient

SOURCE = "asked for it before the data were erased"


def remember(address_key: str, *, source: str) -> None:
    """Keep the wish of the person with this address, and nothing else."""
    ErasedWish.objects.get_or_create(digest=digest(address_key), defaults={"source": source[:200]})


def forget(address_key: str) -> None:
    """The person wants mails again."""
    ErasedWish.objects.filter(digest__in=list(digests(address_key))).delete()


class Watch:
    """Of people who come in together, such as the lines of a file: notes those who had asked not to be written to, and
    puts them on the denylist once their rows are there."""

    def __init__(self) -> None:
        self._known = {bytes(value) for value in ErasedWish.objects.values_list("digest", flat=True)}
        self._met: list[str] = []

    def look(self, address_key: str) -> None:
        """Remember a person who comes in if there is a wish."""
        if self._known and any(each in self._known for each in digests(address_key)):
            self._met.append(address_key)

    def restore(self) -> int:
        """Put everybody who was met, and is here by now, on the denylist; returns how many."""
        met = Recipient.objects.filter(address_key__in=self._met)
        return sum(deny(recipient, source=SOURCE) for recipient in met)


def watched(address_keys: Iterable[str]) -> int:
    """Put those of these people on the denylist who had asked for it before they were erased; returns how many."""
    watch = Watch()
    for address_key in address_keys:
        watch.look(address_key)
    return watch.restore()
