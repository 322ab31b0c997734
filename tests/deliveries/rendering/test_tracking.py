import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.signing import LINK_CHARACTERS, split_link, verify_link
from deliveries.personalization.blocks import Block
from deliveries.rendering.compile import Compiled
from deliveries.rendering.links import LinkMode, Obstacle
from deliveries.rendering.merge import MessageError, Renderer
from deliveries.rendering.tracking import MARK, Choice, Tracking, marked, plain, plan_links, tracked
from tests.deliveries.rendering.contents import KEY, compiled, parsed, renderer, row

ON = Tracking(clicks=True, opens=True)
CODE = re.compile(rf"https://mail\.example\.com/c/([a-z0-9]{{{LINK_CHARACTERS}}})")
SHOP = "https://shop.example/a"


def links(html: str = "", text: str = "", **changes: Any) -> list[tuple[int, str, str]]:
    """Number, mode and obstacle of each link."""
    found = plan_links(html, text, Tracking(clicks=True, **changes))
    return [(link.number, link.mode, link.obstacle) for link in found]


def test_only_addresses_are_replaced_and_the_rest_stays_byte_for_byte() -> None:
    html = (
        "<!--[if mso]><table><![endif]--><A  CLASS=x HREF = ' https://shop.example/a?x=1&amp;y=2#top ' title=z>Buy</A >"
        '<p><b>odd</p></b><a href=https://shop.example/bare>Bare</a><area href="https://shop.example/map">'
    )
    made = renderer(html=html, tracking=Tracking(clicks=True))

    written = made.html(row(made))

    codes = CODE.findall(written)
    expected = html
    for code, address in zip(
        codes, ["https://shop.example/a?x=1&amp;y=2#top", "https://shop.example/bare", "https://shop.example/map"],
        strict=True,
    ):  # fmt: skip
        expected = expected.replace(address, f"https://mail.example.com/c/{code}", 1)
    assert written == expected


def test_every_code_is_signed_for_its_message_and_its_link() -> None:
    made = renderer(html=f'<a href="{SHOP}">A</a><a href="{SHOP}/b">B</a>', tracking=ON)

    codes = CODE.findall(made.html(row(made)))

    identifiers = [split_link(code) for code in codes]
    assert [(one.content_id, one.message_id, one.link) for one in identifiers] == [
        (7, (3 << 32) | 1, 1),
        (7, (3 << 32) | 1, 2),
    ]
    assert all(verify_link(one, KEY) for one in identifiers)
    assert not verify_link(split_link(codes[0][:-3] + "002"), KEY)


@pytest.mark.parametrize(
    ("html", "obstacle"),
    [
        ('<a href="#top">x</a>', Obstacle.NO_WEB_ADDRESS),
        ('<a href="mailto:a@shop.example">x</a>', Obstacle.NO_WEB_ADDRESS),
        ('<a href="tel:+41">x</a>', Obstacle.NO_WEB_ADDRESS),
        ('<a href="//shop.example">x</a>', Obstacle.NO_WEB_ADDRESS),
        ('<a href="https://me@shop.example/">x</a>', Obstacle.NO_WEB_ADDRESS),
        ('<a href="https://[shop/">x</a>', Obstacle.NO_WEB_ADDRESS),
        ('<a href="https://shop.example:99999/">x</a>', Obstacle.NO_WEB_ADDRESS),
        ('<a href="{{ message.unsubscribe_url }}">x</a>', Obstacle.OWN_PAGE),
        ('<a href="{{ message.mirror_url }}#x">x</a>', Obstacle.OWN_PAGE),
        ('<a href="https://shop.example/?next={{ message.mirror_url }}">x</a>', Obstacle.OWN_PAGE),
        ('<a href="{{ recipient.birthday }}">x</a>', Obstacle.PERSONAL_HOST),
        ('<a href="https://{{ recipient.birthday }}.shop.example/">x</a>', Obstacle.PERSONAL_HOST),
        ('<a href="https://shop.example{{ recipient.birthday }}">x</a>', Obstacle.PERSONAL_HOST),
        ('<a href="https://shop.example{% if 1 %}.evil.example{% endif %}/">x</a>', Obstacle.PERSONAL_HOST),
        ('{% for i in recipient.items %}<a href="https://a.example/{{ i }}">x</a>{% endfor %}', Obstacle.LOOP),
        ('{% raw %}<a href="https://shop.example/">x</a>{% endraw %}', Obstacle.RAW),
        ('<a href="https://shop.example/terms">https://shop.example/terms</a>', Obstacle.SHOWN),
        ('<a href="https://shop.example/terms">www.shop.example</a>', Obstacle.SHOWN),
        ('<a href="https://shop.example/terms">shop.example</a>', Obstacle.SHOWN),
    ],
)
def test_it_leaves_alone_what_leads_to_no_page_or_somewhere_personal(html: str, obstacle: Obstacle) -> None:
    made = renderer(html=html, tracking=Tracking(clicks=True))

    [link] = made.compiled.links

    assert (link.mode, link.obstacle) == (LinkMode.UNTRACKED, obstacle)
    assert "mail.example.com/c/" not in made.html(row(made, items=["1"]))


