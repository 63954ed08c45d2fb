"""The attributes we know, as a table a network engineer can read: number, name, type of value.

Only facts: numbers and names as the RFCs and vendors publish them. What the types mean is in `attributes`.
A line `vendor N` starts the attributes that travel inside Vendor-Specific of that enterprise number (RFC 2865
section 5.26). `tagged` values carry a tag octet (RFC 2868 section 3).
"""

from typing import Final

ATTRIBUTES: Final = """
# RFC 2865
1   User-Name                          text
2   User-Password                      octets
3   CHAP-Password                      octets
4   NAS-IP-Address                     ipv4
5   NAS-Port                           integer
6   Service-Type                       integer
7   Framed-Protocol                    integer
8   Framed-IP-Address                  ipv4
9   Framed-IP-Netmask                  ipv4
10  Framed-Routing                     integer
11  Filter-Id                          text
12  Framed-MTU                         integer
13  Framed-Compression                 integer
14  Login-IP-Host                      ipv4
15  Login-Service                      integer
16  Login-TCP-Port                     integer
18  Reply-Message                      text
19  Callback-Number                    text
20  Callback-Id                        text
22  Framed-Route                       text
23  Framed-IPX-Network                 ipv4
24  State                              octets
25  Class                              octets
26  Vendor-Specific                    octets
27  Session-Timeout                    integer
28  Idle-Timeout                       integer
29  Termination-Action                 integer
30  Called-Station-Id                  text
31  Calling-Station-Id                 text
32  NAS-Identifier                     text
33  Proxy-State                        octets
34  Login-LAT-Service                  text
35  Login-LAT-Node                     text
36  Login-LAT-Group                    octets
37  Framed-AppleTalk-Link              integer
38  Framed-AppleTalk-Network           integer
39  Framed-AppleTalk-Zone              text
60  CHAP-Challenge                     octets
61  NAS-Port-Type                      integer
62  Port-Limit                         integer
63  Login-LAT-Port                     text
# RFC 2866
40  Acct-Status-Type                   integer
41  Acct-Delay-Time                    integer
42  Acct-Input-Octets                  integer
43  Acct-Output-Octets                 integer
44  Acct-Session-Id                    text
45  Acct-Authentic                     integer
46  Acct-Session-Time                  integer
47  Acct-Input-Packets                 integer
48  Acct-Output-Packets                integer
49  Acct-Terminate-Cause               integer
50  Acct-Multi-Session-Id              text
51  Acct-Link-Count                    integer
# RFC 2867, RFC 2868
64  Tunnel-Type                        integer tagged
65  Tunnel-Medium-Type                 integer tagged
66  Tunnel-Client-Endpoint             text    tagged
67  Tunnel-Server-Endpoint             text    tagged
68  Acct-Tunnel-Connection             text
69  Tunnel-Password                    octets  tagged
81  Tunnel-Private-Group-Id            text    tagged
82  Tunnel-Assignment-Id               text    tagged
83  Tunnel-Preference                  integer tagged
86  Acct-Tunnel-Packets-Lost           integer
90  Tunnel-Client-Auth-Id              text    tagged
91  Tunnel-Server-Auth-Id              text    tagged
# RFC 2869, RFC 3579
52  Acct-Input-Gigawords               integer
53  Acct-Output-Gigawords              integer
55  Event-Timestamp                    date
70  ARAP-Password                      octets
71  ARAP-Features                      octets
72  ARAP-Zone-Access                   integer
73  ARAP-Security                      integer
74  ARAP-Security-Data                 text
75  Password-Retry                     integer
76  Prompt                             integer
77  Connect-Info                       text
78  Configuration-Token                text
79  EAP-Message                        octets
80  Message-Authenticator              octets
84  ARAP-Challenge-Response            octets
85  Acct-Interim-Interval              integer
87  NAS-Port-Id                        text
88  Framed-Pool                        text
# RFC 3162, RFC 4372, RFC 4818, RFC 5176, RFC 6911
89  Chargeable-User-Identity           octets
95  NAS-IPv6-Address                   ipv6
96  Framed-Interface-Id                ifid
97  Framed-IPv6-Prefix                 ipv6prefix
98  Login-IPv6-Host                    ipv6
99  Framed-IPv6-Route                  text
100 Framed-IPv6-Pool                   text
101 Error-Cause                        integer
123 Delegated-IPv6-Prefix              ipv6prefix
168 Framed-IPv6-Address                ipv6
169 DNS-Server-IPv6-Address            ipv6
170 Route-IPv6-Information             ipv6prefix
171 Delegated-IPv6-Prefix-Pool         text
172 Stateful-IPv6-Address-Pool         text

vendor 9  # Cisco
1   Cisco-AVPair                       text
2   Cisco-NAS-Port                     text
37  Cisco-Policy-Up                    text
38  Cisco-Policy-Down                  text
250 Cisco-Account-Info                 text
251 Cisco-Service-Info                 text
252 Cisco-Command-Code                 text

vendor 311  # Microsoft, RFC 2548
1   MS-CHAP-Response                   octets
2   MS-CHAP-Error                      octets
3   MS-CHAP-CPW-1                      octets
4   MS-CHAP-CPW-2                      octets
5   MS-CHAP-LM-Enc-PW                  octets
6   MS-CHAP-NT-Enc-PW                  octets
7   MS-MPPE-Encryption-Policy          integer
8   MS-MPPE-Encryption-Types           integer
9   MS-RAS-Vendor                      integer
10  MS-CHAP-Domain                     octets
11  MS-CHAP-Challenge                  octets
12  MS-CHAP-MPPE-Keys                  octets
13  MS-BAP-Usage                       integer
14  MS-Link-Utilization-Threshold      integer
15  MS-Link-Drop-Time-Limit            integer
16  MS-MPPE-Send-Key                   octets
17  MS-MPPE-Recv-Key                   octets
18  MS-RAS-Version                     text
19  MS-Old-ARAP-Password               octets
20  MS-New-ARAP-Password               octets
21  MS-ARAP-PW-Change-Reason           integer
22  MS-Filter                          octets
23  MS-Acct-Auth-Type                  integer
24  MS-Acct-EAP-Type                   integer
25  MS-CHAP2-Response                  octets
26  MS-CHAP2-Success                   octets
27  MS-CHAP2-CPW                       octets
28  MS-Primary-DNS-Server              ipv4
29  MS-Secondary-DNS-Server            ipv4
30  MS-Primary-NBNS-Server             ipv4
31  MS-Secondary-NBNS-Server           ipv4

vendor 2352  # Redback; MikroTik sends option 82 in these
96  Agent-Remote-Id                    octets
97  Agent-Circuit-Id                   octets

vendor 3561  # ADSL Forum, RFC 4679
1   ADSL-Agent-Circuit-Id              octets
2   ADSL-Agent-Remote-Id               octets

vendor 10055  # Roaring Penguin; accel-ppp reads it too, kbit/s
1   RP-Upstream-Speed-Limit            integer
2   RP-Downstream-Speed-Limit          integer

vendor 14122  # WISPr
1   WISPr-Location-ID                  text
2   WISPr-Location-Name                text
3   WISPr-Logoff-URL                   text
4   WISPr-Redirection-URL              text
5   WISPr-Bandwidth-Min-Up             integer
6   WISPr-Bandwidth-Min-Down           integer
7   WISPr-Bandwidth-Max-Up             integer
8   WISPr-Bandwidth-Max-Down           integer
9   WISPr-Session-Terminate-Time       text
10  WISPr-Session-Terminate-End-Of-Day text
11  WISPr-Billing-Class-Of-Service     text

vendor 14988  # MikroTik
1   Mikrotik-Recv-Limit                integer
2   Mikrotik-Xmit-Limit                integer
3   Mikrotik-Group                     text
4   Mikrotik-Wireless-Forward          integer
5   Mikrotik-Wireless-Skip-Dot1x       integer
6   Mikrotik-Wireless-Enc-Algo         integer
7   Mikrotik-Wireless-Enc-Key          text
8   Mikrotik-Rate-Limit                text
9   Mikrotik-Realm                     text
10  Mikrotik-Host-IP                   ipv4
11  Mikrotik-Mark-Id                   text
12  Mikrotik-Advertise-URL             text
13  Mikrotik-Advertise-Interval        integer
14  Mikrotik-Recv-Limit-Gigawords      integer
15  Mikrotik-Xmit-Limit-Gigawords      integer
16  Mikrotik-Wireless-PSK              text
17  Mikrotik-Total-Limit               integer
18  Mikrotik-Total-Limit-Gigawords     integer
19  Mikrotik-Address-List              text
20  Mikrotik-Wireless-MPKey            text
21  Mikrotik-Wireless-Comment          text
22  Mikrotik-Delegated-IPv6-Pool       text
23  Mikrotik-DHCP-Option-Set           text
24  Mikrotik-DHCP-Option-Param-STR1    text
25  Mikrotik-DHCP-Option-Param-STR2    text
26  Mikrotik-Wireless-VLANID           integer
27  Mikrotik-Wireless-VLANID-Type      integer
28  Mikrotik-Wireless-Minsignal        text
29  Mikrotik-Wireless-Maxsignal        text
30  Mikrotik-Switching-Filter          text
"""

