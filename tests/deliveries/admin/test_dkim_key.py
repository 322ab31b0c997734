from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.actions.dkim_key import make_key, retire_key
from deliveries.domains.records import dkim_record, zone_line
from deliveries.models import DkimKey
from tests.deliveries import factories

ADD = "admin:deliveries_dkimkey_add"
CHANGE = "admin:deliveries_dkimkey_change"
RETIRE = "admin:deliveries_dkimkey_retire"
DELETE = "admin:deliveries_dkimkey_delete"


@pytest.fixture
def key(db: None) -> DkimKey:
    return make_key("example.com", selector="news")


def add(client: Client, **values: Any) -> Any:
    return client.post(reverse(ADD), {"domain": "example.com", "algorithm": "rsa", "selector": "", **values})


def page(client: Client, name: str, key: DkimKey) -> tuple[int, str]:
    response = client.get(reverse(name, args=[key.pk]))
    return response.status_code, response.content.decode()


def test_it_makes_a_key_and_goes_on_to_its_record(at_marketer: Client) -> None:
    response = add(at_marketer, domain=" Bücher.example ", algorithm="ed25519", selector="News")

    key = DkimKey.objects.get()
    assert str(key) == "news._domainkey.xn--bcher-kva.example"
    assert key.algorithm == "ed25519"
    assert response.url == reverse(CHANGE, args=[key.pk])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"domain": "example"}, "not a complete domain name"),
        ({"selector": "a b"}, "is not a selector"),
        ({"selector": "news"}, "There already is a key with selector “news” for example.com"),
        ({"domain": ""}, "This field is required"),
    ],
)
def test_it_says_in_the_form_what_is_wrong(
    at_marketer: Client, key: DkimKey, values: dict[str, str], sentence: str
) -> None:
    response = add(at_marketer, **values)

    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert DkimKey.objects.count() == 1


def test_it_shows_the_record_to_copy_and_never_the_private_key(at_marketer: Client, key: DkimKey) -> None:
    status, text = page(at_marketer, CHANGE, key)

    assert status == 200
    assert dkim_record(key) in text
    assert zone_line(key).replace('"', "&quot;") in text
    assert 'data-copy-from="record-value"' in text
    assert "PRIVATE KEY" not in text
    assert key.sealed_private_key not in text
    assert 'name="_save"' not in text


def test_it_lists_keys(at_marketer: Client, key: DkimKey) -> None:
    text = at_marketer.get(reverse("admin:deliveries_dkimkey_changelist")).content.decode()

    assert "example.com" in text
    assert "delete_selected" not in text


def test_it_asks_before_it_retires(at_marketer: Client, key: DkimKey) -> None:
    assert reverse(RETIRE, args=[key.pk]) in page(at_marketer, CHANGE, key)[1]
    status, text = page(at_marketer, RETIRE, key)

    key.refresh_from_db()
    assert status == 200
    assert "Retire news._domainkey.example.com?" in text
    assert key.active


def test_it_retires_once_confirmed(at_marketer: Client, key: DkimKey) -> None:
    response = at_marketer.post(reverse(RETIRE, args=[key.pk]), follow=True)

    key.refresh_from_db()
    assert not key.active
    text = response.content.decode()
    assert "is retired" in text
    assert reverse(RETIRE, args=[key.pk]) not in text


def test_it_lets_only_those_retire_who_may_change(at_colleague: Client, at_outsider: Client, key: DkimKey) -> None:
    for client in (at_colleague, at_outsider):
        assert client.post(reverse(RETIRE, args=[key.pk])).status_code == 403

    key.refresh_from_db()
    assert key.active
    assert page(at_colleague, CHANGE, key)[0] == 200
    assert reverse(RETIRE, args=[key.pk]) not in page(at_colleague, CHANGE, key)[1]
    assert page(at_outsider, CHANGE, key)[0] == 403
    assert at_colleague.get(reverse(ADD)).status_code == 403


def test_it_knows_no_key_that_is_not_there(at_marketer: Client, key: DkimKey) -> None:
    assert at_marketer.get(reverse(RETIRE, args=[key.pk + 1])).status_code == 404


def test_it_deletes_only_what_signs_nothing(at_marketer: Client, key: DkimKey) -> None:
    factories.analysed(factories.delivery(factories.people(1)))
    unused = make_key("example.com", selector="unused")
    retire_key(key)

    refused = at_marketer.post(reverse(DELETE, args=[key.pk]), {"post": "yes"})
    at_marketer.post(reverse(DELETE, args=[unused.pk]), {"post": "yes"})

    assert refused.status_code == 403
    assert list(DkimKey.objects.all()) == [key]
