"""The numbers that code names: packet codes and attribute keys.

An attribute's key is its type, or (vendor, type) when it travels inside a Vendor-Specific attribute. Plain
integers and not enumerations, because every packet looks them up and an enum member hashes ten times slower.
All names and types are in `dictionary`; a test holds the two together.
"""

from typing import Final

Key = int | tuple[int, int]

ACCESS_REQUEST: Final = 1
ACCESS_ACCEPT: Final = 2
ACCESS_REJECT: Final = 3
ACCOUNTING_REQUEST: Final = 4
ACCOUNTING_RESPONSE: Final = 5
ACCESS_CHALLENGE: Final = 11
STATUS_SERVER: Final = 12
DISCONNECT_REQUEST: Final = 40
DISCONNECT_ACK: Final = 41
DISCONNECT_NAK: Final = 42
COA_REQUEST: Final = 43
COA_ACK: Final = 44
COA_NAK: Final = 45

CODE_NAMES: Final = {
    ACCESS_REQUEST: "Access-Request",
    ACCESS_ACCEPT: "Access-Accept",
    ACCESS_REJECT: "Access-Reject",
    ACCOUNTING_REQUEST: "Accounting-Request",
    ACCOUNTING_RESPONSE: "Accounting-Response",
    ACCESS_CHALLENGE: "Access-Challenge",
    STATUS_SERVER: "Status-Server",
    DISCONNECT_REQUEST: "Disconnect-Request",
    DISCONNECT_ACK: "Disconnect-ACK",
    DISCONNECT_NAK: "Disconnect-NAK",
    COA_REQUEST: "CoA-Request",
    COA_ACK: "CoA-ACK",
    COA_NAK: "CoA-NAK",
}

CISCO: Final = 9
MICROSOFT: Final = 311
ADSL_FORUM: Final = 3561
REDBACK: Final = 2352
WISPR: Final = 14122
MIKROTIK: Final = 14988

USER_NAME: Final = 1
USER_PASSWORD: Final = 2
CHAP_PASSWORD: Final = 3
NAS_IP_ADDRESS: Final = 4
NAS_PORT: Final = 5
SERVICE_TYPE: Final = 6
FRAMED_PROTOCOL: Final = 7
FRAMED_IP_ADDRESS: Final = 8
FRAMED_MTU: Final = 12
REPLY_MESSAGE: Final = 18
STATE: Final = 24
CLASS: Final = 25
VENDOR_SPECIFIC: Final = 26
CALLED_STATION_ID: Final = 30
CALLING_STATION_ID: Final = 31
NAS_IDENTIFIER: Final = 32
PROXY_STATE: Final = 33
ACCT_STATUS_TYPE: Final = 40
ACCT_DELAY_TIME: Final = 41
ACCT_INPUT_OCTETS: Final = 42
ACCT_OUTPUT_OCTETS: Final = 43
ACCT_SESSION_ID: Final = 44
ACCT_SESSION_TIME: Final = 46
ACCT_INPUT_PACKETS: Final = 47
ACCT_OUTPUT_PACKETS: Final = 48
ACCT_TERMINATE_CAUSE: Final = 49
ACCT_INPUT_GIGAWORDS: Final = 52
ACCT_OUTPUT_GIGAWORDS: Final = 53
EVENT_TIMESTAMP: Final = 55
CHAP_CHALLENGE: Final = 60
NAS_PORT_TYPE: Final = 61
TUNNEL_PASSWORD: Final = 69
EAP_MESSAGE: Final = 79
MESSAGE_AUTHENTICATOR: Final = 80
NAS_PORT_ID: Final = 87
NAS_IPV6_ADDRESS: Final = 95
FRAMED_IPV6_PREFIX: Final = 97
ERROR_CAUSE: Final = 101
DELEGATED_IPV6_PREFIX: Final = 123
FRAMED_IPV6_ADDRESS: Final = 168

MS_CHAP_RESPONSE: Final = (MICROSOFT, 1)
MS_CHAP_ERROR: Final = (MICROSOFT, 2)
MS_MPPE_ENCRYPTION_POLICY: Final = (MICROSOFT, 7)
MS_MPPE_ENCRYPTION_TYPES: Final = (MICROSOFT, 8)
MS_CHAP_CHALLENGE: Final = (MICROSOFT, 11)
MS_CHAP_MPPE_KEYS: Final = (MICROSOFT, 12)
MS_MPPE_SEND_KEY: Final = (MICROSOFT, 16)
MS_MPPE_RECV_KEY: Final = (MICROSOFT, 17)
MS_CHAP2_RESPONSE: Final = (MICROSOFT, 25)
MS_CHAP2_SUCCESS: Final = (MICROSOFT, 26)

MIKROTIK_RATE_LIMIT: Final = (MIKROTIK, 8)
MIKROTIK_HOST_IP: Final = (MIKROTIK, 10)
MIKROTIK_ADDRESS_LIST: Final = (MIKROTIK, 19)

CISCO_AVPAIR: Final = (CISCO, 1)

ADSL_AGENT_CIRCUIT_ID: Final = (ADSL_FORUM, 1)
ADSL_AGENT_REMOTE_ID: Final = (ADSL_FORUM, 2)
AGENT_REMOTE_ID: Final = (REDBACK, 96)
AGENT_CIRCUIT_ID: Final = (REDBACK, 97)
