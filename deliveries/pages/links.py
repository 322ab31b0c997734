"""The links of a delivery: where they lead, and what marketers set for each."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaign import ui
from deliveries.actions.edit import edited
from deliveries.analysis.source import compile_properties
from deliveries.models import Delivery
from deliveries.moves import write_audit
from deliveries.pages.access import delivery_page
from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.compile import Compiled
from deliveries.rendering.links import MAX_LABEL, Link, LinkMode, Obstacle
from deliveries.rendering.tracking import Choice
from deliveries.rights import rights_of
from deliveries.states import EDITABLE

MODES = (
    ("", "By default"),
    (LinkMode.TRACKED, "Tracked"),
    (LinkMode.UNTRACKED, "Not tracked"),
    (LinkMode.OPT_OUT, "Tracked as opt-out"),
    (LinkMode.MIRROR, "Tracked as mirror page"),
)

OBSTACLES = {
    Obstacle.NO_WEB_ADDRESS: "Not tracked: it leads to no web page.",
    Obstacle.OWN_PAGE: "Not tracked: the mirror page and the unsubscription page count by themselves.",
    Obstacle.PERSONAL_HOST: "Not tracked: its host is personalized.",
    Obstacle.LOOP: "Not tracked: a personalized address in a loop.",
    Obstacle.RAW: "Not tracked: it stands between raw and endraw, is too long, or goes on behind a condition.",
    Obstacle.SHOWN: "Not tracked: readers see an address, and would see that it leads elsewhere.",
}


TOO_LONG = {"max_length": "Write at most %(limit_value)d characters; these are %(show_value)d."}


@dataclass(frozen=True, slots=True)
class Line:
    """All links with one address."""

    url: str
    labels: str
    times: int
    state: str
    may_choose: bool
    form: "ChoiceForm"


class ChoiceForm(forms.Form):
    """What is set for an address."""

    mode = forms.ChoiceField(
        choices=MODES,
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is no mode. Choose one of the list."},
    )
    label = forms.CharField(max_length=MAX_LABEL, required=False, error_messages=TOO_LONG)
    category = forms.CharField(max_length=60, required=False, error_messages=TOO_LONG)


def lines_of(compiled: Compiled, choices: dict[str, Any], data: Any = None) -> list[Line]:
    """A line for each address, in order of appearance, with a form."""
    by_url: dict[str, list[Link]] = {}
    for link in compiled.links:
        by_url.setdefault(link.url, []).append(link)
    return [
        _line(url, links, ChoiceForm(data, prefix=f"link-{number}", initial=choices.get(url, {})))
        for number, (url, links) in enumerate(by_url.items())
    ]


def _line(url: str, links: list[Link], form: ChoiceForm) -> Line:
    own = {link.label for link in links if link.label}
    obstacles = {link.obstacle for link in links}
    return Line(
        url=url,
        labels=" · ".join(sorted(own)),
        times=sum(max(len(link.places), 1) for link in links),
        state=_state(links),
        may_choose=bool(obstacles & {"", Obstacle.SHOWN}),
        form=form,
    )


def _state(links: Iterable[Link]) -> str:
    names = {"": "By default", **{mode: label for mode, label in MODES if mode}}
    return " ".join(
        dict.fromkeys(
            OBSTACLES[Obstacle(link.obstacle)] if link.obstacle else f"{names[link.mode]}."
            for link in links
        )
    )  # fmt: skip


def save_choices(delivery: Delivery, lines: Iterable[Line], *, by: Any) -> None:
    """Keep what was set; what was set for addresses that are not in the content now is remembered."""
    choices = dict(delivery.link_choices)
    for line in lines:
        chosen = Choice(**{name: line.form.cleaned_data[name] for name in ("mode", "label", "category")})
        if chosen == Choice():
            choices.pop(line.url, None)
        else:
            choices[line.url] = asdict(chosen)
    if choices == delivery.link_choices:
        return
    delivery.link_choices = choices
    delivery.save(update_fields=["link_choices", "updated_at"])
    write_audit(delivery, "Edited: links.", by=by)
    edited(delivery, by=by)


@delivery_page
def links_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """The table, and its form while the delivery can be edited."""
    may_edit = delivery.current_state in EDITABLE and rights_of(request.user, delivery).edit
    try:
        compiled = _compiled(delivery)
    except PersonalizationErrors as errors:
        return _page(request, delivery, [], errors=[str(error) for error in errors])
    if request.method == "POST" and may_edit:
        lines = lines_of(compiled, delivery.link_choices, request.POST)
        chosen = [line for line in lines if line.may_choose]
        wrong = sum(not line.form.is_valid() for line in chosen)
        if not wrong:
            save_choices(delivery, chosen, by=request.user)
            messages.success(request, "Saved.")
            return redirect("admin:deliveries_delivery_links", delivery.pk)
        return _page(request, delivery, lines, may_edit=may_edit, wrong=wrong)
    return _page(request, delivery, lines_of(compiled, delivery.link_choices), may_edit=may_edit)


def _compiled(delivery: Delivery) -> Compiled:
    """What was sent once the delivery has started, else the present content."""
    if delivery.current_state not in EDITABLE and delivery.content is not None:
        return Compiled.from_json(delivery.content.compiled)
    return compile_properties(delivery)


def _page(request: HttpRequest, delivery: Delivery, lines: list[Line], **context: Any) -> HttpResponse:
    return ui.page(
        request,
        "deliveries/links.html",
        title=f"Links: {delivery.label}",
        delivery=delivery,
        lines=lines,
        categories=sorted({choice["category"] for choice in delivery.link_choices.values() if choice.get("category")}),
        **context,
    )
