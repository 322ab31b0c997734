"""The addresses of the project."""

from django.urls import include, path

from campaign.health import healthz
from campaign.ui import site

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", site.urls),
    path("", include("mirror.urls")),
    path("", include("tracking.urls")),
]
