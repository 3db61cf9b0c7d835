"""Links to meeting platforms in an event's text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.platforms import (
    PLATFORM_HOSTS,
    Certainty,
    Platform,
    PlatformLink,
    dial_in_only,
    entry_point_link,
    find_links,
)


def platforms(text: str) -> list[Platform]:
    links = find_links(text)
    assert all(link.certainty is Certainty.KNOWN for link in links)
    return [link.platform for link in links]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("https://us02web.zoom.us/j/1", Platform.ZOOM),
        ("us02web.zoom.us/j/123", Platform.ZOOM),
        ("ZOOM.US/J/9", Platform.ZOOM),
        ("https://user:pw@zoom.us:443/j/1", Platform.ZOOM),
        ("https://district.zoomgov.com/j/1", Platform.ZOOM),
        ("//zoom.us/j/1", Platform.ZOOM),
        ("zoommtg://zoom.us/join?confno=1", Platform.ZOOM),
        ("sip:123@zoomcrc.com", Platform.ZOOM),
        ("https://zoom\u3002us/j/1", Platform.ZOOM),
        ("https://zoom\u200b.us/j/1", Platform.ZOOM),
        ("https://teams.microsoft.com/l/meetup-join/x", Platform.TEAMS),
        ("https://teams.live.com/meet/1", Platform.TEAMS),
        ("https://teams.microsoft.com.mcas.ms/l/x", Platform.TEAMS),
        ("https://acme.webex.com/meet/ann", Platform.WEBEX),
        ("https://meet.goto.com/123-456-789", Platform.GOTO),
        ("https://global.gotomeeting.com/join/1", Platform.GOTO),
        ("https://whereby.com/room", Platform.WHEREBY),
        ("https://meet.jit.si/Room", Platform.JITSI),
        ("https://8x8.vc/x/room", Platform.JITSI),
        ("https://discord.gg/abc", Platform.DISCORD),
        ("https://join.skype.com/abc", Platform.SKYPE),
        ("https://bluejeans.com/1", Platform.BLUEJEANS),
        ("https://facetime.apple.com/join#v=1", Platform.FACETIME),
        ("https://meet.google.com/abc-defg-hij", Platform.GOOGLE_MEET),
        ("https://tel.meet/abc-defg-hij?pin=1", Platform.GOOGLE_MEET),
        ("https://g.co/meet/room", Platform.GOOGLE_MEET),
        ("https://doxy.me/clinic", Platform.OTHER),
        ("https:/zoom.us/j/1", Platform.ZOOM),
        ("http:/zoom.us/j/1", Platform.ZOOM),
        ("https:///zoom.us/j/1", Platform.ZOOM),
        ("http:see,zoom.us/j/1", Platform.ZOOM),
        ("https://X.webex.com/meet/ann", Platform.WEBEX),
        ("&#999999999zoom.us/j/1", Platform.ZOOM),
        ("ann@district.example,zoom.us/j/1", Platform.ZOOM),
        ("(https://zoom.us)", Platform.ZOOM),
        ("Join:zoom.us.", Platform.ZOOM),
        ("https://zoom.us/en", Platform.ZOOM),
        ("https://zoom.us/my/support", Platform.ZOOM),
        ("https://zoom.us/meeting/1", Platform.ZOOM),
        ("https://meet.goto.com/meeting", Platform.GOTO),
        ("https://www.goto.com/123-456", Platform.GOTO),
    ],
)
def test_l1_links_to_platforms_are_found(text: str, platform: Platform) -> None:
    """L1: a URL whose host is a platform's, or lies below one, is a link to it."""
    assert platforms(text) == [platform]


