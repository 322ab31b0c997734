import pytest
from django.test import Client


@pytest.mark.django_db
def test_it_is_well_when_both_services_answer(client: Client):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"database": "ok", "redis": "ok"}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_it_says_which_service_is_down_and_nothing_more(client: Client, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"database": "ok", "redis": "down"}


def test_it_takes_no_post(client: Client):
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_its_page_allows_no_script(client: Client):
    policy = client.get("/healthz")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src" not in policy
