"""Addresses: normal form, matching, look-alikes and obscured forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.addresses import (
    Address,
    is_free_mail,
    is_masked,
    looks_like,
    mask_fits,
    normalize_host,
    parse_address,
    parse_domain,
    registrable_domain,
    same_mailbox,
    skeleton,
)

CYRILLIC = "p\u0430rtner.example"


def an_address(text: str) -> Address:
    address = parse_address(text)
    assert address is not None
    return address


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Ann@Partner.EXAMPLE ", "ann@partner.example"),
        ("Guest+class@Partner.EXAMPLE", "guest+class@partner.example"),
        ("\uff21\uff22@\uff46oo.example", "ab@foo.example"),
        ("ann@b\u00fccher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@partner.example.", "ann@partner.example"),
        ("ann@partner\u3002example", "ann@partner.example"),
        ("ann@b\u00fccher.example\u3002", "ann@xn--bcher-kva.example"),
        ("ann@part\u00adner.example", "ann@partner.example"),
    ],
)
def test_addresses_have_one_normal_form(text: str, normal: str) -> None:
    """Spaces, width, case and the form of an international domain make no difference."""
    assert an_address(text).text == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@partner.example",
        "ann@",
        "ann@partner",
        "ann@@partner.example",
        "ann@partner..example",
        "ann@-partner.example",
        "Ann <ann@partner.example>",
        "ann bee@partner.example",
        "ann\r\nBcc: x@partner.example",
        "ann\u202e@partner.example",
        "li***@s***.com",
        "a" * 400 + "@partner.example",
        "ann@" + "a" * 64 + ".example",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    """Text that cannot be one mailbox gives None, never an exception."""
    assert parse_address(text) is None


def test_i1_tag_and_case_are_the_same_mailbox() -> None:
    """I1: `Guest+class@Partner.EXAMPLE` is `guest@partner.example`."""
    assert same_mailbox(
        an_address("Guest+class@Partner.EXAMPLE"), an_address("guest@partner.example")
    )


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("a.n.n@gmail.com", "ann@gmail.com", True),
        ("a.nn+x@googlemail.com", "ann@googlemail.com", True),
        ("a.nn@partner.example", "ann@partner.example", False),
        ("+tag@partner.example", "+other@partner.example", False),
        ("...@gmail.com", "ann@gmail.com", False),
    ],
)
def test_i2_dots_count_except_at_gmail(left: str, right: str, same: bool) -> None:
    """I2: dots of the local part are ignored for Gmail and significant elsewhere."""
    assert same_mailbox(an_address(left), an_address(right)) is same


HOST_OF_253 = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


def test_the_longest_host_is_one_and_a_longer_one_is_none() -> None:
    """253 characters, a dot at the end aside."""
    assert len(HOST_OF_253) == 253
    assert normalize_host(HOST_OF_253) == HOST_OF_253
    assert normalize_host(HOST_OF_253 + ".") == HOST_OF_253
    assert normalize_host("x" + HOST_OF_253) is None


def test_the_longest_address_is_one_and_a_longer_one_is_none() -> None:
    """320 characters, spaces around it aside."""
    longest = "a" * (320 - len("@partner.example")) + "@partner.example"

    assert an_address(f" {longest} ").text == longest
    assert parse_address("a" + longest) is None


def test_addresses_do_not_print_themselves() -> None:
    """Neither `repr` nor `str` of an address shows who it belongs to."""
    address = an_address("pupil@students.district.example")

    assert "pupil" not in repr(address) + str(address) + f"{address}"


@pytest.mark.parametrize(
    ("domain", "is_free"),
    [
        ("gmail.com", True),
        ("outlook.com", True),
        ("hotmail.co.uk", True),
        ("yahoo.com.mx", True),
        ("proton.me", True),
        ("gmx.net", True),
        ("mail.gmx.net", True),
        ("partner.example", False),
        ("gmail.com.partner.example", False),
        ("notgmail.com", False),
    ],
)
def test_free_mail_hosts_are_known(domain: str, is_free: bool) -> None:
    """Free-mail hosts and what lies below them are told from an organization's domain."""
    assert is_free_mail(domain) is is_free


@pytest.mark.parametrize(
    ("domain", "registrable"),
    [
        ("mail.partner.example", "partner.example"),
        ("a.b.co.uk", "b.co.uk"),
        ("x.mpls.k12.mn.us", "mpls.k12.mn.us"),
        ("co.uk", None),
    ],
)
def test_registrable_domain_follows_the_public_suffix_list(
    domain: str, registrable: str | None
) -> None:
    """The owner's part of a domain is found with the packaged public-suffix list."""
    assert registrable_domain(domain) == registrable


