"""Public addresses of mirror pages."""

from django.urls import path

from mirror.views import mirror

urlpatterns = [path("m/<str:token>", mirror, name="mirror")]
