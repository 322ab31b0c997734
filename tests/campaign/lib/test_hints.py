"""Hints: what they say is found anyway, so nobody waits for them."""

import socket

import pytest
from celery import Celery
from django.conf import settings

from campaign.lib import hints
from campaign.lib.hints import hint


def test_nobody_waits_long_for_a_queue_that_hangs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = Celery(set_as_current=False)
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.conf.broker_url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        app.conf.broker_transport_options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "socket_timeout": 0.1}
        monkeypatch.setattr(hints, "current_app", app)

        assert not hint("deliveries.tasks.send_parts")

    assert "The queue does not answer" in caplog.text
    assert 0 < settings.CELERY_BROKER_TRANSPORT_OPTIONS["socket_timeout"] <= 2
