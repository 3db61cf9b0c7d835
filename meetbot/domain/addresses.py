"""E-mail addresses and mail domains: one normal form, matching, look-alikes, obscured forms.

Nothing here raises, whatever the text: what is no address is `None`. Addresses are personal data,
so `repr` and `str` of an `Address` show its domain only.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

LONGEST_ADDRESS = 320
"""Characters: 64 of local part, `@`, 255 of domain (RFC 5321, 4.5.3.1)."""
_LONGEST_DOMAIN = 253
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.ASCII)
_NOT_LOCAL = frozenset('@*<>()[]\\,;:"')
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def _country_hosts(name: str, suffixes: str) -> set[str]:
    return {f"{name}.{suffix}" for suffix in suffixes.split()}


_FREE_MAIL_NAMES = """
gmail.com googlemail.com icloud.com me.com mac.com aol.com aim.com msn.com passport.com
ymail.com rocketmail.com myyahoo.com proton.me protonmail.com protonmail.ch pm.me mail.com
email.com usa.com gmx.us zoho.com zohomail.com zohomail.eu fastmail.com fastmail.fm hey.com
tutanota.com tutanota.de tutamail.com tuta.io tuta.com keemail.me hushmail.com mailfence.com
inbox.com inbox.lv lycos.com excite.com web.de freenet.de t-online.de arcor.de posteo.de
mailbox.org laposte.net orange.fr wanadoo.fr free.fr sfr.fr libero.it virgilio.it alice.it
tiscali.it mail.ru bk.ru inbox.ru list.ru rambler.ru ya.ru qq.com foxmail.com 163.com 126.com
yeah.net sina.com sina.cn sohu.com naver.com hanmail.net daum.net nate.com rediffmail.com
seznam.cz wp.pl o2.pl onet.pl interia.pl ukr.net uol.com.br bol.com.br terra.com.br
comcast.net xfinity.com verizon.net att.net sbcglobal.net bellsouth.net ameritech.net
pacbell.net swbell.net prodigy.net charter.net spectrum.net roadrunner.com rr.com cox.net
earthlink.net mindspring.com juno.com netzero.net netzero.com centurylink.net centurytel.net
q.com embarqmail.com frontier.com frontiernet.net windstream.net optonline.net optimum.net
suddenlink.net mediacombb.net tds.net usfamily.net rogers.com shaw.ca sympatico.ca telus.net
videotron.ca bell.net btinternet.com talktalk.net virginmedia.com ntlworld.com sky.com
blueyonder.co.uk bigpond.com bigpond.net.au optusnet.com.au iinet.net.au xtra.co.nz duck.com
mozmail.com privaterelay.appleid.com guerrillamail.com mailinator.com yopmail.com temp-mail.org
10minutemail.com trashmail.com getnada.com sharklasers.com
"""
FREE_MAIL_HOSTS: frozenset[str] = frozenset(_FREE_MAIL_NAMES.split()) | frozenset(
    _country_hosts("outlook", "com at be cl co.id co.il co.th com.ar com.au com.br com.gr com.tr")
    | _country_hosts("outlook", "com.vn cz de dk es fr hu ie in it jp kr lv my ph pt sa sg sk")
    | _country_hosts("hotmail", "com at be ca ch cl co.il co.jp co.kr co.nz co.th co.uk co.za")
    | _country_hosts("hotmail", "com.ar com.au com.br com.hk com.mx com.tr com.tw cz de dk es fi")
    | _country_hosts("hotmail", "fr gr hu it jp lt lv my nl no ph pl rs se sg sk")
    | _country_hosts("live", "com at be ca ch cl cn co.uk co.za com.ar com.au com.mx com.pt com.sg")
    | _country_hosts("live", "de dk fi fr ie in it jp nl no ph ru se")
    | _country_hosts("yahoo", "com at be bg ca ch cl co.id co.in co.jp co.kr co.nz co.th co.uk")
    | _country_hosts("yahoo", "co.za com.ar com.au com.br com.cn com.co com.hk com.mx com.my")
    | _country_hosts("yahoo", "com.ph com.sg com.tr com.tw com.ve com.vn cz de dk es fi fr gr hu")
    | _country_hosts("yahoo", "ie in it nl no pl pt ro ru se")
    | _country_hosts("gmx", "com at ch co.uk de es fr it li net org")
    | _country_hosts("yandex", "by com com.tr kz ru ua")
)
"""Mail hosts where anybody may open an account, and which therefore prove no organization."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One address in normal form: NFKC, lower case, the domain in ASCII (IDNA, UTS 46)."""

    local: str
    domain: str

    @property
    def text(self) -> str:
        """The address as `local@domain`. Never for logs."""
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """The matching form: no `+tag`, and no dots of a Gmail local part. Never mailed to."""
        local = self.local.partition("+")[0] or self.local
        if self.domain in _GMAIL:
            local = local.replace(".", "") or local
        return f"{local}@{self.domain}"

    def __repr__(self) -> str:
        """The domain only, because addresses may be students'."""
        return f"Address(***@{self.domain})"


def parse_address(text: str) -> Address | None:
    """Normalize an address, or give None where the text is none (or an obscured one)."""
    trimmed = text.strip()
    return _parsed(trimmed) if len(trimmed) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=8192)
def _parsed(trimmed: str) -> Address | None:
    """The same few thousand people are in all calendars and calls."""
    local, at, host = _folded(trimmed).strip().rpartition("@")
    if not at or not local or not all(_may_be_local(char) for char in local):
        return None
    domain = parse_domain(host)
    return Address(local, domain) if domain else None


