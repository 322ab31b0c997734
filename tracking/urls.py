"""Public addresses of what recipients do."""

from django.urls import path

from tracking.unsubscription.views import preferences, undo, unsubscribe

urlpatterns = [
    path("u/<str:token>", unsubscribe, name="unsubscribe"),
    path("u/<str:token>/undo", undo, name="undo_unsubscription"),
    path("u/<str:token>/preferences", preferences, name="preferences"),
]