def test_a_fixed_address_in_a_loop_is_one_link_at_several_places() -> None:
    html = '{% for i in recipient.items %}<a href="https://shop.example/">{{ i }}</a>{% endfor %}'
    made = renderer(html=html, tracking=Tracking(clicks=True))

    codes = CODE.findall(made.html(row(made, items=["1", "2"])))

    assert len(codes) == 2
    assert len(set(codes)) == 1


def test_who_insists_tracks_a_link_that_shows_its_address() -> None:
    html = f'<a href="{SHOP}">{SHOP}</a>'

    assert links(html, choices={SHOP: Choice(LinkMode.TRACKED)}) == [(1, LinkMode.TRACKED, "")]


def test_a_choice_gives_label_category_and_mode_to_all_links_with_its_address() -> None:
    html = f'<a href="{SHOP}">A</a><a href="{SHOP}">B</a><a href="{SHOP}/other">C</a>'

    found = plan_links(html, "", Tracking(clicks=True, choices={SHOP: Choice(LinkMode.OPT_OUT, "Way out", "Legal")}))

    assert [(link.label, link.category, link.mode) for link in found] == [
        ("Way out", "Legal", LinkMode.OPT_OUT),
        ("Way out", "Legal", LinkMode.OPT_OUT),
        ("C", "", LinkMode.TRACKED),
    ]


def test_without_tracking_nothing_is_put_anywhere() -> None:
    html, text = f'<body><a href="{SHOP}">A</a></body>', f"See {SHOP}"
    made = renderer(html=html, text=text)

    assert (made.html(row(made)), made.text(row(made))) == (html, text)
    assert not made.compiled.is_tracked
    assert "recipient.may_be_tracked" not in made.compiled.fields


def test_who_may_not_be_tracked_gets_plain_links_and_no_pixel() -> None:
    html, text = f'<body><a href="{SHOP}">A</a></body>', f"See {SHOP}"
    made = renderer(html=html, text=text, tracking=ON)

    mail = made.mail(row(made, may_be_tracked=False)).data

    assert b"mail.example.com/c/" not in mail
    assert b"mail.example.com/o/" not in mail
    assert made.html(row(made, may_be_tracked=False)) == html
    assert b"mail.example.com/c/" in made.mail(row(made, may_be_tracked=True)).data


def test_the_pixel_is_at_the_end_of_the_body() -> None:
    made = renderer(html="<html><body><p>Hello</p></body></html>", tracking=Tracking(opens=True))

    assert re.search(
        r'<p>Hello</p><img src="https://mail\.example\.com/o/[a-z0-9]{49}" alt="" width="1" [^>]*></body></html>',
        made.html(row(made)),
    )


def test_the_mail_carries_the_same_html_and_text_as_a_person_reads() -> None:
    html, text = f'<body>é <a href="{SHOP}">A</a>\n.<a href="{SHOP}/b">B</a></body>', f"{SHOP}\n{SHOP}/b\n"
    made = renderer(html=html, text=text, tracking=ON)

    mail = parsed(made.mail(row(made)).data)

    html_part, text_part = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html_part is not None
    assert text_part is not None
    assert html_part.get_content().replace("\r\n", "\n").rstrip("\n") == made.html(row(made))
    assert text_part.get_content().replace("\r\n", "\n") == made.text(row(made))


