#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A token service for docker-registry: token_service.py FOLDER

Standing alone it gives identity tokens to who asks, writes FOLDER/token.port, and
ends with its standard input.
"""

import base64
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

from harness import openssl

IDENTITY = "1dent1ty-t0k3n"


class TokenService:
    """Distribution's token specification; signs with the openssl program."""

    def __init__(self, folder):
        self.key = os.path.join(folder, "token.key")
        self.cert = os.path.join(folder, "token.crt")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=token service", "-keyout", self.key, "-out",
                self.cert)
        self.life_s = 60
        self.offline = False
        self.issued = 0
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                service.answer(self)

            def do_POST(self):
                service.refresh(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def config(self):
        return {"token": {"realm": f"http://localhost:{self.port}/token",
                          "service": "test registry", "issuer": "test issuer",
                          "rootcertbundle": self.cert}}

    def sign(self, scope):
        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        access = []
        if scope:
            kind, name, actions = scope.split(":")
            access = [{"type": kind, "name": name,
                       "actions": actions.split(",")}]
        der = openssl("x509", "-in", self.cert, "-outform", "DER")
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256",
                "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": "test issuer", "sub": "user", "aud": "test registry",
                  "exp": now + self.life_s, "nbf": now - 10, "iat": now,
                  "jti": str(self.issued), "access": access}
        text = (part(json.dumps(head).encode()) + b"." +
                part(json.dumps(claims).encode()))
        signature = openssl("dgst", "-sha256", "-sign", self.key, data=text)
        self.issued += 1
        return (text + b"." + part(signature)).decode()

    def answer(self, handler):
        query = urllib.parse.parse_qs(handler.path.partition("?")[2])
        scope = query.get("scope", [""])[0]
        want = "Basic " + base64.b64encode(b"user:p4ssw0rd").decode()
        sent = handler.headers.get("Authorization", "")
        private = "private" in scope
        if (private or sent) and sent != want:
            return self.send(handler, 401, {"details": "who are you"})
        reply = {"token": self.sign(scope), "expires_in": self.life_s}
        if sent and self.offline and query.get("offline_token") == ["true"]:
            reply["refresh_token"] = IDENTITY
        return self.send(handler, 200, reply)

    def refresh(self, handler):
        form = urllib.parse.parse_qs(self.body(handler).decode())
        if form.get("refresh_token") != [IDENTITY]:
            return self.send(handler, 401, {"details": "who are you"})
        return self.send(handler, 200, {
            "access_token": self.sign(form.get("scope", [""])[0]),
            "expires_in": self.life_s})

    @staticmethod
    def body(handler):
        """All of it, also in chunks, as skopeo sends it."""
        if "Content-Length" in handler.headers:
            return handler.rfile.read(int(handler.headers["Content-Length"]))
        whole = b""
        while size := int(handler.rfile.readline(), 16):
            whole += handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
        return whole

    @staticmethod
    def send(handler, status, value):
        body = json.dumps(value).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def main():
    folder = sys.argv[1]
    service = TokenService(folder)
    service.offline = True
    with open(os.path.join(folder, "port.new"), "w", encoding="ascii") as f:
        f.write(str(service.port))
    os.rename(os.path.join(folder, "port.new"),
              os.path.join(folder, "token.port"))
    sys.stdin.read()
    service.stop()


if __name__ == "__main__":
    main()
