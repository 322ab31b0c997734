"""Public addresses of what recipients do."""

from django.urls import path

from tracking.views import unsubscribe

urlpatterns = [path("u/<str:token>", unsubscribe, name="unsubscribe")]