@pytest.mark.parametrize(
    "imitation",
    [
        CYRILLIC,
        f"mail.{CYRILLIC}",
        "partner.ex\u0430mple",
        "partner.exarnple",
        "\u0440\u0430rtn\u0435r.example",
    ],
)
def test_i3_confusable_letters_make_a_lookalike(imitation: str) -> None:
    """I3: another domain with the same skeleton imitates, sub-domains aside."""
    domain = parse_domain(imitation)

    assert domain is not None
    assert looks_like(domain, "partner.example")


@pytest.mark.parametrize(
    ("one", "other"), [("c001.example", "cool.example"), ("vvave.example", "wave.example")]
)
def test_digits_and_pairs_make_lookalikes(one: str, other: str) -> None:
    """0 and o, 1 and l, vv and w are taken for each other."""
    assert looks_like(one, other)


def test_a_script_without_lookalikes_is_compared_as_it_is() -> None:
    """Letters that resemble no Latin ones are no failure and no imitation."""
    domain = parse_domain("\u4e2d\u6587.example")

    assert domain == "xn--fiq228c.example"
    assert skeleton(domain) == "\u4e2d\u6587.example"
    assert not looks_like(domain, "partner.example")
    sign = parse_domain("a\u02d0a.example")
    assert sign is not None
    assert skeleton(sign) == "a\u02d0a.example"  # resembles a colon, which is in no domain


@pytest.mark.parametrize(
    "other",
    [
        "evilpartner.example",
        "partner.example.evil.test",
        "partner.example",
        "mail.partner.example",
        "parther.example",
        "partner.test",
    ],
)
def test_i4_other_domains_are_no_lookalikes(other: str) -> None:
    """I4: prefix and suffix tricks, the domain itself and its sub-domains do not look alike."""
    assert not looks_like(other, "partner.example")


@pytest.mark.parametrize(
    ("masked", "address", "fits"),
    [
        ("li***@s***.com", "lisa@school.com", True),
        ("LI***@S***.com", "lisa@sub.school.com", True),
        ("li***@s***.com", "bob@school.com", False),
        ("li***@s***.com", "lisa@school.org", False),
        ("a***b***c@x.example", "axbxc@x.example", True),
        ("a***b***c@x.example", "acb@x.example", False),
        ("l***a@x.example", "lisa+class@x.example", True),
        ("ab***ab@x.example", "ab@x.example", False),
        ("lisa@school.com", "lisa@school.com", False),
        ("a*x*y*d@x.example", "axyd@x.example", True),
        ("a*x*y*d@x.example", "axd@x.example", False),
        ("a*x*d@x.example", "abd@x.example", False),
        ("a*b*b*c@x.example", "abc@x.example", False),
        ("a*b*b*c@x.example", "abbc@x.example", True),
        ("a*b*c@x.example", "abc@x.example", True),
        ("a*cd*d@x.example", "acd@x.example", False),
        ("*a*b@x.example", "ab@x.example", True),
        ("an***@bü***.example", "ann@bücher.example", True),
        ("an***@xn--bü***.example", "ann@bücher.example", False),
    ],
)
def test_obscured_addresses_fit_what_they_could_be(masked: str, address: str, fits: bool) -> None:
    """Runs of `*` stand for anything; the letters shown must be there, in order."""
    assert mask_fits(masked, an_address(address)) is fits


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("li***@s***.com", True),
        ("*@*", True),
        ("lisa@school.com", False),
        ("***", False),
        ("a*b @c", False),
        ("*" * 400 + "@a", False),
        ("*" * 318 + "@a", True),
        ("*" * 319 + "@a", False),
        ("a*@", False),
        ("@a*", False),
        ("a*@b@c", False),
    ],
)
def test_obscured_addresses_are_recognized(text: str, masked: bool) -> None:
    """Only something with an `@` and a `*` is an obscured address."""
    assert is_masked(text) is masked


@given(st.text())
def test_no_text_raises(text: str) -> None:
    """Every text gives an answer, and a normal form stays what it is."""
    known = Address("ann", "partner.example")
    for candidate in (text, f"{text}@partner.example", f"ann@{text}", f"ann@{text}.example"):
        address = parse_address(candidate)
        if address is not None:
            assert parse_address(address.text) == address
            assert parse_address(address.key) is not None
            assert not looks_like(address.domain, address.domain)
        mask_fits(candidate, known)
    normalize_host(text)
    skeleton(text)


@given(st.text(alphabet="ab*", max_size=12), st.text(alphabet="ab", min_size=1, max_size=8))
def test_masks_fit_as_globs_do(mask: str, local: str) -> None:
    """The linear matcher agrees with an exhaustive one."""

    def fits(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return text[:1] == pattern[0] and fits(pattern[1:], text[1:])

    masked = f"{mask}@x*"
    expected = bool(mask) and fits(mask, local)
    assert mask_fits(masked, Address(local, "x.example")) is expected
