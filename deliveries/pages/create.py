"""Create a delivery: choose a template, give a label, land on the edit page."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaign import ui
from deliveries.actions.create import create
from deliveries.models import DeliveryTemplate


class CreateForm(forms.Form):
    """A template and a label."""

    template = forms.ModelChoiceField(
        queryset=DeliveryTemplate.objects.order_by("label"),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "Choose a template.", "invalid_choice": "This template no longer exists."},
    )
    label = forms.CharField(
        max_length=200,
        widget=ui.TextInput,
        help_text="Only people here see it; it names the delivery in every list.",
        error_messages={"required": "Give the delivery a label."},
    )


def create_page(request: HttpRequest) -> HttpResponse:
    """Show the templates; a valid POST makes the delivery."""
    if not request.user.has_perm("deliveries.add_delivery"):
        raise PermissionDenied
    chosen = request.GET.get("template")
    form = CreateForm(request.POST or None, initial={"template": chosen} if chosen else None)
    if request.method == "POST" and form.is_valid():
        delivery = create(form.cleaned_data["template"], label=form.cleaned_data["label"], by=request.user)
        return redirect("admin:deliveries_delivery_change", delivery.pk)
    return ui.page(
        request,
        "deliveries/create.html",
        title="Create a delivery",
        form=form,
        templates=DeliveryTemplate.objects.only("label", "code", "description", "subject").order_by("label"),
        chosen=str(form["template"].value() or ""),
        may_add_template=request.user.has_perm("deliveries.add_deliverytemplate"),
    )
