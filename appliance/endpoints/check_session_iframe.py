"""The iframe by which clients in the browser ask whether the login changed (Session Management 3.2).

A constant page with a constant script that the policy knows by its hash. It asks nobody: it reads a cookie and
computes. SHA-256 is written out because the browser's own is asynchronous, only there on https, and unknown to
the older and simpler engines that this has to work in.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from math import isqrt
from typing import Final

from appliance.endpoints.discovery import MAX_AGE
from appliance.profile.profile import Profile
from appliance.protocol.messages import Request, Response

_SCRIPT: Final = r"""(function () {
  var rounds = [@ROUNDS@], start = [@START@];
  function turn(x, n) { return (x >>> n) | (x << (32 - n)); }
  function digest(text) {
    var words = [], length = text.length, blocks = ((length + 8) >> 6) + 1, sums = start.slice(0), i, j, w, s, t, u;
    for (i = 0; i < blocks * 16; i++) { words[i] = 0; }
    for (i = 0; i < length; i++) { words[i >> 2] |= text.charCodeAt(i) << (24 - 8 * (i & 3)); }
    words[length >> 2] |= 128 << (24 - 8 * (length & 3));
    words[blocks * 16 - 1] = length * 8;
    for (i = 0; i < words.length; i += 16) {
      w = words.slice(i, i + 16);
      s = sums.slice(0);
      for (j = 0; j < 64; j++) {
        if (j > 15) {
          t = w[j - 15];
          u = w[j - 2];
          w[j] = (w[j - 16] + w[j - 7] + (turn(t, 7) ^ turn(t, 18) ^ (t >>> 3)) +
            (turn(u, 17) ^ turn(u, 19) ^ (u >>> 10))) | 0;
        }
        t = (s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) +
          rounds[j] + w[j]) | 0;
        u = ((turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) +
          ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]))) | 0;
        s = [(t + u) | 0, s[0], s[1], s[2], (s[3] + t) | 0, s[4], s[5], s[6]];
      }
      for (j = 0; j < 8; j++) { sums[j] = (sums[j] + s[j]) | 0; }
    }
    for (i = 0, t = ''; i < 32; i++) {
      u = (sums[i >> 2] >>> (24 - 8 * (i & 3))) & 255;
      t += (u < 16 ? '0' : '') + u.toString(16);
    }
    return t;
  }
  function state() {
    var found = /(?:^|; )@COOKIE@=([^;]*)/.exec(document.cookie);
    return found ? found[1] : '';
  }
  window.addEventListener('message', function (event) {
    var asked = event.data, answer = 'error', found = null;
    if (!event.source || !/^https?:\/\/[\x21-\x7e]{1,300}$/.test(event.origin)) { return; }
    if (typeof asked === 'string' && asked.length < 1024) {
      found = /^([\x21-\x7e]{1,255}) ([0-9a-f]{64})\.([A-Za-z0-9_-]{1,64})$/.exec(asked);
    }
    if (found) {
      asked = digest(found[1] + ' ' + event.origin + ' ' + state() + ' ' + found[3]);
      answer = asked === found[2] ? 'unchanged' : 'changed';
    }
    try { event.source.postMessage(answer, event.origin); } catch (gone) { return; }
  }, false);
})();"""


def _primes() -> Iterator[int]:
    """Primes from 2 on."""
    number = 2
    while True:
        if all(number % divisor for divisor in range(2, isqrt(number) + 1)):
            yield number
        number += 1


def _cube_root(number: int) -> int:
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


def script(cookie: str) -> str:
    """The script for a cookie's name; its constants are those of FIPS 180-4 4.2.2 and 5.3.3."""
    primes = [prime for _, prime in zip(range(64), _primes(), strict=False)]
    rounds = ", ".join(str(_cube_root(prime << 96) & 0xFFFFFFFF) for prime in primes)
    start = ", ".join(str(isqrt(prime << 64) & 0xFFFFFFFF) for prime in primes[:8])
    return _SCRIPT.replace("@ROUNDS@", rounds).replace("@START@", start).replace("@COOKIE@", cookie)


class CheckSessionIframe:
    """The OP iframe of one profile."""

    name = "check_session_iframe"
    path = "/check_session"
    methods = frozenset({"GET"})
    cors = "none"

    def __init__(self, profile: Profile) -> None:
        self._address = profile.issuer + self.path
        text = script(profile.sessions.state.cookie)
        source = b64encode(sha256(text.encode()).digest()).decode()
        headers = (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", f"public, max-age={MAX_AGE}"),
            # The one page that others may frame: it shows nothing and takes no input.
            ("Content-Security-Policy", f"default-src 'none'; script-src 'sha256-{source}'; base-uri 'none'"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        )
        page = (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Session</title></head>'
            f"<body><script>{text}</script></body></html>\n"
        )
        self._response = Response(200, headers, page.encode())

    async def handle(self, request: Request) -> Response:
        """The page."""
        return self._response

    def metadata(self) -> Mapping[str, object]:
        """Its address (Session Management 3.3)."""
        return {self.name: self._address}
