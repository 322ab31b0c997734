"""Which links of a content lead over our server, and what stands at their places. PURE; once per content.

The author's text is never serialised: an address is replaced at its place, a pixel is put in at another, and everything
between stays byte for byte.
"""

import html as entities
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from campaign.lib.signing import LINK_SUFFIX_CHARACTERS, MAX_LINK
from deliveries.rendering.encode import quoted_printable
from deliveries.rendering.links import (
    HTML,
    MAX_LABEL,
    Address,
    Link,
    LinkMode,
    Obstacle,
    Place,
    attribute_text,
    html_addresses,
    text_addresses,
)
from deliveries.rendering.reading import mask
from deliveries.rendering.urls import Parameters, as_location, fixed_host, with_parameters

MARK = "\0"
"""Stands for the beginning of a link's identifier. Neither contents nor values can hold it: the database refuses it."""

HONEYPOT = MAX_LINK
"""The number of a link that no person can see."""

PIXEL = 0
"""The number of the pixel among the links."""

_UNSEEN = "height:1px!important;width:1px!important;border:0!important;margin:0!important;padding:0!important"


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody set for all links with one address; empty means that nothing was set."""

    mode: str = ""
    label: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Tracking:
    """What a delivery says about its links. ``parameter_hosts``: which hosts get the parameters; none named, all do."""

    clicks: bool = False
    opens: bool = False
    honeypot: bool = False
    choices: Mapping[str, Choice] = field(default_factory=dict)
    parameters: Parameters = ()
    parameter_hosts: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """Something is tracked."""
        return self.clicks or self.opens or self.honeypot


def plan_links(html: str, text: str, tracking: Tracking) -> tuple[Link, ...]:
    """Every link of both parts, with its places. A text's link that the HTML has as well is the same link."""
    links = [_link(number, address, tracking) for number, address in enumerate(html_addresses(html), start=1)]
    by_url = {(link.url, link.mode): index for index, link in reversed(list(enumerate(links)))}
    for address in text_addresses(text):
        link = _link(len(links) + 1, address, tracking)
        twin = by_url.get((link.url, link.mode))
        if twin is None:
            by_url[link.url, link.mode] = len(links)
            links.append(link)
        else:
            links[twin] = replace(links[twin], places=(*links[twin].places, *link.places))
    return tuple(links)


def _link(number: int, address: Address, tracking: Tracking) -> Link:
    choice = tracking.choices.get(address.written, Choice())
    obstacle = _obstacle(address, number)
    shown = Obstacle.SHOWN if not obstacle and not choice.mode and _shows_address(address) else ""
    tracked = tracking.clicks and not obstacle and not shown
    mode = LinkMode(choice.mode or LinkMode.TRACKED) if tracked else LinkMode.UNTRACKED
    final = _with_parameters(address, tracking)
    return Link(
        number=number,
        url=address.written,
        label=(choice.label or address.label)[:MAX_LABEL],
        category=choice.category,
        mode=mode,
        obstacle=obstacle or shown,
        target=_target(address, final) if mode is not LinkMode.UNTRACKED else "",
        places=tuple(_places(address, final, mode)),
    )


_OWN_PAGES = re.compile(r"\{\{-?\s*message\s*(?:\.\s*|\[\s*['\"])(?:mirror_url|unsubscribe_url|identifier)\b")
_ADDRESS_SHOWN = re.compile(r"(?:https?://|www\.)\S+|(?:[\w-]+\.)+[a-z]{2,}(?:[/?#]\S*)?", re.IGNORECASE)


def _obstacle(address: Address, number: int) -> str:
    """Why this link cannot be tracked; empty when it can."""
    if _OWN_PAGES.search(address.written):
        return Obstacle.OWN_PAGE
    if not address.decoded.lower().startswith(("http://", "https://")):
        return Obstacle.PERSONAL_HOST if address.decoded.startswith("\ue000") else Obstacle.NO_WEB_ADDRESS
    if not fixed_host(address.decoded):
        return Obstacle.PERSONAL_HOST if "\ue000" in address.decoded else Obstacle.NO_WEB_ADDRESS
    if address.place is None or number >= HONEYPOT:
        return Obstacle.RAW
    if "\ue000" in address.masked:
        return Obstacle.LOOP if address.in_loop else ""
    return "" if _location(address.decoded) else Obstacle.NO_WEB_ADDRESS


def _shows_address(address: Address) -> bool:
    """In HTML, readers see words; who sees an address expects to get there."""
    return address.part == HTML and bool(_ADDRESS_SHOWN.fullmatch(address.label.strip()))


def _with_parameters(address: Address, tracking: Tracking) -> str:
    """The masked address with the delivery's parameters."""
    host = fixed_host(address.decoded).partition(":")[0]
    if not host or not tracking.parameters or _OWN_PAGES.search(address.written):
        return address.masked
    hosts = tracking.parameter_hosts
    if hosts and not any(host == name or host.endswith(f".{name}") for name in hosts):
        return address.masked
    return with_parameters(address.masked, tracking.parameters, "&amp;" if address.part == HTML else "&")