@pytest.mark.parametrize("html", ["<p>Hello", "{% raw %}<p></body>{% endraw %}"])
def test_without_an_end_of_the_body_the_pixel_is_last(html: str) -> None:
    made = renderer(html=html, tracking=Tracking(opens=True))

    part = parsed(made.mail(row(made)).data).get_body(("html",))

    assert part is not None
    assert part.get_content().rstrip().endswith('!important">')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://shop.example/a.", "https://shop.example/a"),
        ("(https://shop.example/a)", "https://shop.example/a"),
        ("[https://shop.example/a_(b)]", "https://shop.example/a_(b)"),
        ("Terms (https://shop.example/a)Write (mailto:a@shop.example)", "https://shop.example/a"),
        ("(https://shop.example/a.).", "https://shop.example/a"),
        ("<https://shop.example/a>", "https://shop.example/a"),
        ("“https://shop.example/a?b=1&c=2#d”, really", "https://shop.example/a?b=1&c=2#d"),
        ("https://shop.example/{{ recipient.birthday }}/x!", "https://shop.example/{{ recipient.birthday }}/x"),
        ("{% if 1 %}https://shop.example/a{% endif %}\n", "https://shop.example/a"),
    ],
)  # fmt: skip
def test_it_finds_addresses_in_text_without_the_punctuation_around_them(text: str, expected: str) -> None:
    html_quotes = "”"
    [link] = plan_links("", text.replace(html_quotes, '"'), Tracking(clicks=True))

    assert (link.url, link.mode) == (expected, LinkMode.TRACKED)


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example/{% if 1 %}a{% endif %}/b",
        "{% if 1 %}https://shop.example/a{% else %}https://shop.example/b{% endif %}/tail",
        "https://shop.example/" + "a" * 3000,
    ],
)
def test_it_leaves_alone_an_address_in_text_that_may_go_on(text: str) -> None:
    made = renderer(html="", text=text, tracking=Tracking(clicks=True))

    written = made.text(row(made))

    assert "/tail" not in written or not re.search(r"/c/\w+/tail", written)
    assert not re.search(r"/c/\w{49}\w", written)


def test_the_same_address_in_html_and_text_is_one_link() -> None:
    html, text = (
        '<a href="https://shop.example/?a=1&amp;b=2">A</a>',
        "A (https://shop.example/?a=1&b=2) B https://b.example",
    )

    first, second = plan_links(html, text, Tracking(clicks=True))

    assert [place.part for place in first.places] == ["html", "text"]
    assert (second.number, second.url) == (2, "https://b.example")


def test_parameters_are_added_to_tracked_and_untracked_links_of_the_named_sites() -> None:
    html = (
        '<a href="https://www.shop.example/a?utm_source=own#x">A</a><a href="https://shop.example/b">shop.example</a>'
        '<a href="https://other.example/">C</a><a href="mailto:a@shop.example">D</a>'
    )
    tracking = Tracking(
        clicks=True, parameters=(("utm_source", "news"), ("utm_campaign", "a & b")), parameter_hosts=("shop.example",)
    )
    made = renderer(html=html, tracking=tracking)

    assert [link.target for link in made.compiled.links] == [
        "https://www.shop.example/a?utm_source=own&utm_campaign=a%20%26%20b#x",
        "",
        "https://other.example/",
        "",
    ]
    assert '"https://shop.example/b?utm_source=news&amp;utm_campaign=a%20%26%20b"' in made.html(row(made))


def test_parameters_are_added_without_tracking_as_well() -> None:
    made = renderer(html=f'<a href="{SHOP}">A</a>', tracking=Tracking(parameters=(("utm_source", "news"),)))

    assert made.html(row(made)) == f'<a href="{SHOP}?utm_source=news">A</a>'


def test_a_personal_address_is_worked_out_again_from_the_message() -> None:
    html = (
        "{% set code = recipient.birthday|default('none') %}"
        '<a href="https://shop.example/{{ code|urlencode }}?a=1&amp;n={{ recipient.score }}&copy=2">A</a>'
    )
    made = renderer(html=html, tracking=Tracking(clicks=True, parameters=(("utm_source", "news"),)))
    message = row(made, birthday="é/&?", score="1&2")

    assert CODE.search(made.html(message))
    assert made.destination(message, 1) == "https://shop.example/%C3%A9%2F%26%3F?a=1&n=1&2&copy=2&utm_source=news"


