"""The addresses of the project."""

from django.urls import include, path
from django.views.generic import RedirectView

from campaign.health import healthz
from campaign.ui import site

urlpatterns = [
    # Recipients have addresses of their own; who comes to the front door works here.
    path("", RedirectView.as_view(pattern_name="admin:index"), name="front_door"),
    path("healthz", healthz, name="healthz"),
    path("admin/", site.urls),
    path("", include("mirror.urls")),
    path("", include("tracking.urls")),
    path("", include("bounces.urls")),
]
