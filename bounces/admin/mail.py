"""Mails that came back: looked at, downloaded, tried again; never written."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from bounces import process
from bounces.models import BounceMail, MailState
from campaign import ui
from campaign.lib.paging import EstimatedPaginator


@ui.register(BounceMail)
class BounceMailAdmin(ui.ModelAdmin):
    """Kept mails."""

    fields = [
        "received_at", "source", "envelope_to", "kind", "state", "sentence", "recipients", "deliveries", "forwarded",
        "download",
    ]  # fmt: skip
    readonly_fields = fields
    list_display = ["received_at", "kind", "state", "sentence", "source"]
    list_display_links = ["received_at"]
    list_filter = ["kind", "state"]
    paginator = EstimatedPaginator
    actions = ["try_again"]
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[BounceMail]:
        """Without the mails themselves, which may be big."""
        return super().get_queryset(request).defer("raw").select_related("forward")

    def get_urls(self) -> list[URLPattern]:
        """With the mail as it came."""
        return [
            path("<int:mail_id>/raw/", ui.site.admin_view(self.raw_view), name="bounces_bouncemail_raw"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come by themselves."""
        return False

    @admin.display(description="what it says")
    def recipients(self, mail: BounceMail) -> SafeString | str:
        """Each recipient with type, reason, rule and text."""
        lines = (
            (each["address"], each["type"], each["reason"], each["rule"] or "no rule", each["text"])
            for each in mail.findings
        )
        said = format_html_join(
            "", '<li><strong>{}</strong>: {}, {} ({})<span class="c-line c-note">{}</span></li>', lines
        )
        return format_html('<ul class="c-list">{}</ul>', said) if said else "–"

    @admin.display(description="deliveries")
    def deliveries(self, mail: BounceMail) -> SafeString | str:
        """Those that the mail is about."""
        links = ((reverse("admin:deliveries_delivery_dashboard", args=[pk]), pk) for pk in mail.delivery_ids)
        return format_html_join(", ", '<a class="c-link" href="{}">Delivery {}</a>', links) or "–"

    @admin.display(description="forwarded")
    def forwarded(self, mail: BounceMail) -> str:
        """Where to, and how far it is."""
        forward = getattr(mail, "forward", None)
        if forward is None:
            return "No"
        return f"{forward.get_state_display()}: {forward.to}. {forward.why} {forward.sentence}"

    @admin.display(description="the mail")
    def download(self, mail: BounceMail) -> SafeString | str:
        """A link, while it is kept."""
        if not BounceMail.objects.filter(pk=mail.pk).exclude(raw=b"").exists():
            return "Not kept"
        link = reverse("admin:bounces_bouncemail_raw", args=[mail.pk])
        return format_html(
            '<a class="c-link" href="{}">Download it as it came</a> ({} octets)', link, f"{mail.octets:,}"
        )

    @admin.action(description="Try the chosen mails again that were set aside", permissions=["change"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[BounceMail]) -> None:
        """Each on its own; what fails again stays set aside."""
        aside = list(BounceMail.objects.filter(pk__in=chosen.values("pk"), state=MailState.SET_ASIDE))
        done = [process.again(mail) for mail in aside]
        failed = sum(each.outcome is process.Outcome.SET_ASIDE for each in done)
        messages.success(request, f"{len(done) - failed:,} of {len(done):,} mails are processed now.")

    def raw_view(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        """The mail as a file: nothing in it is shown on this origin."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        mail = BounceMail.objects.exclude(raw=b"").filter(pk=mail_id).first()
        if mail is None:
            raise Http404
        headers = {
            "Content-Disposition": f'attachment; filename="mail-{mail.pk}.eml"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(bytes(mail.raw), content_type="application/octet-stream", headers=headers)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All of it."""
        return list(self.fields)