STATUS_TYPES: Final = {
    1: "Start",
    2: "Stop",
    3: "Interim-Update",
    7: "Accounting-On",
    8: "Accounting-Off",
    9: "Tunnel-Start",
    10: "Tunnel-Stop",
    11: "Tunnel-Reject",
    12: "Tunnel-Link-Start",
    13: "Tunnel-Link-Stop",
    14: "Tunnel-Link-Reject",
    15: "Failed",
}

TERMINATE_CAUSES: Final = {
    1: "User-Request",
    2: "Lost-Carrier",
    3: "Lost-Service",
    4: "Idle-Timeout",
    5: "Session-Timeout",
    6: "Admin-Reset",
    7: "Admin-Reboot",
    8: "Port-Error",
    9: "NAS-Error",
    10: "NAS-Request",
    11: "NAS-Reboot",
    12: "Port-Unneeded",
    13: "Port-Preempted",
    14: "Port-Suspended",
    15: "Service-Unavailable",
    16: "Callback",
    17: "User-Error",
    18: "Host-Request",
}

ERROR_CAUSES: Final = {
    201: "Residual-Session-Context-Removed",
    202: "Invalid-EAP-Packet",
    401: "Unsupported-Attribute",
    402: "Missing-Attribute",
    403: "NAS-Identification-Mismatch",
    404: "Invalid-Request",
    405: "Unsupported-Service",
    406: "Unsupported-Extension",
    407: "Invalid-Attribute-Value",
    501: "Administratively-Prohibited",
    502: "Request-Not-Routable",
    503: "Session-Context-Not-Found",
    504: "Session-Context-Not-Removable",
    505: "Other-Proxy-Processing-Error",
    506: "Resources-Unavailable",
    507: "Request-Initiated",
    508: "Multiple-Session-Selection-Unsupported",
}

