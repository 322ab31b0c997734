"""Export and erase one person's data, from the recipient's page."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from campaign import ui
from campaign.lib.patience import TookTooLong, at_most
from campaign.lib.privacy import Person
from deliveries.actions.personal_data import ask_for_erasure, export_file, person_of
from deliveries.models import Erasure, Message, SeedAddress
from recipients.models import Recipient

MOST_SECONDS: Final = 8
"""For each question to the database: a web server gives a request some 30 seconds."""


@require_POST
def export_page(request: HttpRequest, recipient_id: int) -> FileResponse | HttpResponseRedirect:
    """Everything about the person as a ZIP file. A POST, because it is written down in the audit trail."""
    person = _person(request, recipient_id, "recipients.export_recipient")
    try:
        with at_most(MOST_SECONDS):
            file = export_file(person, by=request.user)
    except TookTooLong:
        messages.error(
            request,
            "The logs are too long to be looked through while you wait; nothing was exported. "
            f"Have an operator run: manage.py privacy export {person.address}",
        )
        return redirect("admin:recipients_recipient_change", recipient_id)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"person-{recipient_id}.zip",
        content_type="application/zip",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def erase_page(request: HttpRequest, recipient_id: int) -> HttpResponse:
    """Says what will be erased and what stays; a POST has it done."""
    person = _person(request, recipient_id, "recipients.erase_recipient")
    if request.method == "POST":
        ask_for_erasure(person, by=request.user)
        messages.success(request, "The erasure has been asked for; a worker does it within a minute. Nothing leaves.")
        return redirect("admin:recipients_recipient_changelist")
    own = Q(recipient_id=recipient_id)
    return ui.page(
        request,
        "deliveries/erase.html",
        title="Erase a person’s data",
        person=person,
        recipient_id=recipient_id,
        number=Message.objects.filter(own).count(),
        is_seed=SeedAddress.objects.filter(address__iexact=person.address).exists(),
        under_way=Erasure.objects.filter(pseudonym=person.pseudonym, done_at=None).exists(),
    )


def _person(request: HttpRequest, recipient_id: int, right: str) -> Person:
    user: Any = request.user
    if not user.has_perm(right):
        raise PermissionDenied
    recipient = Recipient.objects.filter(pk=recipient_id).first()
    if recipient is None:
        raise Http404("There is no such recipient.")
    return person_of(recipient)