@pytest.mark.parametrize(
    "text",
    [
        "zoom in",
        "Please zoom.In on the map.",
        "we use Zoom, Teams or Discord",
        "ann@webex.com",
        "mailto:ann@webex.com",
        "https://support.zoom.us/hc/en-us/articles/201362193",
        "https://support.zoom.com/hc/en/article?id=zm_kb",
        "https://zoom.us/download",
        "https://blog.zoom.us/hybrid",
        "https://www.zoom.com/en/products/",
        "https://help.webex.com/en-us/article/x",
        "https://www.goto.com/meeting",
        "https://discord.com/safety",
        "https://zoom.us/download#mac",
        "https://zoom.us/download.html",
        "https://urldefense.com/v3/__https://zoom.us/download__;!!x",
        "mailto:zoom.us",
        "https://support.microsoft.com/office/join-a-teams-meeting",
        "https://support.google.com/a/users/answer/9282720",
        "https://example.org/zoom.us",
        "https://notzoom.us/j/1",
        "https://www.google.com/search?q=zoom.us",
        "https://www.google.com/url?q=https://example.org/a",
        "bit.ly",
        "version 1.2.3 at 10:30, see room 4.5",
        "",
    ],
)
def test_what_is_no_meeting_link_is_not_found(text: str) -> None:
    """Words, help pages, addresses and other sites are no meeting links."""
    assert find_links(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "zoom.us.evil.example",
        "https://zoom.us.evil.example/j/1",
        "https://zoom.us-join.test/1",
        "https://z00m.us/j/1",
        "https://zo\u043em.us/j/1",
        "https://teams.rnicrosoft.com/l/x",
        "https://meet.google.com@evil.example/abc",
        "https://Meet.Google.com:443@evil.example/abc",
        "https://meet.google.com@x@evil.example/abc",
        "https://x@meet.google.com@evil.example/abc",
        "https://room.z00m.us/j/1",
        "https://meet.google.com@[2001:db8::1]/abc",
    ],
)
def test_l1_imitations_need_review(text: str) -> None:
    """L1: a host that imitates a platform's is an unknown link."""
    (link,) = find_links(text)

    assert (link.platform, link.certainty) == (Platform.OTHER, Certainty.LOOKALIKE)


@pytest.mark.parametrize(
    "text",
    [
        "www.google.com/url?q=https://teams.microsoft.com/l/x",
        "https://www.google.com/url?q=https%3A%2F%2Fteams.microsoft.com%2Fl%2Fx&sa=D&ust=1",
        '<a href="https://www.google.com/url?sa=j&amp;url=https%3A%2F%2Fteams.live.com">x</a>',
        "https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fteams.microsoft.com%2Fl",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__teams.microsoft.com_l_x&d=y",
        "https://urldefense.com/v3/__https://teams.microsoft.com/l/x__;!!abc",
        "https://slack-redir.net/link?url=https%3A%2F%2Fteams.microsoft.com",
        "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fteams.microsoft.com%2fl&c=E",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fteams.microsoft.com%2F",
        "https://secure-web.cisco.com/1abc/https%3A%2F%2Fteams.microsoft.com%2Fl",
        "https://protect-us.mimecast.com/s/abc?domain=teams.microsoft.com",
        "https://urldefense.com/v3/__https://teams.microsoft.com/l/x",
        "https://urldefense.com/v3/__https:/teams.microsoft.com/l/x__;!!abc",
        "https://secure-web.cisco.com/1abc/https%3A%2Fteams.microsoft.com%2Fl",
    ],
)
def test_l2_one_wrapper_is_opened(text: str) -> None:
    """L2: a link behind one wrapper counts as itself."""
    assert platforms(text) == [Platform.TEAMS]


@pytest.mark.parametrize(
    "text",
    [
        "https://bit.ly/abc",
        "tinyurl.com/lesson",
        "https://www.google.com/url?q=https://bit.ly/abc",
        "https://www.google.com/url?q=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dx",
        "https://protect-us.mimecast.com/s/abc",
    ],
)
def test_hidden_destinations_need_review(text: str) -> None:
    """Short links, wrappers in wrappers and wrappers that cannot be opened hide where they lead."""
    (link,) = find_links(text)

    assert (link.platform, link.certainty) == (Platform.OTHER, Certainty.SHORTENER)


