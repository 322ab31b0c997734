"""Public addresses of mirror pages."""

from django.urls import path

from mirror.views import image, mirror

urlpatterns = [
    path("m/<str:token>", mirror, name="mirror"),
    path("m/<str:token>/<str:name>", image, name="mirror_image"),
]
