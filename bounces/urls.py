"""Addresses that providers call."""

from django.urls import path

from bounces.sources.webhooks.views import hook

app_name = "bounces"
urlpatterns = [path("hooks/<slug:name>/", hook, name="hook")]