def test_links_are_found_wherever_they_stand() -> None:
    """Labels, brackets, commas, HTML and entities around a link do not hide it."""
    text = (
        "Join:https://zoom.us/j/1,https://meet.jit.si/x [here](https://whereby.com/a) "
        "<b>(https://discord.gg/b)</b> Skype:join.skype.com/c. <a href=https://bluejeans.com/1>d</a>"
        "&quot;https://teams&#46;live&#x2e;com/meet&quot;"
    )

    assert platforms(text) == [
        Platform.ZOOM,
        Platform.JITSI,
        Platform.WHEREBY,
        Platform.DISCORD,
        Platform.SKYPE,
        Platform.BLUEJEANS,
        Platform.TEAMS,
    ]


def test_each_link_is_told_once_and_without_its_path() -> None:
    """Only platform, host and certainty are kept, once for all texts."""
    links = find_links("https://zoom.us/j/1?pwd=secret", "https://zoom.us/j/2")

    assert links == (PlatformLink(Platform.ZOOM, "zoom.us"),)


def test_phone_numbers_alone_are_dial_in_only() -> None:
    """A meeting with nothing but phone numbers is dial-in only; a video link beside one is not."""
    phone = entry_point_link("phone", "tel:+1-612-555-0100")

    assert phone is not None
    assert dial_in_only([phone])
    assert dial_in_only(find_links("tel:+16125550100"))
    assert not dial_in_only([phone, *find_links("https://zoom.us/j/1")])
    assert not dial_in_only([])


@pytest.mark.parametrize(
    ("kind", "uri", "platform"),
    [
        ("video", "https://zoom.us/j/1", Platform.ZOOM),
        ("sip", "sip:1@zoomcrc.com", Platform.ZOOM),
        ("more", "https://tel.meet/abc", Platform.GOOGLE_MEET),
        ("video", "https://example.org", None),
    ],
)
def test_entry_points_are_links(kind: str, uri: str, platform: Platform | None) -> None:
    """Entry points of conference data are judged by their URI."""
    link = entry_point_link(kind, uri)

    assert (link.platform if link else None) == platform


@pytest.mark.parametrize("kind", ["phone", "sip"])
def test_unreadable_phone_and_sip_entries_are_dial_in(kind: str) -> None:
    """A phone or SIP entry without a known host is dial-in."""
    link = entry_point_link(kind, "")

    assert link is not None
    assert link.certainty is Certainty.DIAL_IN


def test_no_platform_host_is_taken_for_an_imitation() -> None:
    """Every listed host is known as itself, and so is what lies below it."""
    for host, platform in PLATFORM_HOSTS.items():
        assert platforms(f"https://{host}/j/1 https://room.{host}/j/1") == [platform, platform]


@pytest.mark.parametrize(
    "piece", ["(", "https://", "&#1", "a.", "zoom.us.", ",https://a.", "q=", "<a>", "&#x110000;"]
)
def test_a_megabyte_of_hostile_text_gives_an_answer(piece: str) -> None:
    """Repetition that would make patterns backtrack is read in linear time."""
    text = piece * (1_000_000 // len(piece))

    assert len(find_links(text)) <= 2


def test_a_huge_character_reference_is_no_failure() -> None:
    """A reference of many digits, which html.unescape refuses, hides no link after it."""
    assert platforms("&#" + "9" * 5000 + "; https://zoom.us/j/1") == [Platform.ZOOM]


PARTS = st.sampled_from(
    ["https://", "zoom.us", "/j/1", "@", "?q=", "www.google.com/url", "%", "\\", "[", ".", ":", "<"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PARTS, st.text(max_size=3))).map("".join)))
