"""DKIM keys: make one, see what to publish, retire one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from campaign import ui
from deliveries.actions.base import ActionRefused
from deliveries.actions.dkim_key import new_key, retire_key
from deliveries.domains.records import dkim_record, zone_line
from deliveries.models import Algorithm, Content, DkimKey


class DkimKeyForm(forms.ModelForm[DkimKey]):
    """What somebody says of a new key; the pair itself is made here and the private half never leaves."""

    selector = forms.CharField(
        required=False, widget=ui.TextInput(), help_text="Empty: made of algorithm and month, such as rsa-202611."
    )

    class Meta:
        model = DkimKey
        fields = ["domain", "algorithm", "selector"]

    def clean(self) -> dict[str, Any]:
        """Make the key, so that whatever speaks against it shows in the form."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            self.instance = new_key(
                cleaned["domain"], algorithm=Algorithm(cleaned["algorithm"]), selector=cleaned["selector"]
            )
        except ActionRefused as refused:
            raise forms.ValidationError(str(refused)) from refused
        return {**cleaned, "domain": self.instance.domain, "selector": self.instance.selector}


@ui.register(DkimKey)
class DkimKeyAdmin(ui.ModelAdmin):
    """Keys by domain. A key is made and retired, never changed."""

    form = DkimKeyForm
    list_display = ["domain", "selector", "algorithm", "active", "created_at"]
    list_filter = ["active", "algorithm"]
    search_fields = ["domain__startswith"]
    search_help_text = "The beginning of a domain"
    change_form_template = "deliveries/dkim_key_form.html"

    def get_urls(self) -> list[URLPattern]:
        """With the question before a key is retired."""
        view = ui.site.admin_view(self.retire_view)
        return [path("<int:key_id>/retire/", view, name="deliveries_dkimkey_retire"), *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A key that exists also tells its state."""
        return ["domain", "algorithm", "selector", *(["active", "created_at"] if obj else [])]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a key."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only one key at a time, and only when it signs no content."""
        if obj is None or Content.objects.filter(dkim_keys__contains=[obj.pk]).exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what to publish."""
        key = context.get("original")
        if key is not None:
            context |= {
                "record_name": str(key),
                "record_value": dkim_record(key),
                "zone_line": zone_line(key),
                "may_retire": key.active and may_retire(request),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: DkimKey, post_url_continue: Any = None) -> HttpResponse:
        """Go on to the record that is to be published."""
        messages.success(request, f"The key {obj} is made. Now publish its DNS record.")
        return redirect("admin:deliveries_dkimkey_change", obj.pk)

    @staticmethod
    @require_http_methods(["GET", "POST"])
    def retire_view(request: HttpRequest, key_id: int) -> HttpResponse:
        """Ask, then retire."""
        if not may_retire(request):
            raise PermissionDenied
        key = DkimKey.objects.filter(pk=key_id).first()
        if key is None:
            raise Http404
        if request.method == "GET":
            return ui.page(request, "deliveries/retire_key.html", title=f"Retire {key}", key=key)
        retire_key(key)
        messages.success(request, f"{key} is retired: it signs nothing that is analysed from now on.")
        return redirect("admin:deliveries_dkimkey_change", key.pk)


def may_retire(request: HttpRequest) -> bool:
    """Whether the person may retire keys: the permission to change them."""
    return request.user.has_perm("deliveries.change_dkimkey")
