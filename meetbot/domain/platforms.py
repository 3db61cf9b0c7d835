"""Meeting platforms, and the links to them in an event's text. Nothing is ever fetched.

`find_links` reads location, description (HTML or plain) and conference URIs. A link counts when
its host is, or lies below, a host of a listed platform. Time is linear in the text, which may be
hostile: no pattern here can backtrack over more than one host name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from meetbot.domain.addresses import normalize_host, skeleton


class Platform(StrEnum):
    """The platforms that can be named in policy and registry."""

    GOOGLE_MEET = "google-meet"
    ZOOM = "zoom"
    TEAMS = "teams"
    WEBEX = "webex"
    GOTO = "goto"
    WHEREBY = "whereby"
    JITSI = "jitsi"
    DISCORD = "discord"
    SKYPE = "skype"
    BLUEJEANS = "bluejeans"
    FACETIME = "facetime"
    OTHER = "other"


class Certainty(StrEnum):
    """How sure it is where a link leads.

    `LOOKALIKE` imitates a platform's host, `SHORTENER` hides its destination (a short link, or a
    wrapper that cannot be opened): both `needs-review`. `DIAL_IN` is a phone number.
    """

    KNOWN = "known"
    LOOKALIKE = "unknown_lookalike"
    SHORTENER = "shortener"
    DIAL_IN = "dial_in"


@dataclass(frozen=True, slots=True)
class PlatformLink:
    """A link found in an event. Only the host is kept: paths hold meeting ids and passwords.

    `host` is lower-case ASCII and empty for app links (`zoommtg:`), phone numbers, and a look-alike
    that leads to no name; `platform` is `other` where the certainty is not `known`.
    """

    platform: Platform
    host: str
    certainty: Certainty = Certainty.KNOWN


_PLATFORM_HOSTS: dict[Platform, str] = {
    Platform.GOOGLE_MEET: """
        meet.google.com tel.meet hangouts.google.com duo.google.com meet.app.goo.gl""",
    Platform.ZOOM: "zoom.us zoom.com zoomgov.com zoom.com.cn zoomcrc.com",
    Platform.TEAMS: """
        teams.microsoft.com teams.live.com teams.microsoft.us teams.cloud.microsoft
        teams.microsoftonline.cn""",
    Platform.WEBEX: "webex.com webex.com.cn web.ciscospark.com",
    Platform.GOTO: """
        gotomeeting.com gotomeet.me gotomeet.at gotowebinar.com gototraining.com goto.com""",
    Platform.WHEREBY: "whereby.com appear.in",
    Platform.JITSI: "jit.si 8x8.vc moderated.jitsi.net",
    Platform.DISCORD: "discord.gg discord.com discordapp.com",
    Platform.SKYPE: "skype.com lync.com",
    Platform.BLUEJEANS: "bluejeans.com",
    Platform.FACETIME: "facetime.apple.com",
    Platform.OTHER: """
        meetings.ringcentral.com v.ringcentral.com video.ringcentral.com meetings.dialpad.com
        chime.aws meet.zoho.com meeting.zoho.com freeconferencecall.com meet.lifesize.com
        call.lifesizecloud.com pexip.me vc.larksuite.com voovmeeting.com jiomeet.jio.com
        daily.co doxy.me vsee.com video.simplepractice.com riverside.fm streamyard.com
        clickmeeting.com livestorm.co app.gather.town call.whatsapp.com meet.proton.me
        meet.element.io demo.bigbluebutton.org""",
}
PLATFORM_HOSTS: dict[str, Platform] = {
    host: platform for platform, hosts in _PLATFORM_HOSTS.items() for host in hosts.split()
}
"""Every listed host; sub-domains count too."""

_SKELETONS = {skeleton(host): platform for host, platform in PLATFORM_HOSTS.items()}
_INSIDE = re.compile(rf"\.(?:{'|'.join(map(re.escape, PLATFORM_HOSTS))})[.-]")
_DEEPEST = max(host.count(".") for host in PLATFORM_HOSTS) + 1

_APP_SCHEMES = {
    "zoommtg": Platform.ZOOM,
    "zoomus": Platform.ZOOM,
    "msteams": Platform.TEAMS,
    "ms-teams": Platform.TEAMS,
    "webex": Platform.WEBEX,
    "webexteams": Platform.WEBEX,
    "wbx": Platform.WEBEX,
    "gotomeeting": Platform.GOTO,
    "discord": Platform.DISCORD,
    "skype": Platform.SKYPE,
    "callto": Platform.SKYPE,
    "facetime": Platform.FACETIME,
    "facetime-audio": Platform.FACETIME,
}

_SHORTENERS = frozenset(
    [
        *("bit.ly", "bitly.com", "j.mp", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "v.gd"),
        *("buff.ly", "rebrand.ly", "cutt.ly", "rb.gy", "tiny.cc", "t.ly", "shorturl.at", "s.id"),
        *(
            "bl.ink",
            "short.io",
            "short.gy",
            "lnkd.in",
            "qrco.de",
            "qr.ae",
            "fb.me",
            "x.gd",
            "n9.cl",
        ),
        *("dub.sh", "tr.ee", "soo.gd", "u.to", "clck.ru", "shorte.st", "adf.ly", "snip.ly"),
        *("hubs.ly", "hubs.la", "page.link", "app.link", "onelink.me", "smarturl.it"),
    ]
)

_HELP_LABELS = frozenset(
    """support help helpcenter blog blogs explore learning learn docs developer developers devforum
    marketplace status trust community news investors careers brand library academy answers
    feedback newsroom""".split()  # noqa: SIM905 - one word after another reads better
)
_HELP_PATHS = frozenset(
    """hc help docs blog support download downloads pricing products product legal privacy terms
    trust security accessibility about careers contact-sales customer newsroom resources features
    articles kb article safety nitro branding developers guidelines partners solutions""".split()  # noqa: SIM905
)
_GOTO_PRODUCT_PATHS = frozenset({"meeting", "webinar", "training", "connect", "resolve", "company"})
_MEETING_PATHS = frozenset({"j", "my", "wc", "meet", "join"})
_LOCALE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2,4})?", re.ASCII)


def find_links(*texts: str) -> tuple[PlatformLink, ...]:
    """Every link to a meeting platform in the texts, each once, in order of appearance.

    One wrapper (Google redirect, Safe Links …) is opened. Help pages are no meeting links, and
    words like "zoom in" are no links at all. Phone numbers count only as `tel:`.
    """
    found = (link for text in texts for url in _urls(text) if (link := _judge(url)))
    return tuple(dict.fromkeys(found))


def entry_point_link(kind: str, uri: str) -> PlatformLink | None:
    """The link of one `conferenceData.entryPoints[]` (`entryPointType` and `uri`).

    A phone entry is dial-in whatever its text; `sip:` leads to a platform where its host does.
    Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
    """
    link = next(iter(find_links(uri)), None)
    if kind == "phone" or (kind == "sip" and link is None):
        return link or _DIAL_IN_LINK
    return link


def dial_in_only(links: Iterable[PlatformLink]) -> bool:
    """Whether there are links, and all of them are phone numbers."""
    certainties = {link.certainty for link in links}
    return certainties == {Certainty.DIAL_IN}


_DIAL_IN_LINK = PlatformLink(Platform.OTHER, "", Certainty.DIAL_IN)


# --- Finding URLs in text -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Url:
    """`scheme` is empty for the web."""

    host: str
    path: str = ""
    query: str = ""
    scheme: str = ""
    poses: bool = False
    """A platform's host stands before an `@`, where a user name belongs."""


