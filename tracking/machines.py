"""Who caused an event: a person, a machine, or an archive with its copy. Rules are rows; people may change them."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from deliveries.archiving.recognise import recognise
from deliveries.models import Archive
from deliveries.rendering.tracking import HONEYPOT
from tracking.hit import Hit
from tracking.models import EventKind, MachineRule, Origin, RuleKind, RuleVerdict, UserAgent

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
"""One line of a rule."""

AFTERWARDS = frozenset({RuleKind.BURST})
"""What only several events together show."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who caused an event, and the rule that decided; ``None`` when none did."""

    origin: Origin
    rule_id: int | None = None


class Judge:
    """Rules and archives as they are now."""

    def __init__(self, rules: Iterable[MachineRule], archives: Iterable[Archive]) -> None:
        self.rules = [rule for rule in rules if rule.kind not in AFTERWARDS]
        self.archives = {archive.pk: archive for archive in archives}
        self._networks = [(network, rule.pk) for rule in self.rules for network in networks_of(rule)]
        self._words = {
            rule.pk: [line.strip().lower() for line in rule.pattern.splitlines() if line.strip()]
            for rule in self.rules
            if rule.kind == RuleKind.USER_AGENT
        }
        self._by_address: dict[str, frozenset[int]] = {}
        self._copies: dict[tuple[int, str, str], bool] = {}

    @classmethod
    def current(cls) -> "Judge":
        """With what the database holds: two queries."""
        return cls(MachineRule.objects.filter(is_active=True), Archive.objects.all())

    def judge(
        self, hit: Hit, agent: UserAgent, seconds_after_sending: float | None, archive_id: int | None = None
    ) -> Verdict:
        """The first rule that fits decides; without one it was a person. Seconds are ``None`` where nobody knows.

        ``archive_id``: the archive that has the copy of this message; nobody else opens a copy.
        """
        if archive_id is not None and self._is_copy(archive_id, hit.address, agent.text):
            return Verdict(Origin.ARCHIVE)
        for rule in self.rules:
            if self._fits(rule, hit, agent, seconds_after_sending):
                return Verdict(Origin.PERSON if rule.verdict == RuleVerdict.PERSON else Origin.MACHINE, rule.pk)
        return Verdict(Origin.PERSON)

    def _fits(self, rule: MachineRule, hit: Hit, agent: UserAgent, seconds: float | None) -> bool:
        match rule.kind:
            case RuleKind.NETWORK:
                return rule.pk in self._rules_of(hit.address)
            case RuleKind.USER_AGENT:
                return has_words(agent.text, self._words[rule.pk])
            case RuleKind.CRAWLER:
                return agent.is_machine
            case RuleKind.HEAD:
                return hit.is_head
            case RuleKind.DELAY:
                return seconds is not None and seconds <= rule.seconds
            case RuleKind.HONEYPOT:
                return hit.kind == EventKind.CLICK and hit.link == HONEYPOT
        return False

    def _rules_of(self, address: str) -> frozenset[int]:
        if address not in self._by_address:
            self._by_address[address] = self._find_rules(address)
        return self._by_address[address]

    def _find_rules(self, address: str) -> frozenset[int]:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return frozenset()
        return frozenset(rule for network, rule in self._networks if ip in network)

    def _is_copy(self, archive_id: int, address: str, agent: str) -> bool:
        key = archive_id, address, agent
        if key not in self._copies and archive_id in self.archives:
            self._copies[key] = recognise([self.archives[archive_id]], address, agent) is not None
        return self._copies.get(key, False)


def has_words(agent: str, lines: Iterable[str]) -> bool:
    """Whether a user agent holds one of these, in small letters; what stands between ``^`` and ``$`` is all of it."""
    text = agent.lower()
    return any(text == line[1:-1] if line[0] == "^" and line[-1] == "$" else line in text for line in lines)


def networks_of(rule: MachineRule) -> list[Network]:
    """The networks of a rule. Raises ``ValueError`` naming the line that is none."""
    if rule.kind != RuleKind.NETWORK:
        return []
    return [network_of(line) for line in rule.pattern.split()]


def network_of(line: str) -> Network:
    """Raises ``ValueError`` with a sentence."""
    try:
        return ipaddress.ip_network(line)
    except ValueError:
        raise ValueError(f"“{line[:60]}” is not a network such as 192.0.2.0/24.") from None


def cut_off(address: str) -> str | None:
    """The network of an address: 24 bits of IPv4, 48 of IPv6. Not the person's own any more."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    if ip.version == 6 and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    bits = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, bits), strict=False).network_address)
