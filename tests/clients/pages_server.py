"""A loopback server for relying parties that are pages: their HTML, the libraries as npm installed them, settings."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.clients.node_scripts import HERE, check_installed

PAGES = HERE / "pages"
LIBRARIES = {
    "/lib/oidc-client-ts.js": HERE / "node_modules/oidc-client-ts/dist/esm/oidc-client-ts.js",
    "/lib/keycloak.js": HERE / "node_modules/keycloak-js/lib/keycloak.js",
    "/lib/jwt-decode.js": HERE / "node_modules/jwt-decode/build/esm/index.js",
}
APPLICATIONS = {
    **{
        f"/oidc-client-ts/{leaf}": "oidc-client-ts.html"
        for leaf in ("app", "callback", "popup", "silent", "bye", "closed")
    },
    "/keycloak-js/app": "keycloak-js.html",
    "/keycloak-js/silent": "keycloak-js-silent.html",
}


@contextmanager
def serving(port: int, issuer: str) -> Iterator[None]:
    """The pages, while the block runs."""
    check_installed("oidc-client-ts", "keycloak-js")

    class Pages(BaseHTTPRequestHandler):
        """GET a page or a library."""

        def do_GET(self) -> None:
            """Whatever is known by this path."""
            path = urlsplit(self.path).path
            if path == "/settings.json":
                self._send("application/json", json.dumps({"issuer": issuer}).encode())
            elif path in APPLICATIONS:
                self._send("text/html", (PAGES / APPLICATIONS[path]).read_bytes())
            elif path in LIBRARIES:
                self._send("text/javascript", _for_browsers(LIBRARIES[path]))
            else:
                self.send_error(404)

        def _send(self, media_type: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Pages)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _for_browsers(library: Path) -> bytes:
    """A module whose one import names an address instead of a package: all that a bundler would do here."""
    return library.read_bytes().replace(b'from "jwt-decode"', b'from "/lib/jwt-decode.js"')