def test_a_personal_address_in_text_is_worked_out_as_well() -> None:
    made = renderer(html="", text="To https://shop.example/{{ recipient.score }}.", tracking=Tracking(clicks=True))

    assert made.destination(row(made, score="7"), 1) == "https://shop.example/7"


@pytest.mark.parametrize(
    "value", ["x", "@evil.example", "\\evil.example", "//evil.example", "\r\nSet-Cookie: a=b", "\ue0001\ue002https://evil.example/\ue001"]
)  # fmt: skip
def test_no_value_makes_a_link_lead_to_another_host(value: str) -> None:
    made = renderer(
        html='<p>{{ recipient.score }}</p><a href="https://shop.example/{{ recipient.score }}">A</a>',
        tracking=Tracking(clicks=True),
    )

    try:
        destination = made.destination(row(made, score=value), 1)
    except MessageError:
        return
    assert destination.startswith("https://shop.example/")
    assert destination.isascii()
    assert not re.search(r"\s", destination)


def test_a_link_that_is_not_in_this_message_leads_nowhere() -> None:
    html = '{% if recipient.score %}<a href="https://shop.example/{{ recipient.score }}">A</a>{% endif %}'
    made = renderer(html=html, tracking=Tracking(clicks=True))

    with pytest.raises(MessageError, match="not in this message"):
        made.destination(row(made), 1)


def test_blocks_are_tracked_like_the_rest() -> None:
    blocks = {"foot": Block("foot", f'<a href="{SHOP}">A</a>', "")}
    made = renderer(blocks, html="{% include 'foot' %}{% include 'foot' %}", tracking=Tracking(clicks=True))

    assert len(set(CODE.findall(made.html(row(made))))) == 2


def test_a_content_in_base64_is_tracked_as_well() -> None:
    made = renderer(html=f'<p>{"日本語" * 200}</p><a href="{SHOP}">A</a>', tracking=ON)

    part = parsed(made.mail(row(made)).data).get_body(("html",))

    assert made.compiled.html_base64
    assert part is not None
    assert CODE.search(part.get_content())
    assert "mail.example.com/o/" in part.get_content()


def test_a_compiled_content_comes_back_from_json_as_it_was() -> None:
    content = compiled(html=f'<a href="{SHOP}">A</a>', tracking=ON)

    assert Compiled.from_json(content.to_json()) == content


PIECES = st.sampled_from(
    ["<a href=", '"', "'", " ", ">", "</a>", "https://a.example/", "https://b.example/?x=1&amp;y=2", "<p class=x", "/",
     "{{ recipient.score }}", "{% if recipient.score %}", "{% endif %}", "{# c #}", "{% raw %}", "{% endraw %}", "<!--",
     "-->", "</body>", "=", "href", "\n", "é", "\ue000", "&copy", "<area href='https://c.example/'>", "(", ")", "."]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
def test_whatever_was_written_the_places_hold_what_stood_there(source: str) -> None:
    for part, found in (
        ("html", plan_links(source, "", Tracking(clicks=True))),
        ("text", plan_links("", source, Tracking(clicks=True))),
    ):
        written = tracked(source, part, found, "https://mail.example.com", "[{}]".format)

        for link in found:
            for place in link.places:
                written = written.replace(f"https://mail.example.com/c/{MARK}[{link.number}]", place.address, 1)
        unmarked = re.sub("\ue000\\d+\ue002|\ue001", "", marked(source, part, found))
        # A character that hides expressions is left out of addresses.
        expected = source.replace("\ue000", "")
        assert written.replace("\ue000", "") == expected
        assert plain(source, part, found).replace("\ue000", "") == expected
        assert unmarked.replace("\ue000", "") == expected


def test_the_renderer_of_an_earlier_content_knows_no_tracked_link() -> None:
    values = compiled(html=f'<a href="{SHOP}">A</a>').to_json()
    values["links"] = [{"number": 1, "url": SHOP, "label": "A"}]
    values.pop("pixel_at")

    made = Renderer(Compiled.from_json(values), 7, KEY)

    assert made.links == {}
    assert made.html(row(made)) == f'<a href="{SHOP}">A</a>'
