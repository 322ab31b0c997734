"""The A/B test of a delivery: set it up, watch its variants beside each other, send one to the rest."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from campaign import ui
from campaign.lib.durations import DurationError, parse, spell
from campaign.ranges import say_ranges
from deliveries.abtest.figures import Figures, figures_of, leader
from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.choose_winner import RUNNING, choose_winner
from deliveries.actions.edit_test import OVERRIDES, locked_in, remove_test, save_test
from deliveries.models import LETTERS, AbTest, Delivery, Measure, Part, Unsure, Variant
from deliveries.pages.access import delivery_page
from deliveries.rights import rights_of
from deliveries.states import EDITABLE, PartState
from deliveries.templatetags.humane import chance

LONG = {"rows": 8, "class": "c-source", "spellcheck": "false"}


@say_ranges
class AbTestForm(forms.ModelForm[AbTest]):
    """How it tests, and what each variant after A says."""

    wait = forms.CharField(
        label="Time to wait",
        widget=ui.TextInput,
        help_text="From the last test message on, for example 4h or 1d. People need time to open their mails.",
    )

    class Meta:
        model = AbTest
        fields = ("share", "measure", "wait", "by_itself", "confidence", "unsure")
        widgets = {
            "share": ui.TextInput(attrs={"inputmode": "decimal"}),
            "confidence": ui.TextInput(attrs={"inputmode": "decimal"}),
            "measure": forms.RadioSelect,
            "unsure": forms.RadioSelect,
        }
        labels = {
            "measure": "The best variant is told by",
            "by_itself": "Choose the winner by itself",
            "unsure": "If nothing is clear",
        }
        help_texts = {
            "measure": "People count once each; machines, archives and seed addresses are left out.",
            "by_itself": "When the time is over. Otherwise somebody who may start the delivery chooses, at any time.",
            "confidence": "How probable it has to be that a variant is the best, to be chosen by itself. 95 is usual.",
            "unsure": "When the time is over and no variant is the best with this confidence.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["measure"].choices = Measure.choices  # type: ignore[attr-defined]
        self.fields["unsure"].choices = Unsure.choices  # type: ignore[attr-defined]
        self.initial["wait"] = spell(self.instance.wait)
        known = {variant.letter: variant for variant in self.instance.variants.all()} if self.instance.pk else {}
        for letter in LETTERS[1:]:
            for name in OVERRIDES:
                self.fields[f"{letter}_{name}"] = field = _field(name)
                if name in locked_in(self.instance.delivery):
                    field.disabled = True
                    field.help_text = f"Locked by the template “{self.instance.delivery.template}”."
                self.initial[f"{letter}_{name}"] = getattr(known.get(letter), name, "")

    def clean_wait(self) -> timedelta:
        """Read as people write durations."""
        try:
            return parse(self.cleaned_data["wait"])
        except DurationError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """There is something to test."""
        cleaned = super().clean() or {}
        if not self.others():
            self.add_error("B_subject", "Write what variant B says: another subject, sender name or content.")
        return cleaned

    def others(self) -> list[Mapping[str, str]]:
        """The variants after A that say something; empty ones are left out."""
        each = [{name: self.cleaned_data.get(f"{letter}_{name}", "") for name in OVERRIDES} for letter in LETTERS[1:]]
        return [variant for variant in each if any(value.strip() for value in variant.values())]

    def settings_fields(self) -> list[forms.BoundField]:
        """How it tests."""
        return [self[name] for name in self.Meta.fields]

    def variant_fields(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """Letter, fields, and whether they are shown from the beginning."""
        groups = [(letter, [self[f"{letter}_{name}"] for name in OVERRIDES]) for letter in LETTERS[1:]]
        return [(letter, fields, letter == "B" or any(field.value() for field in fields)) for letter, fields in groups]


def _field(name: str) -> forms.Field:
    model_field = Variant._meta.get_field(name)
    words = {
        "subject": ("Subject", "Personalization is allowed. Empty: as in A."),
        "sender_name": ("Sender name", "Empty: as in A."),
        "html": ("HTML content", "Empty: as in A."),
        "text": ("Text content", "Empty: made from the HTML content above, or as in A."),
    }
    label, help_text = words[name]
    return forms.CharField(
        required=False,
        label=label,
        help_text=help_text,
        max_length=getattr(model_field, "max_length", None),
        strip=name not in {"html", "text"},
        widget=ui.Textarea(attrs=LONG) if name in {"html", "text"} else ui.TextInput,
    )


@delivery_page
def ab_test_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Set up while the delivery can be edited; afterwards the variants with their figures."""
    test = _test(delivery)
    rights = rights_of(request.user, delivery)
    may_edit = rights.edit and delivery.current_state in EDITABLE and delivery.proof_of_id is None
    if request.method == "POST" and not may_edit:
        raise PermissionDenied
    form = AbTestForm(request.POST or None, instance=test or AbTest(delivery=delivery))
    if request.method == "POST" and form.is_valid():
        try:
            save_test(delivery, form.cleaned_data, form.others(), by=request.user)
        except (ActionRefused, MoveRefused) as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Saved. Analyse the delivery to see the split.")
            return redirect("admin:deliveries_delivery_dashboard", delivery.pk)
    figures = figures_of(test) if test is not None and delivery.started_at is not None else []
    return ui.page(
        request,
        "deliveries/ab_test.html",
        title=f"A/B test: {delivery.label}",
        delivery=delivery,
        test=test,
        form=form if may_edit else None,
        figures=figures,
        versions=_versions(delivery, test),
        words=in_words(test, figures) if test is not None and figures else "",
        decides_at=test.tested_at + test.wait if test is not None and test.tested_at is not None else None,
        waiting=_waiting(delivery),
        may_choose=rights.start and test is not None and test.winner is None and delivery.current_state in RUNNING,
    )