_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_HUGE_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}")
_WORD = re.compile(r"[^\s<>\"'`\\^{}|\x00-\x1f\x7f]+")
_NEXT_URL = re.compile(r"(?<=[,;()\[\]])(?=https?://)", re.IGNORECASE)
_OPENING = "/([*_~-–—•·:,;.!?“”‘’«»…"
_CLOSING = ")]*_~.,;:!?“”‘’«»…"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{1,20}):", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_BARE_HOST = re.compile(r"[\w-]{1,63}(?:[.．。｡][\w-]{1,63}){1,12}(?=[/?#:]|$)")
_AUTHORITY_END = re.compile(r"[/?#;]")
_PIECES = re.compile(r"[,;()\[\]:=&]+")


def _urls(text: str) -> Iterator[_Url]:
    # html.unescape turns a reference of thousands of digits into an exception.
    plain = html.unescape(_HUGE_REFERENCE.sub(" ", text)).translate(_INVISIBLE)
    for word in _WORD.findall(plain):
        for token in _NEXT_URL.split(word):
            yield from _token_urls(token.lstrip(_OPENING))


def _token_urls(token: str) -> Iterator[_Url]:
    if "." not in token and ":" not in token:
        return
    scheme = _SCHEME.match(token)
    if scheme and (url := _with_scheme(scheme[1].lower(), token[scheme.end() :])):
        yield url
    elif _BARE_HOST.match(token):
        yield _web_url(token)
    elif web := _WEB.search(token):
        yield from _bare_pieces(token[: web.start()])
        yield _web_url(token[web.end() :])
    else:
        yield from _bare_pieces(token)


def _bare_pieces(text: str) -> Iterator[_Url]:
    for piece in _PIECES.split(text.rstrip(_CLOSING)):
        if _BARE_HOST.match(piece):
            yield _web_url(piece)


def _with_scheme(scheme: str, rest: str) -> _Url | None:
    """A URL with a scheme that means something here; None for any other word before a colon."""
    if scheme in ("http", "https"):
        return _web_url(rest.lstrip("/")) if rest.startswith("/") else None
    if scheme in ("sip", "sips", "mailto"):
        return _Url(normalize_host(_authority(rest)) or "", scheme=scheme)
    if scheme == "tel" or scheme in _APP_SCHEMES:
        return _Url("", scheme=scheme) if rest else None
    return None


def _web_url(rest: str) -> _Url:
    slash = _AUTHORITY_END.search(rest)
    end = slash.start() if slash else len(rest)
    host = normalize_host(_authority(rest[:end])) or ""
    path, _, query = rest[end:].partition("#")[0].partition("?")
    users = rest[:end].rpartition("@")[0].lower().split("@")
    return _Url(host, path, query, poses=any(_listed(u.partition(":")[0]) for u in users))


def _authority(text: str) -> str:
    """The host of `user:password@host:port`, also where more follows."""
    before_path = _AUTHORITY_END.split(text, maxsplit=1)[0]
    return before_path.rpartition("@")[2].partition(":")[0].rstrip(_CLOSING)


# --- Judging one URL ----------------------------------------------------------------------------


def _judge(url: _Url) -> PlatformLink | None:
    """What a URL found in text is; wrappers are opened once."""
    destination = _unwrap(url)
    if destination is None:
        return _judge_plain(url)
    if destination.host and _unwrap(destination) is None:
        return _judge_plain(destination)
    return PlatformLink(Platform.OTHER, url.host, Certainty.SHORTENER)


def _judge_plain(url: _Url) -> PlatformLink | None:
    if url.scheme == "tel":
        return _DIAL_IN_LINK
    if url.scheme in _APP_SCHEMES:
        return PlatformLink(_APP_SCHEMES[url.scheme], "")
    if url.scheme == "mailto":
        return None
    if not url.host:
        return PlatformLink(Platform.OTHER, "", Certainty.LOOKALIKE) if url.poses else None
    if match := _listed(url.host):
        platform, labels_before = match
        return (
            None
            if _is_help(platform, labels_before, url.path)
            else PlatformLink(platform, url.host)
        )
    if url.host == "g.co" and url.path.startswith("/meet/"):
        return PlatformLink(Platform.GOOGLE_MEET, url.host)
    if _is_shortener(url):
        return PlatformLink(Platform.OTHER, url.host, Certainty.SHORTENER)
    if url.poses or _imitates(url.host):
        return PlatformLink(Platform.OTHER, url.host, Certainty.LOOKALIKE)
    return None


def _listed(host: str) -> tuple[Platform, list[str]] | None:
    """The platform whose host this is or lies below, with the labels in front of it."""
    labels = host.split(".")
    for at in range(max(0, len(labels) - _DEEPEST), len(labels)):
        platform = PLATFORM_HOSTS.get(".".join(labels[at:]))
        if platform:
            return platform, labels[:at]
    return None


def _is_help(platform: Platform, labels_before: list[str], path: str) -> bool:
    """Whether a page of the platform's maker is reading matter, not a meeting."""
    segments = [part for part in path.lower().split("/") if part]
    if segments and _LOCALE.fullmatch(segments[0]) and segments[0] not in _MEETING_PATHS:
        segments = segments[1:]
    first = segments[0].removesuffix(".html") if segments else ""
    if first in _MEETING_PATHS:
        return False
    if (
        platform is Platform.GOTO
        and labels_before in ([], ["www"])
        and first in _GOTO_PRODUCT_PATHS
    ):
        return True
    return first in _HELP_PATHS or not _HELP_LABELS.isdisjoint(labels_before)


def _is_shortener(url: _Url) -> bool:
    return len(url.path) > 1 and ".".join(url.host.split(".")[-2:]) in _SHORTENERS


def _imitates(host: str) -> bool:
    """Whether a host that is no platform's is made to be taken for one.

    The platform's host stands inside as whole labels (`zoom.us.evil.example`, `zoom.us-join.test`)
    or the end of the name has the skeleton of one (`z00m.us`).
    """
    if _INSIDE.search(f".{host}"):
        return True
    labels = host.split(".")
    ends = (".".join(labels[at:]) for at in range(max(0, len(labels) - _DEEPEST), len(labels)))
    return any("." in end and skeleton(end) in _SKELETONS for end in ends)


# --- Wrappers -----------------------------------------------------------------------------------

_NOTHING = _Url("")
_QUERY_WRAPPERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "www.google.com": ("/url", ("q", "url")),
    "google.com": ("/url", ("q", "url")),
    "safelinks.protection.outlook.com": ("", ("url",)),
    "statics.teams.cdn.office.net": ("/evergreen-assets/safelinks", ("url",)),
    "urldefense.proofpoint.com": ("/v1/", ("u",)),
    "l.facebook.com": ("/l.php", ("u",)),
    "lm.facebook.com": ("/l.php", ("u",)),
    "l.instagram.com": ("", ("u",)),
    "l.messenger.com": ("", ("u",)),
    "slack-redir.net": ("/link", ("url",)),
    "linkprotect.cudasvc.com": ("/url", ("a",)),
    "mimecast.com": ("/s/", ("domain",)),
    "mimecastprotect.com": ("/s/", ("domain",)),
    "clicktime.symantec.com": ("", ("u",)),
    "urlsand.esvalabs.com": ("", ("u",)),
    "www.youtube.com": ("/redirect", ("q",)),
    "deref-mail.com": ("", ("redirecturl", "redirectUrl")),
    "deref-gmx.com": ("", ("redirecturl", "redirectUrl")),
}
"""Host (sub-domains too) → start of the path, and the parameters that hold the destination."""


def _unwrap(url: _Url) -> _Url | None:
    """The destination of a link wrapper; one without host where it is hidden; None: no wrapper."""
    if url.host.endswith(".mcas.ms"):  # Microsoft's proxy appends itself to the real host
        return _Url(url.host.removesuffix(".mcas.ms"), url.path)
    if url.host in ("urldefense.com", "urldefense.us") and url.path.startswith("/v3/__"):
        return _from_text(url.path.removeprefix("/v3/__").partition("__;")[0])
    if url.host in ("urldefense.proofpoint.com", "urldefense.com") and url.path.startswith("/v2/"):
        hidden = _parameter(url.query, ("u",))
        return _from_text(unquote(hidden.translate(str.maketrans("-_", "%/"))))
    if url.host == "secure-web.cisco.com":
        return _from_text(unquote(url.path.rpartition("/")[2]))
    if wrapper := _query_wrapper(url.host):
        path, names = wrapper
        return _from_text(_parameter(url.query, names)) if url.path.startswith(path) else None
    return None


def _query_wrapper(host: str) -> tuple[str, tuple[str, ...]] | None:
    labels = host.split(".")
    for at in range(max(0, len(labels) - 4), len(labels)):
        if found := _QUERY_WRAPPERS.get(".".join(labels[at:])):
            return found
    return None


def _parameter(query: str, names: tuple[str, ...]) -> str:
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name in names:
            return unquote(value)
    return ""


def _from_text(text: str) -> _Url:
    return next(_token_urls(text.strip()), _NOTHING)
