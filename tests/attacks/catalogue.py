"""The ids of the attacks that every release must survive, by area, and those that wait for a feature."""

from collections.abc import Mapping
from typing import Final

ATTACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "user authentication": tuple(
        "AU-02 AU-03 AU-04 AU-05 AU-07 AU-08 AU-10 AU-13 AU-14 AU-15 AU-16 AU-18 AU-19 AU-20 AU-22".split()
    ),
    "authorization request": tuple(
        "AZ-03 AZ-05 AZ-06 AZ-07 AZ-08 AZ-10 AZ-11 AZ-15 AZ-16 AZ-17 AZ-18 AZ-19 AZ-20 AZ-21 AZ-23 AZ-24".split()
    ),
    "client authentication": tuple(
        "CA-01 CA-04 CA-06 CA-07 CA-09 CA-11 CA-13 CA-14 CA-16 CA-17 CA-18 CA-20 CA-21 CA-22 CA-23 CA-24 CA-25 "
        "CA-26 CA-28 CA-29 CA-30 CA-31 CA-32 CA-35 CA-38 CA-39 CA-40 CA-42 CA-43 CA-44".split()
    ),
    "authorization code": tuple("CD-01 CD-04 CD-05 CD-06 CD-07 CD-08 CD-09 CD-11 CD-12 CD-13".split()),
    "configuration and hot reload": tuple(
        "CF-02 CF-04 CF-05 CF-06 CF-07 CF-08 CF-09 CF-11 CF-12 CF-14 CF-16 CF-17 CF-18 CF-20".split()
    ),
    "dynamic client registration": tuple("DC-01 DC-02 DC-04 DC-05 DC-06 DC-08".split()),
    "device, CIBA, mobile signature": tuple("DV-01 DV-02 DV-03 DV-05 DV-07 DV-09 DV-10 DV-11 DV-12".split()),
    "federation (OP as RP)": tuple("FD-01 FD-03 FD-04 FD-06".split()),
    "response headers and CORS": tuple("HD-01 HD-04 HD-05 HD-06".split()),
    "host and proxy headers": tuple("HH-02 HH-03 HH-04 HH-05".split()),
    "HTTP layer and DoS": tuple(
        "HT-01 HT-02 HT-03 HT-04 HT-06 HT-09 HT-10 HT-11 HT-15 HT-16 HT-17 HT-19 HT-20 HT-21 HT-22".split()
    ),
    "introspection, revocation, userinfo": tuple("IN-01 IN-03 IN-04 IN-05 IN-07".split()),
    "JOSE, keys, rotation": tuple(
        "JW-01 JW-04 JW-05 JW-07 JW-08 JW-09 JW-10 JW-11 JW-12 JW-13 JW-14 JW-17 JW-18 JW-19".split()
    ),
    "logging and metrics": tuple("LG-01 LG-03 LG-04 LG-05".split()),
    "logout and session management": tuple("LO-01 LO-02 LO-03 LO-04 LO-05 LO-07 LO-10 LO-12".split()),
    "must accept": tuple("MA-01 MA-03 MA-04 MA-07 MA-08 MA-09 MA-10 MA-11".split()),
    "mix-up / issuer and profile confusion": tuple("MX-01 MX-04 MX-05 MX-06 MX-07 MX-08 MX-09 MX-12 MX-13".split()),
    "PKCE": tuple("PK-02 PK-03 PK-05 PK-06 PK-07 PK-08 PK-09 PK-10".split()),
    "pairwise and privacy": tuple("PS-01 PS-02 PS-03 PS-04".split()),
    "refresh tokens": tuple("RF-02 RF-04 RF-06 RF-07 RF-08 RF-10 RF-11 RF-13 RF-14 RF-15".split()),
    "request object / PAR": tuple("RO-01 RO-02 RO-04 RO-06 RO-08 RO-09 RO-10 RO-11 RO-12 RO-15 RO-16".split()),
    "response type/mode": tuple("RT-01 RT-02 RT-03 RT-04 RT-05 RT-07 RT-08 RT-09 RT-10 RT-12".split()),
    "redirect_uri matching": tuple(
        "RU-02 RU-03 RU-04 RU-05 RU-06 RU-08 RU-10 RU-11 RU-12 RU-14 RU-17 RU-18 RU-19 RU-20 RU-21 RU-23 RU-26 "
        "RU-27 RU-28 RU-29 RU-31 RU-33 RU-35 RU-36 RU-37 RU-38".split()
    ),
    "scope and claims": tuple("SC-01 SC-02 SC-03 SC-06 SC-07 SC-09 SC-10 SC-11 SC-13 SC-15".split()),
    "sessions": tuple("SE-01 SE-02 SE-03 SE-04 SE-05 SE-06 SE-07 SE-11 SE-13 SE-14 SE-15".split()),
    "SSRF and outbound fetch": tuple("SS-02 SS-05 SS-06 SS-07 SS-08 SS-10 SS-11 SS-12".split()),
    "token binding": tuple(
        "TB-01 TB-02 TB-05 TB-06 TB-07 TB-08 TB-10 TB-11 TB-12 TB-16 TB-17 TB-18 TB-19 TB-20 TB-21 TB-23".split()
    ),
    "other grants": tuple("TE-01 TE-02 TE-03".split()),
    "XSS, themes, assets": tuple("XS-02 XS-04 XS-05 XS-06 XS-07 XS-09 XS-10 XS-11 XS-12 XS-15 XS-16 XS-17".split()),
}

#: What cannot be tried yet, and the feature that it would be tried at; a row goes when its feature comes.
WAITING: Final[Mapping[str, str]] = {
    "AU-16": "SOAP authority",
    "AU-18": "SOAP authority",
    "FD-01": "federation",
    "FD-03": "federation",
    "FD-04": "federation",
    "FD-06": "federation",
    "SS-12": "federation",
}

#: What is tried as far as the product goes, and what the rest of the row waits for.
PARTLY: Final[Mapping[str, str]] = {
    "AU-13": "LDAP authority",
    "AU-14": "LDAP authority",
    "AU-15": "LDAP authority",
}
