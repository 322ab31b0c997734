"""What is right and what is to be mended in the DNS of a sender's domain."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from deliveries.domains import spf
from deliveries.domains.lookup import Lookup, LookupFailed, NoSuchDomain
from deliveries.domains.records import dkim_record, tags, zone_line
from deliveries.models import DkimKey


@dataclass(frozen=True, slots=True)
class Result:
    """One sentence about one subject, such as SPF."""

    subject: str
    right: bool
    sentence: str


def _right(subject: str, sentence: str) -> Result:
    return Result(subject, right=True, sentence=sentence)


def _mend(subject: str, sentence: str) -> Result:
    return Result(subject, right=False, sentence=sentence)


def check_domain(domain: str, keys: Sequence[DkimKey], lookup: Lookup) -> list[Result]:
    """Look at everything; ``keys`` are those that sign (or shall sign) the domain's mails."""
    subjects: dict[str, Callable[[], Iterator[Result]]] = {
        "MX": lambda: _mx(domain, lookup),
        "SPF": lambda: _spf(domain, lookup),
        "DKIM": lambda: _dkim(domain, keys, lookup),
        "DMARC": lambda: _dmarc(domain, keys, lookup),
    }
    results: list[Result] = []
    for subject, look in subjects.items():
        try:
            results += look()
        except LookupFailed as error:
            results.append(_mend(subject, str(error)))
        except NoSuchDomain:
            return [_mend("DNS", f"The domain {domain} does not exist. Check its spelling, or register it.")]
    return results


def _mx(domain: str, lookup: Lookup) -> Iterator[Result]:
    hosts = lookup.mx(domain)
    if hosts == ["."]:
        yield _mend(
            "MX",
            "A null MX says that the domain takes no mail: replies and bounces are lost. Publish a real one.",
        )
    elif hosts:
        missing = [host for host in hosts if not lookup.has_address(host)]
        if missing:
            yield _mend("MX", f"{missing[0]} has no address. Mend its A record, or the MX that names it.")
        else:
            yield _right("MX", f"Mail to the domain goes to {', '.join(hosts)}.")
    elif lookup.has_address(domain):
        yield _right("MX", "There is no MX record; mail to the domain goes to its own address.")
    else:
        yield _mend(
            "MX",
            "There is no MX record: replies and bounces have nowhere to go. Publish one that names your mail server.",
        )


def _spf(domain: str, lookup: Lookup) -> Iterator[Result]:
    problem = spf.problem(domain, lookup)
    yield _mend("SPF", problem) if problem else _right("SPF", "One valid record says who may send.")


def _dkim(domain: str, keys: Sequence[DkimKey], lookup: Lookup) -> Iterator[Result]:
    if not keys:
        yield _mend("DKIM", f"There is no active key. Make one: ./manage.py dkim_key {domain}")
    for key in keys:
        problem = _key_problem(key, lookup.txt(str(key)))
        yield _mend("DKIM", f"{key}: {problem}") if problem else _right("DKIM", f"{key}: the published key is ours.")


def _key_problem(key: DkimKey, records: Sequence[str]) -> str:
    publish = f"Publish:\n{zone_line(key)}"
    if not records:
        return f"nothing is published. {publish}"
    if len(records) > 1:
        return f"{len(records)} TXT records are published, and verifiers take any of them. Leave only ours."
    found, ours = tags(records[0]), tags(dkim_record(key))
    if found.get("v", "DKIM1") != "DKIM1" or "p" not in found:
        return f"the published record is no DKIM key. {publish}"
    if not found["p"]:
        return f"the published key is revoked (p= is empty). Retire our key, or publish it again. {publish}"
    if "".join(found["p"].split()) != ours["p"] or found.get("k", "rsa") != ours["k"]:
        return f"the published key is another one than ours. {publish}"
    if "y" in found.get("t", "").split(":"):
        return "the key is ours, but t=y says that it is only tested, and providers may ignore it. Remove t=y."
    if "sha256" not in found.get("h", "sha256").split(":") or found.get("s", "*") not in {"*", "email"}:
        return f"the key is ours, but h= or s= forbids its use for mail. {publish}"
    return ""


POLICIES = ("none", "quarantine", "reject")


def _dmarc(domain: str, keys: Sequence[DkimKey], lookup: Lookup) -> Iterator[Result]:
    owner, records = _nearest_dmarc(domain, lookup)
    if not records:
        yield _mend(
            "DMARC",
            "There is no record, and large providers refuse bulk mail without one. Publish: "
            f'_dmarc.{domain}. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@{domain}"',
        )
        return
    if len(records) > 1:
        yield _mend("DMARC", f"_dmarc.{owner} has {len(records)} records, so none counts. Leave one.")
        return
    found = tags(records[0])
    policy = found.get("p", "").lower()
    if policy not in POLICIES:
        yield _mend("DMARC", f"_dmarc.{owner} has no valid p=. Use one of {', '.join(POLICIES)}.")
        return
    strangers = [key.domain for key in keys if key.domain != domain]
    if found.get("adkim", "r").lower() == "s" and strangers:
        yield _mend(
            "DMARC",
            f"adkim=s asks for a signature of {domain} itself, but {strangers[0]} signs. "
            f"Make a key: ./manage.py dkim_key {domain}",
        )
        return
    effective = policy if owner == domain else found.get("sp", policy).lower()
    yield _right("DMARC", f"_dmarc.{owner} is valid; mail that fails is to be handled as “{effective}”.")


def _nearest_dmarc(domain: str, lookup: Lookup) -> tuple[str, list[str]]:
    """The domain's own records, or those of the nearest domain above it that has any (the tree walk of DMARC)."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        owner = ".".join(labels[start:])
        records = [record for record in lookup.txt(f"_dmarc.{owner}") if record.lower().startswith("v=dmarc1")]
        if records:
            return owner, records
    return domain, []
