"""References to images inside a message, in pages for browsers."""

import pytest

from deliveries.rendering import images
from deliveries.rendering.images import with_image_addresses

PAGE = '<img src="cid:a"><img src=cid:b ><td background=\'cid:a\' style="background:url(cid:c)">cid:a</td>'


def test_references_become_addresses_and_all_else_stays():
    assert with_image_addresses(PAGE, {"a": "/a", "b": "/b"}) == (
        '<img src="/a"><img src=/b ><td background=\'/a\' style="background:url(cid:c)">cid:a</td>'
    )


def test_a_page_without_images_is_left_alone():
    assert with_image_addresses(PAGE, {}) == PAGE


def test_a_large_image_is_not_repeated_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(images, "MOST_REPEATED", 25)
    html = '<img src="cid:a"><img src="cid:b">' * 4

    page = with_image_addresses(html, {"a": "x" * 10, "b": "y" * 100})

    assert [page.count(written) for written in ("x" * 10, "cid:a", "y" * 100, "cid:b")] == [3, 1, 1, 3]