def _target(address: Address, final: str) -> str:
    """Where the link leads everybody; empty when that is personal."""
    if "\ue000" in final:
        return ""
    return _location(attribute_text(final) if address.part == HTML else final)


def _location(url: str) -> str:
    try:
        return as_location(url)
    except ValueError:
        return ""


def _places(address: Address, final: str, mode: LinkMode) -> Iterator[Place]:
    """The place, where anything is put there: a tracked address, or one with parameters."""
    if address.place is not None and (mode is not LinkMode.UNTRACKED or final != address.masked):
        yield Place(address.part, *address.place, address.template.written(final))


_END_OF_BODY = re.compile(r"</body\b", re.IGNORECASE)


def unseen_place(html: str) -> int:
    """Where in an HTML template pixel and honeypot stand: before the end of its body, else at its end."""
    masked = mask(html)
    ends = [match.start() for match in _END_OF_BODY.finditer(masked.text)]
    place = masked.origin(ends[-1], ends[-1] + 1) if ends else None
    return place[0] if place else len(html)


def plain(template: str, part: str, links: Iterable[Link]) -> str:
    """The part's template as somebody gets it who is not tracked: every address as it leads, with its parameters."""
    return _spliced(template, ((place, place.address) for _, place in _places_in(part, links)))


def tracked(
    template: str,
    part: str,
    links: Iterable[Link],
    base_url: str,
    suffix: Callable[[int], str],
    *,
    pixel_at: int = -1,
    honeypot_at: int = -1,
) -> str:
    """The part's template with tracked addresses, and pixel and honeypot at their places (-1: none).

    All that differs between messages is the beginning of each link's identifier, the same throughout a message. A
    :data:`MARK` stands for it, so that one replacement in the finished part makes all its links, however many.
    """
    beginning = entities.escape(base_url) if part == HTML else base_url
    places = [
        (place, f"{beginning}/c/{MARK}{suffix(link.number)}" if link.is_tracked else place.address)
        for link, place in _places_in(part, links)
    ]
    if pixel_at >= 0:
        address = f"{beginning}/o/{MARK}{suffix(PIXEL)}"
        pixel = f'<img src="{address}" alt="" width="1" height="1" border="0" style="{_UNSEEN}">'
        places.append((Place(part, pixel_at, pixel_at, ""), pixel))
    if honeypot_at >= 0:
        address = f"{beginning}/c/{MARK}{suffix(HONEYPOT)}"
        trap = f'<a href="{address}" rel="nofollow" tabindex="-1" aria-hidden="true" style="display:none"></a>'
        places.append((Place(part, honeypot_at, honeypot_at, ""), trap))
    return _spliced(template, places)


def encoded_around_marks(text: str) -> str:
    """The author's text in quoted-printable, with each mark and its suffix on a line of their own."""
    first, *others = text.split(MARK)
    after = [
        f"{MARK}{piece[:LINK_SUFFIX_CHARACTERS]}=\r\n{quoted_printable(piece[LINK_SUFFIX_CHARACTERS:])}"
        for piece in others
    ]
    return quoted_printable(first) + "".join(after)


def marked(template: str, part: str, links: Iterable[Link]) -> str:
    """The part's template with a mark around each tracked address, for :func:`marked_address`."""
    places = _places_in(part, links)
    return _spliced(
        template,
        (
            (place, f"\ue000{link.number}\ue002{place.address}\ue001" if link.is_tracked else place.address)
            for link, place in places
        ),
    )


def marked_address(written: str, part: str, link: Link) -> str:
    """Where a link leads in a message whose marked part was written so. Raises ``ValueError`` when it leads nowhere.

    What values put into the address may change anything but its host.
    """
    found = re.search(f"\ue000{link.number}\ue002([^\ue001]*)\ue001", written)
    if found is None:
        raise ValueError("The link is not in this message.")
    location = as_location(attribute_text(found[1]) if part == HTML else found[1])
    fixed = next(place.address for place in link.places if place.part == part).partition("{")[0]
    host = fixed_host(as_location(attribute_text(fixed) if part == HTML else fixed))
    if fixed_host(location) != host:
        raise ValueError("A value changes the host of the link.")
    return location


def _places_in(part: str, links: Iterable[Link]) -> list[tuple[Link, Place]]:
    return [(link, place) for link in links for place in link.places if place.part == part]


def _spliced(template: str, pieces: Iterable[tuple[Place, str]]) -> str:
    """A template with what is put at its places; they do not overlap."""
    written, position = [], 0
    for place, piece in sorted(pieces, key=lambda one: one[0].start):
        written += [template[position : place.start], piece]
        position = place.end
    return "".join([*written, template[position:]])
