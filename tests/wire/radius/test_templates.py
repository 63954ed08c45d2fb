"""What people write down for a make of router: read, checked, filled in, and never a way to run anything."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.wire.radius import Malformed, encode_attributes
from demarc.wire.radius.makes import SHIPPED, Make
from demarc.wire.radius.templates import OURS, SAMPLE, VARIABLES, Facts, facts_of_rate, parse, render

ANA = Facts(login="ana", down_kbps=10_000, up_kbps=2_000, rate_limit="2M/10M 4M/20M 1M/5M 10/10")


def told(text: str, facts: Facts = ANA) -> list[tuple[str, object]]:
    return render(parse(text), facts)


def test_variables_become_values_of_the_attribute_s_type():
    assert told("Filter-Id = {down_kbps}/{up_kbps}\nWISPr-Bandwidth-Max-Up = {up_bps}") == [
        ("Filter-Id", "10000/2000"),
        ("WISPr-Bandwidth-Max-Up", 2_000_000),
    ]


def test_an_attribute_may_come_several_times_and_comments_and_blank_lines_are_none():
    text = "# rates\n\nCisco-AVPair = a={login}\nCisco-AVPair = b\n"
    assert told(text) == [("Cisco-AVPair", "a=ana"), ("Cisco-AVPair", "b")]


def test_a_line_with_an_empty_variable_is_left_out():
    assert told("Filter-Id = {list}\nMikrotik-Rate-Limit = {rate_limit}") == [("Mikrotik-Rate-Limit", ANA.rate_limit)]
    assert told("Filter-Id = {down_kbps}/{up_kbps}", Facts(down_kbps=5)) == []


def test_numbers_may_be_named_and_are_cut_to_what_the_attribute_holds():
    assert told("NAS-Port-Type = Ethernet") == [("NAS-Port-Type", 15)]
    assert told("WISPr-Bandwidth-Max-Down = {down_bps}", Facts(down_kbps=10**7)) == [
        ("WISPr-Bandwidth-Max-Down", 0xFFFFFFFF)
    ]


def test_braces_that_are_meant_are_doubled():
    assert told("Filter-Id = {{{login}}}") == [("Filter-Id", "{ana}")]


def test_addresses_and_octets():
    assert told("Login-IP-Host = 10.0.0.1\nFramed-Interface-Id = 0x0000000000000001") == [
        ("Login-IP-Host", IPv4Address("10.0.0.1")),
        ("Framed-Interface-Id", bytes(7) + b"\x01"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mikrotik-Rate = 1", "Line 1: there is no attribute Mikrotik-Rate."),
        ("\nFilter-Id", "Line 2: write it as Attribute = value."),
        ("Filter-Id = {speed}", "Line 1: there is no variable {speed}."),
        ("Filter-Id = {login.__class__}", "there is no variable {login.__class__}"),
        ("Filter-Id = {login!r}", "there is no variable"),
        ("Filter-Id = {login", "a brace stands alone"),
        ("Filter-Id =", "has no value"),
        ("WISPr-Bandwidth-Max-Up = fast", "holds a number, and 'fast' is none"),
        ("WISPr-Bandwidth-Max-Up = {rate_limit}", "holds a number"),
        ("Login-IP-Host = 10.0.0.256", "holds an IPv4 address"),
        ("Framed-Interface-Id = 0x01", "holds an interface id"),
        ("Filter-Id = " + "x" * 248, "up to 247 octets"),
        ("Class = x", "it cannot be set here"),
        ("User-Password = x", "it cannot be set here"),
        ("MS-MPPE-Send-Key = x", "it cannot be set here"),
        ("Filter-Id = x\n" * 41, "at most 40 lines"),
        ("Filter-Id = " + "x" * 5000, "at most 4000 characters"),
    ],
)
def test_what_no_router_could_be_told_is_refused_with_its_line(text, words):
    with pytest.raises(Malformed, match=r".") as refused:
        parse(text)
    assert words in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    try:
        lines = parse(text)
    except Malformed:
        return
    encode_attributes(render(lines, SAMPLE))


@given(st.sampled_from(sorted(VARIABLES)), st.text(max_size=300), st.integers(0, 2**40))
def test_whatever_a_customer_is_called_the_answer_can_be_sent(variable, name, kbps):
    facts = Facts(login=name, down_kbps=kbps, up_kbps=kbps, list_name=name, cause="2")
    for attribute in ("Filter-Id", "WISPr-Bandwidth-Max-Up", "Cisco-AVPair"):
        try:
            lines = parse(f"{attribute} = {{{variable}}}")
        except Malformed:
            continue
        encode_attributes(render(lines, facts))


@pytest.mark.parametrize("make", list(Make))
def test_what_is_shipped_can_be_read(make):
    for text in SHIPPED[make]:
        encode_attributes(render(parse(text), SAMPLE))


def test_each_make_gets_its_directions_right():
    """The customer has 10 Mbit/s down and 2 up."""
    assert told(SHIPPED[Make.MIKROTIK].online, ANA._replace(rate_limit="")) == [("Mikrotik-Rate-Limit", "2M/10M")]
    assert told(SHIPPED[Make.ACCEL].online) == [("Filter-Id", "10000/2000")]
    assert told(SHIPPED[Make.CISCO].online) == [
        ("Cisco-AVPair", "ip:sub-qos-policy-in=up-2000"),
        ("Cisco-AVPair", "ip:sub-qos-policy-out=down-10000"),
    ]
    assert told(SHIPPED[Make.GENERIC].online) == [
        ("WISPr-Bandwidth-Max-Down", 10_000_000),
        ("WISPr-Bandwidth-Max-Up", 2_000_000),
    ]


def test_speeds_come_from_a_rate_limit_where_only_that_is_known():
    facts = facts_of_rate("2M/10M", login="ana", list_name="Reject_2")
    assert (facts.down_kbps, facts.up_kbps, facts.list_name) == (10_000, 2_000, "Reject_2")
    assert facts_of_rate("what?", login="ana").down_kbps == 0


def test_no_time_or_name_of_ours_is_among_what_may_be_set():
    assert {"Event-Timestamp", "User-Name", "Acct-Session-Id", "Class"} <= OURS
