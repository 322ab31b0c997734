"""The admin's frame: the only module that knows its theme (django-unfold), so that leaving the theme means one file.

Apps register with :func:`register` on :data:`site`, derive from :class:`ModelAdmin` and show pages of their own with
:func:`page`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin as ThemeModelAdmin
from unfold.admin import TabularInline as ThemeTabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
from unfold.widgets import UnfoldAdminSelectWidget as Select
from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
from unfold.widgets import UnfoldBooleanSwitchWidget as Switch

from campaign.ranges import say_range, say_ranges

if TYPE_CHECKING:
    from django.db.models import Model

__all__ = [
    "ModelAdmin",
    "PasswordInput",
    "Select",
    "Switch",
    "TabularInline",
    "TextInput",
    "Textarea",
    "page",
    "register",
    "site",
]

POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "frame-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [SELF],
    "base-uri": [SELF],
}
"""Content-Security-Policy of every admin page; the theme evaluates expressions, nothing else asks for more."""

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the sidebar: it shows to those who may view the model, once the model is registered."""

    title: str
    icon: str
    model: str


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Sending",
        (
            Entry("Deliveries", "send", "deliveries.delivery"),
            Entry("Delivery templates", "draft", "deliveries.deliverytemplate"),
            Entry("Personalization blocks", "data_object", "deliveries.personalizationblock"),
            Entry("Seed addresses", "psychiatry", "deliveries.seedaddress"),
            Entry("Seed groups", "forest", "deliveries.seedgroup"),
        ),
    ),
    (
        "People",
        (
            Entry("Recipients", "person", "recipients.recipient"),
            Entry("Lists", "groups", "recipients.recipientlist"),
            Entry("Saved queries", "manage_search", "recipients.savedquery"),
            Entry("Services", "verified_user", "recipients.service"),
            Entry("Custom attributes", "tune", "recipients.attributedefinition"),
            Entry("Imports", "upload_file", "recipients.recipientimport"),
            Entry("Quarantine", "report", "recipients.quarantine"),
            Entry("Denylist", "block", "recipients.denylist"),
        ),
    ),
    (
        "Bounces",
        (
            Entry("To qualify", "help_center", "bounces.unqualifiedtext"),
            Entry("Bounce rules", "rule_settings", "bounces.bouncerule"),
            Entry("Mails that came back", "mark_email_unread", "bounces.bouncemail"),
            Entry("Quarantine rules", "tune", "recipients.quarantinepolicy"),
        ),
    ),
    (
        "Installation",
        (
            Entry("Routes", "router", "deliveries.route"),
            Entry("Bounce mailboxes", "inbox", "bounces.bouncemailbox"),
            Entry("Platform defaults", "tune", "deliveries.platformdefaults"),
            Entry("Typologies", "rule", "deliveries.typology"),
            Entry("Archives", "archive", "deliveries.archive"),
            Entry("Domain limits", "speed", "deliveries.domainlimit"),
            Entry("DKIM keys", "key", "deliveries.dkimkey"),
            Entry("Rules for machines", "smart_toy", "tracking.machinerule"),
            Entry("Losses of events", "running_with_errors", "tracking.eventloss"),
            Entry("Audit trail", "history", "deliveries.auditline"),
            Entry("Users", "account_circle", "auth.user"),
            Entry("Groups", "shield_person", "auth.group"),
        ),
    ),
)


class CampaignSite(UnfoldAdminSite):
    """The admin of the project."""

    site_title = "Campaign"
    site_header = "Campaign"
    index_title = "Latest deliveries"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._home: View | None = None

    def home(self, view: View) -> View:
        """Decorator: the view that answers at the admin's root for somebody who is logged in."""
        self._home = view
        return view

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002 (Django's signature)
        """Protect ``view`` like every admin page (login, CSRF) and give it the admin's policy."""
        return csp(POLICY)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """The login page, which leads to the home page unless somebody was on the way elsewhere."""
        if request.method == "GET" and REDIRECT_FIELD_NAME not in request.GET:
            home = urlencode({REDIRECT_FIELD_NAME: reverse(f"{self.name}:index")})
            return redirect(f"{request.path}?{home}")
        log_in = super().login
        return csp(POLICY)(lambda asked: log_in(asked, extra_context))(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """The home page."""
        if self._home is None:
            return super().index(request, extra_context)
        return self._home(request)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The sidebar: what this person may view."""
        admins = {model._meta.label_lower: model_admin for model, model_admin in self._registry.items()}
        groups = []
        for title, entries in NAVIGATION:
            items = [
                self._item(request, entry)
                for entry in entries
                if entry.model in admins and admins[entry.model].has_view_permission(request)
            ]
            groups.append({"title": title, "items": items})
        home = {
            "title": "Home",
            "icon": "home",
            "link": reverse(f"{self.name}:index"),
            "active": request.path == reverse(f"{self.name}:index"),
            "has_permission": True,
        }
        return [{"items": [home]}, *groups]

    def _item(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        link = reverse(f"{self.name}:{entry.model.replace('.', '_')}_changelist")
        return {
            "title": entry.title,
            "icon": entry.icon,
            "link": link,
            "active": request.path.startswith(link),
            "has_permission": True,
        }

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        """What the theme's templates get on every page."""
        return {
            **context,
            "site_title": self.site_title,
            "site_header": self.site_header,
            "site_symbol": "campaign",
            "site_url": None,
            "theme": "light",
            "site_favicons": [{"rel": "icon", "type": "image/svg+xml", "href": static("campaign/icon.svg")}],
            "styles": [static("campaign/admin.css")],
            "scripts": [static("campaign/admin.js")],
        }


site = CampaignSite()


def register(*models: "type[Model]") -> Callable[[type[Any]], type[Any]]:
    """Class decorator: ``@register(Model)`` puts a :class:`ModelAdmin` on the project's site."""
    return admin.register(*models, site=site)


def page(request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any) -> TemplateResponse:
    """A page of ours inside the admin's frame; its template extends ``admin/page.html``."""
    request.current_app = site.name
    values = {**site.each_context(request), "title": title, **context}
    return TemplateResponse(request, template, values, status=status)


class ModelAdmin(ThemeModelAdmin):
    """Lists and forms of a model."""

    list_per_page = 50
    show_full_result_count = False
    warn_unsaved_form = False
    list_filter_submit = True

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, named in the window's title by what it lists."""
        return super().changelist_view(
            request, {"title": capfirst(self.opts.verbose_name_plural), **(extra_context or {})}
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form's field; a number says its range."""
        return say_range(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
        """The form; fields that it writes itself say their range as well."""
        return say_ranges(super().get_form(request, obj, change=change, **kwargs))


class TabularInline(ThemeTabularInline):
    """Rows of a dependent model inside a form."""

    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form's field; a number says its range."""
        return say_range(super().formfield_for_dbfield(db_field, request, **kwargs), db_field)


@register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg, misc]
    """People who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Sets of permissions."""
