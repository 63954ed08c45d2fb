"""The lines that an administrator pastes into a MikroTik router."""

import re
from ipaddress import IPv4Address

from demarc.network.script import Redirect, RouterFacts, quoted, router_script

SERVER = IPv4Address("10.0.1.158")
REDIRECTS = [Redirect(f"Reject_{cause}", port) for cause, port in enumerate((8101, 8101, 8102, 8103, 8104))]


def script(**facts) -> str:
    given = {
        "name": "North",
        "server": SERVER,
        "page_server": SERVER,
        "source": IPv4Address("10.0.1.1"),
        "redirects": REDIRECTS,
    }
    return router_script(RouterFacts(**given | facts))


def test_the_missions_two_rules_are_there_for_every_list():
    lines = script().splitlines()
    for row in REDIRECTS:
        page = (
            "/ip firewall nat add action=dst-nat chain=dstnat protocol=tcp"
            f" src-address-list={row.list_name} to-addresses=10.0.1.158 to-ports={row.page_port}"
        )
        rest = f"/ip firewall nat add action=redirect chain=dstnat protocol=!tcp src-address-list={row.list_name}"
        at = {rule: next(n for n, line in enumerate(lines) if line.startswith(rule)) for rule in (page, rest)}
        assert at[page] < at[rest]


def test_names_are_still_resolved_since_dns_comes_before_the_redirect():
    lines = [line for line in script().splitlines() if "src-address-list=Reject_2 " in line]
    assert [re.search(r"action=(\S+)", line)[1] for line in lines] == ["accept", "accept", "dst-nat", "redirect"]
    assert "protocol=udp dst-port=53" in lines[0]


def test_the_router_becomes_a_radius_client_that_takes_coa():
    text = script(auth_port=11812, acct_port=11813, coa_port=1700)
    assert "address=10.0.1.158 src-address=10.0.1.1 authentication-port=11812 accounting-port=11813" in text
    assert "/radius incoming set accept=yes port=1700" in text
    assert "/ppp aaa set use-radius=yes accounting=yes" in text


def test_the_secret_is_typed_by_hand():
    assert 'secret="TYPE-THE-SECRET-HERE"' in script()


def test_pasting_it_again_replaces_what_it_made():
    lines = script().splitlines()
    made = [line for line in lines if line.startswith("/ip firewall nat add")]
    assert all('comment="demarc: ' in line for line in made)
    assert lines.index('/ip firewall nat remove [find where comment~"^demarc:"]') < lines.index(made[0])
    radius = next(line for line in lines if line.startswith("/radius add"))
    assert lines.index('/radius remove [find where comment="demarc"]') < lines.index(radius)


def test_a_hostile_name_stays_in_its_comment():
    text = script(name='North\n/system reset-configuration\r"; $x [/quit] ?')
    assert "\n/system" not in text
    assert text.splitlines()[0] == "# Demarc: router North_/system reset-configuration__; _x _/quit_ _"


def test_a_hostile_list_name_stays_in_its_quotes():
    text = script(redirects=[Redirect('x"; /quit; "$(1)\n', 8101)])
    assert text.count("\\22; /quit; \\22\\24(1)\\0A") == 5
    assert "\n/quit" not in text


def test_whatever_could_leave_a_routeros_string_is_written_in_hex():
    assert quoted('a"b\\c$d?e\nf[g]') == '"a\\22b\\5Cc\\24d\\3Fe\\0Af\\5Bg\\5D"'
    assert quoted("Žižkov 12-3") == '"\\C5\\BDi\\C5\\BEkov 12-3"'