def _folded(text: str) -> str:
    # Lower-casing can undo NFKC (and the reverse) for a few letters, hence once more.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())


def _may_be_local(char: str) -> bool:
    return char not in _NOT_LOCAL and unicodedata.category(char)[0] not in "CZ"


def parse_domain(text: str) -> str | None:
    """Normalize a mail domain or host with at least one dot to lower-case ASCII, or give None."""
    name = normalize_host(text)
    return name if name and "." in name else None


def normalize_host(text: str) -> str | None:
    """Normalize a host name (`localhost` too) to lower-case ASCII, or give None."""
    if len(text) > _LONGEST_DOMAIN + 1:
        return None
    host = _folded(text.strip()).removesuffix(".")
    if not host.isascii():
        host = _to_ascii(host)
    if len(host) > _LONGEST_DOMAIN or not _HOST_NAME.fullmatch(host):
        return None
    return host


@lru_cache(maxsize=4096)
def _to_ascii(host: str) -> str:
    """A-labels of a host name; empty if IDNA 2008 with UTS 46 mapping refuses it."""
    try:
        return idna.encode(host, uts46=True).decode("ascii").removesuffix(".")
    except (UnicodeError, ValueError, IndexError):  # IndexError: idna on some empty labels
        return ""


def same_mailbox(left: Address, right: Address) -> bool:
    """Whether two addresses match, tags and Gmail dots aside."""
    return left.key == right.key


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def registrable_domain(domain: str) -> str | None:
    """The part below the public suffix (`mail.partner.example` → `partner.example`).

    Takes a normalized domain. None where the domain is itself a public suffix. The list comes
    with the publicsuffixlist package; nothing is fetched.
    """
    return _suffixes().privatesuffix(domain) or None


def is_free_mail(domain: str) -> bool:
    """Whether a normalized domain is, or lies below, a free-mail host."""
    labels = domain.split(".")
    return any(
        ".".join(labels[at:]) in FREE_MAIL_HOSTS
        for at in range(max(0, len(labels) - 4), len(labels))
    )


# --- Look-alikes --------------------------------------------------------------------------------

_ASCII_PROTOTYPES = str.maketrans({"0": "o", "O": "o", "1": "l", "I": "l", "|": "l"})


@lru_cache(maxsize=4096)
def skeleton(domain: str) -> str:
    """What a domain looks like: two domains with one skeleton are easily taken for each other.

    The idea of UTS 39, on ASCII letters: punycode is decoded, letters of other scripts become the
    Latin letter they resemble, and 0/o, 1/l, rn/m and vv/w are one. Only for comparing.
    """
    shown = ".".join(_shown(label) for label in domain.split("."))
    plain = "".join(_prototype(char) for char in shown)
    return plain.translate(_ASCII_PROTOTYPES).lower().replace("rn", "m").replace("vv", "w")


def _shown(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


@lru_cache(maxsize=4096)
def _prototype(char: str) -> str:
    """An ASCII letter or digit that a character resembles, else the character itself.

    Where there are several (`l` and `1`), they have one skeleton.
    """
    if char.isascii():
        return char
    # Its tables take 10 MiB, and most districts never meet a domain in another script.
    from confusable_homoglyphs.confusables import confusables_data

    alike = (entry["c"] for entry in confusables_data.get(char, ()))
    return next((c for c in alike if c.isascii() and c.isalnum()), char)


def looks_like(domain: str, original: str) -> bool:
    """Whether a domain is another one than `original` but looks the same.

    Judged on the whole names and on the registrable domains, so that `mail.` in front hides
    nothing; a domain of the same owner (same registrable domain) imitates nobody.
    """
    owner, original_owner = _owner(domain), _owner(original)
    if domain == original or owner == original_owner:
        return False
    return skeleton(domain) == skeleton(original) or skeleton(owner) == skeleton(original_owner)


def _owner(domain: str) -> str:
    return registrable_domain(domain) or domain


# --- Obscured addresses -------------------------------------------------------------------------


def is_masked(text: str) -> bool:
    """Whether a text is an obscured address such as `li***@s***.com`.

    Source: https://support.google.com/a/answer/9186729 (identifiers of outsiders).
    """
    if len(text) > LONGEST_ADDRESS or "*" not in text:
        return False
    local, at, domain = text.strip().partition("@")
    return (
        bool(at and local and domain)
        and "@" not in domain
        and not any(map(str.isspace, text.strip()))
    )


def mask_fits(masked: str, address: Address) -> bool:
    """Whether an obscured address could be this one; each run of `*` stands for any characters.

    False when `masked` is not obscured at all.
    """
    if not is_masked(masked):
        return False
    mask_local, _, mask_domain = _folded(masked.strip()).partition("@")
    bare_local = address.key.rpartition("@")[0]
    domains = {address.domain, ".".join(_shown(label) for label in address.domain.split("."))}
    return any(_fits(mask_local, local) for local in (address.local, bare_local)) and any(
        _fits(mask_domain, domain) for domain in domains
    )


def _fits(mask: str, text: str) -> bool:
    """Glob match with `*` only, without backtracking: leftmost places are always enough."""
    head, *rest = mask.split("*")
    if not rest:
        return mask == text
    if not text.startswith(head) or not text.endswith(rest[-1]):
        return False
    position, end = len(head), len(text) - len(rest[-1])
    for part in rest[:-1]:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return position <= end