def test_no_text_raises(text: str) -> None:
    """Every text gives links with a platform and a plain ASCII host."""
    for link in (*find_links(text), *filter(None, [entry_point_link("phone", text)])):
        assert link.host.isascii()
        assert link.host == link.host.lower()


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Room=zoom.us/j/1", [(Platform.ZOOM, "zoom.us")]),
        ("a,zoom.us/j/1;(teams.live.com/meet/2)", [
            (Platform.ZOOM, "zoom.us"), (Platform.TEAMS, "teams.live.com"),
        ]),
        ("Join:zoom.us/j/1.", [(Platform.ZOOM, "zoom.us")]),
        ("or=webex.com/meet/a,https://zoom.us/j/1", [
            (Platform.WEBEX, "webex.com"), (Platform.ZOOM, "zoom.us"),
        ]),
        ("to=ann@zoom.us", []),
        ("x=localhost/zoom", []),
        ("http://zoom.us/j/1", [(Platform.ZOOM, "zoom.us")]),
        ("https:zoom.us", [(Platform.ZOOM, "zoom.us")]),
        ("zoommtg:", []),
        ("zoommtg://join", [(Platform.ZOOM, "")]),
        ("sips:1@webex.com", [(Platform.WEBEX, "webex.com")]),
        ("https://meet.google.com/abc-defg-hij", [(Platform.GOOGLE_MEET, "meet.google.com")]),
        ("https://g.co/meet/room", [(Platform.GOOGLE_MEET, "g.co")]),
        ("https://g.co/doodle", []),
        ("https://meet.google.com@[2001:db8::1]/abc", [(Platform.OTHER, "")]),
        ("https://[2001:db8::1]/abc", []),
        ("https://zoom.us.evil.example/j/1", [(Platform.OTHER, "zoom.us.evil.example")]),
        ("https://elsewhere.example/meet/room", []),
        ("https://bit.ly/a", [(Platform.OTHER, "bit.ly")]),
        ("https://www.bit.ly/a1", [(Platform.OTHER, "www.bit.ly")]),
        ("https://go.page.link/x", [(Platform.OTHER, "go.page.link")]),
        ("https://bit.ly/", []),
        ("mailto:ann@zoom.us?subject=x", []),
        ("tel:+1-555", [(Platform.OTHER, "")]),
        ("https://zoom.us/j/1#x?y=https://webex.com", [(Platform.ZOOM, "zoom.us")]),
        ("https://urldefense.us/v3/__https://zoom.us/j/1__;!!x__;y", [(Platform.ZOOM, "zoom.us")]),
        ("https://urldefense.com/v3/__https://zoom.us/j/1__;!!x", [(Platform.ZOOM, "zoom.us")]),
        ("https://urldefense.com/v2/url?u=https-3A__zoom.us_j_1&d=x", [(Platform.ZOOM, "zoom.us")]),
        ("https://urldefense.example/v3/__https://zoom.us/j/1__;", []),
        ("https://urldefense.example/v2/url?u=https-3A__zoom.us_j_1", []),
        ("https://secure-web.cisco.com/1abc/https%3A%2F%2Fzoom.us%2Fj%2F1", [
            (Platform.ZOOM, "zoom.us"),
        ]),
        ("https://zoom.us.mcas.ms/j/1", [(Platform.ZOOM, "zoom.us")]),
        ("https://www.google.com.mcas.ms/url?q=https://zoom.us/j/1", [
            (Platform.OTHER, "www.google.com.mcas.ms"),
        ]),
        ("https://www.google.com/url?q=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dx", [
            (Platform.OTHER, "www.google.com"),
        ]),
        ("https://www.google.com/url?sa=t&q=https://zoom.us/j/1?pwd=a=b", [
            (Platform.ZOOM, "zoom.us"),
        ]),
    ],
)  # fmt: skip
def test_links_and_their_hosts(text: str, links: list[tuple[Platform, str]]) -> None:
    """Within words, behind wrappers, and with schemes of apps; the host is the destination's."""
    assert [(link.platform, link.host) for link in find_links(text)] == links
