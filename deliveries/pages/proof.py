"""Send a proof: to whom, with whose data, in which formats."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaign import ui
from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.send_proof import Proof, ProofFormats, send_proof
from deliveries.models import Delivery, SeedAddress, SeedGroup, Variant
from deliveries.models.proof import MOST_LINES
from deliveries.pages.access import delivery_page
from deliveries.rights import rights_of
from recipients.models import RecipientList


class ProofForm(forms.Form):
    """The proof that is asked for."""

    addresses = forms.CharField(
        required=False,
        label="Test addresses",
        widget=ui.Textarea(attrs={"rows": 3}),
        help_text=f"One a line. They get the proof in place of the people whose data it shows. "
        f"At most {MOST_LINES} messages.",
    )
    data_of = forms.CharField(
        required=False,
        label="With the data of",
        widget=ui.Textarea(attrs={"rows": 2}),
        help_text="Addresses of recipients, one a line: each test address gets one message for each of them. "
        "Empty: of people chosen at random from the target.",
    )
    seed_groups = forms.ModelMultipleChoiceField(
        queryset=SeedGroup.objects.order_by("name"),
        required=False,
        label="Seed addresses",
        widget=forms.CheckboxSelectMultiple,
        help_text="They get the proof with their own fields; what they lack comes from the people above.",
    )
    lists = forms.ModelMultipleChoiceField(
        queryset=RecipientList.objects.order_by("name"),
        required=False,
        label="Lists",
        widget=forms.CheckboxSelectMultiple,
        help_text="Everybody on these lists gets the proof with their own data.",
    )
    variant = forms.ChoiceField(
        label="Variant of the A/B test",
        required=False,
        widget=forms.RadioSelect,
        help_text="A is the delivery as it is.",
    )
    formats = forms.ChoiceField(
        choices=ProofFormats.choices, initial=ProofFormats.AS_SENT, label="Formats", widget=forms.RadioSelect
    )
    keep_denylisted = forms.BooleanField(
        required=False, initial=True, label="Also to people on the denylist", help_text="Testers have asked for it."
    )
    keep_quarantined = forms.BooleanField(required=False, label="Also to addresses in quarantine")
    keep_duplicates = forms.BooleanField(required=False, label="Also twice to the same address")
    archive = forms.BooleanField(
        required=False, label="Archive the proof", help_text="Proofs are archived only when you ask for it."
    )

    def __init__(self, *args: Any, letters: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if letters:
            self.fields["variant"].choices = [(letter, letter) for letter in letters]  # type: ignore[attr-defined]
            self.fields["variant"].initial = letters[0]
        else:
            del self.fields["variant"]

    def proof(self) -> Proof:
        """What was asked for, once the form is valid."""
        values = self.cleaned_data
        return Proof(
            addresses=_lines(values["addresses"]),
            data_of=_lines(values["data_of"]),
            seed_groups=[each.pk for each in values["seed_groups"]],
            lists=[each.pk for each in values["lists"]],
            formats=ProofFormats(values["formats"]),
            variant=values.get("variant", ""),
            archive=values["archive"],
            keep_denylisted=values["keep_denylisted"],
            keep_quarantined=values["keep_quarantined"],
            keep_duplicates=values["keep_duplicates"],
        )


@delivery_page
def proof_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Ask, and send."""
    if not rights_of(request.user, delivery).edit:
        raise PermissionDenied
    letters = list(Variant.objects.filter(test__delivery=delivery).order_by("letter").values_list("letter", flat=True))
    form = ProofForm(request.POST or None, initial=_as_last_time(delivery, request.user), letters=letters)
    if request.method == "POST" and form.is_valid():
        try:
            made = send_proof(delivery, form.proof(), by=request.user)
        except (ActionRefused, MoveRefused) as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("admin:deliveries_delivery_dashboard", made.pk)
    return ui.page(
        request,
        "deliveries/proof.html",
        title=f"Send a proof: {delivery.label}",
        delivery=delivery,
        form=form,
        number=(delivery.proofs.order_by("-proof_number").values_list("proof_number", flat=True).first() or 0) + 1,
    )


def _as_last_time(delivery: Delivery, person: Any) -> dict[str, Any]:
    """The test addresses and the groups of seed addresses of the last proof, else the person's own address."""
    last = delivery.proofs.order_by("-proof_number").first()
    if last is None:
        return {"addresses": person.email}
    lines = last.proof_lines
    seeds = SeedAddress.objects.filter(pk__in=lines.values("seed"))
    whole = SeedGroup.objects.exclude(addresses__in=SeedAddress.objects.exclude(pk__in=seeds))
    return {
        "addresses": "\n".join(dict.fromkeys(lines.filter(seed=None).values_list("address", flat=True))),
        "seed_groups": whole.filter(addresses__in=seeds).distinct(),
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace(",", "\n").replace(";", "\n").splitlines() if line.strip()]
