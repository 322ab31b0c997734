"""The admin's home page: the latest deliveries."""

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from campaign import ui
from campaign.lib.clock import now
from campaign.lib.notices import notices_for
from deliveries.archiving.copies import alarms
from deliveries.models import Delivery, DeliveryTemplate, Route
from deliveries.pages.overdue import is_overdue
from deliveries.pages.progress import progress_of
from deliveries.rights import may_view_deliveries
from deliveries.states import DeliveryState

LATEST = 10


@ui.site.home
def home(request: HttpRequest) -> HttpResponse:
    """The latest deliveries with their progress, and where to begin."""
    allowed = may_view_deliveries(request.user)
    latest = list(Delivery.objects.main().order_by("-id")[:LATEST]) if allowed else []
    progress = progress_of(latest)
    return ui.page(
        request,
        "deliveries/home.html",
        title="Latest deliveries",
        allowed=allowed,
        may_create=request.user.has_perm("deliveries.add_delivery"),
        waiting=list(_waiting_for(request)) if allowed else [],
        alarms=alarms(now()) if allowed else [],
        notices=notices_for(request.user),
        late=Delivery.objects.main().filter(is_overdue(now())).count() if allowed else 0,
        rows=[(delivery, progress[delivery.pk]) for delivery in latest],
        steps_left=_steps_left() if allowed and not latest else [],
    )


def _waiting_for(request: HttpRequest) -> QuerySet[Delivery]:
    """Deliveries that are ready and that this person may start: as one of those named, or where nobody is."""
    if not request.user.has_perm("deliveries.start_delivery"):
        return Delivery.objects.none()
    theirs = Q(reviewers=request.user.pk) | Q(reviewers=None)
    ready = Delivery.objects.main().filter(theirs, state=DeliveryState.READY)
    return ready.select_related("created_by").order_by("analysed_at")[:LATEST]


def _steps_left() -> list[tuple[str, str]]:
    """What a new installation still needs before its first delivery: sentence and name of the page."""
    steps = []
    if not Route.objects.exists():
        steps.append(("Create a route: it says how mail leaves.", "admin:deliveries_route_add"))
    if not DeliveryTemplate.objects.exists():
        steps.append(("Create a delivery template.", "admin:deliveries_deliverytemplate_add"))
    return steps
