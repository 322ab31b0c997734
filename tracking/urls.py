"""Public addresses of what recipients do."""

from django.urls import path, re_path

from tracking.link_views import link
from tracking.subscribing.views import confirm, subscribe
from tracking.unsubscription.views import preferences, undo, unsubscribe

urlpatterns = [
    path("s/<int:service_id>", subscribe, name="subscribe"),
    path("s/confirm/<str:token>", confirm, name="confirm_subscription"),
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
    path("u/<str:token>/undo", undo, name="undo_unsubscription"),
    path("u/<str:token>/preferences", preferences, name="preferences"),
    re_path(r"^[cC]/+(?P<rest>.+)$", link, name="link"),
    re_path(r"^[oO]/+(?P<rest>.+)$", link, name="open"),
]
