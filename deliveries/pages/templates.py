"""Pages about delivery templates: their pictures, copies of them, and deliveries kept as templates."""

import time

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import escape
from django.views.decorators.clickjacking import xframe_options_sameorigin

from campaign import ui
from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.actions.save_as_template import save_as_template
from deliveries.analysis.source import compile_properties
from deliveries.models import Delivery, DeliveryTemplate, Properties
from deliveries.pages.access import delivery_page
from deliveries.pages.preview import POLICY, PREVIEW_KEY, with_images
from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.merge import MessageError, MessageRow, Renderer
from deliveries.rights import may_view_deliveries

SOMEBODY = {"first_name": "Anna", "last_name": "Meyer", "address": "anna@example.org", "language": "en"}
"""Who gets the mail in a picture."""


class NameForm(forms.Form):
    """The new template's name."""

    label = forms.CharField(
        max_length=200, widget=ui.TextInput, label="Name", error_messages={"required": "Give the template a name."}
    )


@xframe_options_sameorigin
def picture(request: HttpRequest, template_id: int) -> HttpResponse:
    """A template's content as somebody would get it, for a small sandboxed frame."""
    if not (request.user.has_perm("deliveries.view_deliverytemplate") or may_view_deliveries(request.user)):
        raise PermissionDenied
    template = get_object_or_404(DeliveryTemplate, pk=template_id)
    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=60",
    }
    return HttpResponse(picture_of(template), headers=headers)


def picture_of(template: Properties) -> str:
    """The HTML content, the text content as a page, or a sentence that says why there is neither."""
    try:
        compiled = compile_properties(template)
        values = [SOMEBODY.get(path.removeprefix("recipient.")) for path in compiled.fields]
        row = MessageRow(1, SOMEBODY["address"], values, now())
        renderer = Renderer(compiled.untracked(), 0, PREVIEW_KEY, clock=time.monotonic)
        if html := renderer.html(row):
            return with_images(template, html)
        text = renderer.text(row) or "No content yet"
    except (PersonalizationErrors, MessageError) as error:
        text = str(error)
    return f'<pre style="white-space:pre-wrap;font:16px/26px Arial,sans-serif;padding:24px">{escape(text)}</pre>'


@delivery_page
def save_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Ask for a name, and keep the delivery as a template."""
    return _name_page(request, delivery, f"Save as template: {delivery.label}", delivery.label)


def duplicate_page(request: HttpRequest, template_id: int) -> HttpResponse:
    """Ask for a name, and copy the template."""
    template = get_object_or_404(DeliveryTemplate, pk=template_id)
    return _name_page(request, template, f"Duplicate: {template.label}", f"Copy of {template.label}")


def _name_page(request: HttpRequest, source: Properties, title: str, suggestion: str) -> HttpResponse:
    if not request.user.has_perm("deliveries.add_deliverytemplate"):
        raise PermissionDenied
    form = NameForm(request.POST or None, initial={"label": suggestion[:200]})
    if request.method == "POST" and form.is_valid():
        try:
            template = save_as_template(source, form.cleaned_data["label"])
        except ActionRefused as refused:
            form.add_error("label", str(refused))
        else:
            return redirect("admin:deliveries_deliverytemplate_change", template.pk)
    return ui.page(request, "deliveries/template_name.html", title=title, form=form)