@require_POST
@delivery_page
def ab_test_removal(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Do without a test."""
    if not rights_of(request.user, delivery).edit:
        raise PermissionDenied
    try:
        remove_test(delivery, by=request.user)
    except (ActionRefused, MoveRefused) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The A/B test is removed: everybody gets the delivery as it is.")
    return redirect("admin:deliveries_delivery_dashboard", delivery.pk)


@delivery_page
def choose_page(request: HttpRequest, delivery: Delivery, letter: str) -> HttpResponse:
    """Ask whether this variant goes to the rest, and send it."""
    if not rights_of(request.user, delivery).start:
        raise PermissionDenied
    test = _test(delivery)
    if test is None:
        raise Http404
    if request.method == "POST":
        try:
            choose_winner(delivery, letter, by=request.user)
        except (ActionRefused, MoveRefused) as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"Variant {letter} goes to the rest.")
        return redirect("admin:deliveries_delivery_ab_test", delivery.pk)
    figures = figures_of(test)
    chosen = next((each for each in figures if each.variant.letter == letter), None)
    if chosen is None:
        raise Http404
    return ui.page(
        request,
        "deliveries/ab_test_choose.html",
        title=f"Send variant {letter} to the rest: {delivery.label}",
        delivery=delivery,
        chosen=chosen,
        version=chosen.variant.of(delivery),
        words=in_words(test, figures),
        waiting=_waiting(delivery),
    )


def in_words(test: AbTest, figures: Sequence[Figures]) -> str:
    """How sure one can be, in a sentence."""
    if not any(each.result.people for each in figures):
        return "Nothing can be said yet: no test message has been delivered."
    ahead = leader(figures)
    letter, probability = ahead.variant.letter, chance(ahead.confidence)
    if ahead.confidence * 100 >= test.confidence:
        return f"Variant {letter} is the best with a probability of {probability}."
    return (
        f"Not clear yet: variant {letter} is ahead, and the best with a probability of {probability} "
        f"({test.confidence:g} % are asked for)."
    )


def _versions(delivery: Delivery, test: AbTest | None) -> list[tuple[str, Delivery]]:
    variants = test.variants.order_by("letter") if test is not None else []
    return [(variant.letter, variant.of(delivery)) for variant in variants]


def _waiting(delivery: Delivery) -> int:
    """Messages that wait for the winner, those to seed addresses included."""
    sizes = Part.objects.filter(delivery=delivery, state=PartState.WAITING).values_list("size", flat=True)
    return sum(sizes)


def _test(delivery: Delivery) -> AbTest | None:
    return AbTest.objects.select_related("winner", "chosen_by").filter(delivery=delivery).first()