VALUE_NAMES: Final = {
    "Acct-Status-Type": STATUS_TYPES,
    "Acct-Terminate-Cause": TERMINATE_CAUSES,
    "Error-Cause": ERROR_CAUSES,
    "Service-Type": {
        1: "Login-User",
        2: "Framed-User",
        3: "Callback-Login-User",
        4: "Callback-Framed-User",
        5: "Outbound-User",
        6: "Administrative-User",
        7: "NAS-Prompt-User",
        8: "Authenticate-Only",
        9: "Callback-NAS-Prompt",
        10: "Call-Check",
        11: "Callback-Administrative",
        17: "Authorize-Only",
    },
    "Framed-Protocol": {1: "PPP", 2: "SLIP", 3: "ARAP"},
    "NAS-Port-Type": {
        0: "Async",
        1: "Sync",
        2: "ISDN",
        5: "Virtual",
        15: "Ethernet",
        16: "xDSL",
        17: "Cable",
        18: "Wireless-Other",
        19: "Wireless-802.11",
    },
    "Tunnel-Type": {1: "PPTP", 3: "L2TP", 13: "VLAN"},
    "Tunnel-Medium-Type": {1: "IPv4", 2: "IPv6", 6: "IEEE-802"},
    "MS-MPPE-Encryption-Policy": {1: "Encryption-Allowed", 2: "Encryption-Required"},
    "MS-MPPE-Encryption-Types": {
        2: "RC4-40bit-Allowed",
        4: "RC4-128bit-Allowed",
        6: "RC4-40or128-bit-Allowed",
    },
}
