# SPDX-License-Identifier: Apache-2.0
"""A registry that does what real ones do on their worst days.

Raw sockets, so that a reply can be anything.  A repository's name picks the
fault: 127.0.0.1:PORT/<fault>:latest.  Every request is kept in `requests`.
"""

import base64
import email.utils
import json
import socket
import ssl
import threading
import time
import urllib.parse

from fault_documents import Documents
from fault_signatures import Signatures
from fault_tags import Tags
from fault_uploads import Uploads
from harness import OCI_MANIFEST

MIB = 1 << 20


class Request:
    def __init__(self, port, method, target, headers, body):
        self.port = port
        self.method = method
        self.target = target
        if target.startswith("http://"):  # to a proxy
            target = "/" + target.split("/", 3)[3]
        self.path = target.split("?")[0]
        self.query = urllib.parse.parse_qs(target.partition("?")[2])
        self.headers = headers
        self.body = body
        self.auth = headers.get("authorization", "")
        self.first = 0
        rng = headers.get("range", "")
        if rng.startswith("bytes=") and rng.endswith("-"):
            self.first = int(rng[6:-1])

    @property
    def repository(self):
        name = self.path[4:].rsplit("/", 2)[0]
        return name.removesuffix("/blobs") if self.kind == "uploads" else name

    @property
    def kind(self):
        parts = self.path.rsplit("/", 2)
        return parts[1] if self.path.startswith("/v2/") else "other"


class Connection:
    """Writes replies; says how much the client took."""

    def __init__(self, sock, bodiless=False):
        self.sock = sock
        self.bodiless = bodiless
        self.sent = 0
        self.close = False

    def raw(self, data):
        self.sock.sendall(data)
        self.sent += len(data)

    def head(self, status, headers=()):
        lines = [f"HTTP/1.1 {status} X"] + [f"{k}: {v}" for k, v in headers]
        self.raw(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def reply(self, status, body=b"", headers=()):
        self.head(status, list(headers) + [("Content-Length", len(body))])
        # after an answer to HEAD the next one would begin with it
        if not self.bodiless:
            self.raw(body)

    def json(self, status, value, headers=()):
        self.reply(status, json.dumps(value).encode(),
                   [("Content-Type", "application/json"), *headers])

    def error(self, status, code, message, headers=()):
        self.json(status, {"errors": [{"code": code, "message": message}]},
                  headers)

    def blob(self, req, data, cut=None):
        """200 or 206 from where it was asked; broken off after @cut bytes."""
        part = data[req.first:]
        headers = [("Content-Length", len(part)),
                   ("Content-Type", "application/octet-stream")]
        if req.first:
            headers.append(("Content-Range",
                            f"bytes {req.first}-{len(data) - 1}/{len(data)}"))
        self.head(206 if req.first else 200, headers)
        if cut is not None and cut < len(part):
            self.raw(part[:cut])
            self.close = True
            return
        self.raw(part)


class FaultServer(Uploads, Signatures, Tags, Documents):
    def __init__(self, image, authority=None, log=None):
        super().__init__()
        self.log = log
        self.image = image
        self.lock = threading.Lock()
        self.repository = None
        self.requests = []
        self.counts = {}
        self.issued = {}
        self.sent = 0
        self.running = 0
        self.most_running = 0
        self.stopping = False
        self.sockets = []
        self.port = self.listen(None)
        self.other_port = self.listen(None)
        self.tls_port = self.listen(authority) if authority else 0

    # ------------------------------------------------------------- plumbing

    def listen(self, authority):
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(64)
        self.sockets.append(sock)
        port = sock.getsockname()[1]
        context = None
        if authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.cert, authority.key)
        threading.Thread(target=self.accept, args=(sock, port, context),
                         daemon=True).start()
        return port

    def accept(self, sock, port, context):
        while not self.stopping:
            try:
                conn, _ = sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn, port, context),
                             daemon=True).start()

    def stop(self):
        self.stopping = True
        for sock in self.sockets:
            sock.close()

    def forget(self, repository=None):
        """Begin a test; what a broken-off one still asks for is not kept."""
        with self.lock:
            self.repository = repository
            self.requests = []
            self.counts = {}
            self.sent = 0
            self.most_running = 0

    def seen(self, kind=None, port=None):
        with self.lock:
            return [r for r in self.requests
                    if kind in (None, r.kind) and port in (None, r.port)]

    def count(self, *key):
        """How often this was asked before, 0 the first time."""
        with self.lock:
            n = self.counts.get(key, 0)
            self.counts[key] = n + 1
            return n

    def note(self, line):
        if self.log:
            with self.lock:
                print(line, file=self.log, flush=True)

    def serve(self, sock, port, context):
        try:
            if context:
                sock = context.wrap_socket(sock, server_side=True)
            elif sock.recv(1, socket.MSG_PEEK) == b"\x16":
                return  # TLS to a plain service
            stream = sock.makefile("rb")
            while self.serve_one(sock, stream, port):
                pass
        except (OSError, ValueError):
            pass
        finally:
            sock.close()

    def serve_one(self, sock, stream, port):
        line = stream.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = {}
        while True:
            field = stream.readline(65536).decode("latin-1").strip()
            if not field:
                break
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        req = Request(port, line[0], line[1], headers, b"")
        length = int(headers.get("content-length", "0"))
        take = self.takes(req, length)
        req.body = stream.read(take)
        req.cut = take < length
        conn = Connection(sock, req.method == "HEAD")
        with self.lock:
            if (self.repository in (None, req.repository) or
                    not req.path.startswith("/v2/")):
                self.requests.append(req)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        self.note(f"{req.method} {req.path} {req.first}")
        try:
            self.answer(conn, req)
        finally:
            with self.lock:
                self.running -= 1
                self.sent += conn.sent
        return not conn.close

    # --------------------------------------------------------------- faults

    def answer(self, conn, req):
        if req.method == "CONNECT":
            conn.close = True
            return conn.reply(405)
        if req.path == "/token":
            return self.token(conn, req)
        if req.path.startswith("/cdn/"):
            return self.cdn(conn, req)
        fault = req.repository.split("/")[-1].replace("-", "_")
        if req.method == "HEAD" or req.kind == "uploads":
            return self.change(conn, req, fault)
        method = getattr(self, f"{req.kind}_{fault}", None)
        if method:
            return method(conn, req)
        return self.ordinary(conn, req)

    def ordinary(self, conn, req):
        if req.kind == "manifests":
            return self.manifest(conn, req)
        data = self.data(req)
        if data is None:
            return conn.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        return conn.blob(req, data)

    def manifest(self, conn, req, body=None, headers=()):
        body = self.image.manifest if body is None else body
        conn.reply(200, body, [("Content-Type", OCI_MANIFEST), *headers])

    def data(self, req):
        digest = req.path.rsplit("/", 1)[1]
        return self.image.blobs.get(digest, self.payloads.get(digest))

    # broken transfers

    def blobs_cut(self, conn, req):
        conn.blob(req, self.data(req), cut=MIB)

    def blobs_cut_tiny(self, conn, req):
        conn.blob(req, self.data(req), cut=10)

    def blobs_cut_no_range(self, conn, req):
        data = self.data(req)
        again = self.count(req.path) >= 2
        req.first = 0
        conn.blob(req, data, cut=None if again else MIB)

    def blobs_cut_wrong_range(self, conn, req):
        data = self.data(req)
        if not req.first:
            return conn.blob(req, data,
                             cut=None if self.count(req.path) else MIB)
        conn.head(206, [("Content-Length", len(data) - req.first),
                        ("Content-Range",
                         f"bytes 7-{len(data) - 1}/{len(data)}")])
        return conn.raw(data[req.first:])

    def blobs_cut_no_content_range(self, conn, req):
        data = self.data(req)
        if not req.first:
            return conn.blob(req, data,
                             cut=None if self.count(req.path) else MIB)
        conn.head(206, [("Content-Length", len(data) - req.first)])
        return conn.raw(data[req.first:])

    def blobs_cut_416(self, conn, req):
        if req.first:
            return conn.reply(416, b"no")
        return conn.blob(req, self.data(req),
                         cut=None if self.count(req.path) else MIB)

    def blobs_cut_unframed(self, conn, req):
        """No length, and the connection's end is the body's end."""
        data = self.data(req)
        if req.first:
            return conn.blob(req, data)
        conn.head(200, [("Connection", "close")])
        conn.raw(data[:len(data) // 2])
        conn.close = True
        return None

    def blobs_stall(self, conn, req):
        data = self.data(req)
        if self.count(req.path):
            return conn.blob(req, data)
        conn.head(200, [("Content-Length", len(data))])
        conn.raw(data[:len(data) // 2])
        conn.close = True
        self.note(f"stalled {req.path}")
        conn.sock.recv(1)  # until the client hangs up
        return None

    def blobs_slow(self, conn, req):
        """A second for each, so that others come to want it meanwhile."""
        time.sleep(1)
        return conn.blob(req, self.data(req))

    def manifests_reset(self, conn, req):
        if self.count(req.path) < 2:
            conn.close = True
            return None
        return self.manifest(conn, req)

    # wrong bodies

    def blobs_long(self, conn, req):
        conn.reply(200, self.data(req) + b"x")

    def blobs_endless_blob(self, conn, req):
        conn.head(200, [("Transfer-Encoding", "chunked")])
        while True:
            conn.raw(b"10000\r\n" + bytes(65536) + b"\r\n")

    def blobs_short(self, conn, req):
        conn.reply(200, self.data(req)[:-1])

    def blobs_corrupt(self, conn, req):
        data = bytearray(self.data(req))
        data[0] ^= 1
        conn.blob(req, bytes(data))

    def blobs_corrupt_once(self, conn, req):
        data = bytearray(self.data(req))
        data[0] ^= self.count(req.path) == 0
        conn.blob(req, bytes(data))

    def blobs_missing(self, conn, req):
        conn.error(404, "BLOB_UNKNOWN", "blob unknown to registry")

    def manifests_huge(self, conn, req):
        conn.head(200, [("Content-Type", OCI_MANIFEST),
                        ("Content-Length", 100 * MIB)])
        for _ in range(1600):
            conn.raw(b" " * 65536)

    def manifests_endless(self, conn, req):
        conn.head(200, [("Content-Type", OCI_MANIFEST),
                        ("Transfer-Encoding", "chunked")])
        while True:
            conn.raw(b"10000\r\n" + b" " * 65536 + b"\r\n")

    def manifests_encoded(self, conn, req):
        self.manifest(conn, req, headers=[("Content-Encoding", "gzip")])

    def manifests_stated(self, conn, req):
        self.manifest(conn, req, headers=[
            ("Docker-Content-Digest", "sha256:" + "0" * 64)])

    def manifests_other(self, conn, req):
        self.manifest(conn, req, body=b"{}")

    def manifests_schema1(self, conn, req):
        conn.reply(200, b'{"schemaVersion": 1}', [
            ("Content-Type",
             "application/vnd.docker.distribution.manifest.v1+prettyjws")])

    def manifests_unknown(self, conn, req):
        conn.error(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def manifests_nameless(self, conn, req):
        conn.error(404, "NAME_UNKNOWN", "repository name not known")

    def manifests_bare_404(self, conn, req):
        conn.reply(404, b"<html>" + b"x" * MIB)

    def manifests_limited_words(self, conn, req):
        self.manifest(conn, req, headers=[
            ("ratelimit-limit", "100;w=21600"),
            ("ratelimit-remaining", "76;w=21600")])

    # wrong heads

    def manifests_header_flood(self, conn, req):
        conn.raw(b"HTTP/1.1 200 OK\r\n")
        while True:
            conn.raw(b"X-Flood: " + b"x" * 1000 + b"\r\n")

    def manifests_long_header(self, conn, req):
        conn.raw(b"HTTP/1.1 200 OK\r\nX-Flood: ")
        while True:
            conn.raw(b"x" * 4096)

    def manifests_continue_flood(self, conn, req):
        while True:
            conn.raw(b"HTTP/1.1 100 Continue\r\n\r\n")

    def manifests_noise(self, conn, req):
        conn.raw(b"SSH-2.0-OpenSSH_9.2\r\n")
        conn.close = True

    def manifests_odd_status(self, conn, req):
        conn.reply(418, b"{}")

    # redirects

    def blobs_elsewhere(self, conn, req):
        """As object stores do: another port, signed, no log-in there."""
        if not req.auth:
            return self.ask_basic(conn)
        digest = req.path.rsplit("/", 1)[1]
        return conn.reply(307, b"", [
            ("Location", f"http://127.0.0.1:{self.other_port}/cdn/cut/"
                         f"{digest}?signature=s3cr3t-signature")])

    def blobs_expired_url(self, conn, req):
        digest = req.path.rsplit("/", 1)[1]
        return conn.reply(307, b"", [
            ("Location", f"http://127.0.0.1:{self.other_port}/cdn/expired/"
                         f"{digest}")])

    def blobs_relative(self, conn, req):
        digest = req.path.rsplit("/", 1)[1]
        conn.reply(302, b"moved", [("Location", f"/cdn/whole/{digest}")])

    def blobs_loop(self, conn, req):
        conn.reply(307, b"", [("Location", req.path)])

    def blobs_downgrade(self, conn, req):
        digest = req.path.rsplit("/", 1)[1]
        conn.reply(307, b"", [
            ("Location", f"http://127.0.0.1:{self.port}/cdn/whole/{digest}")])

    def blobs_to_file(self, conn, req):
        conn.reply(307, b"", [("Location", "file:///etc/passwd")])

    def blobs_to_user(self, conn, req):
        conn.reply(307, b"", [
            ("Location", f"http://u:p@127.0.0.1:{self.other_port}/cdn/x/y")])

    def blobs_nowhere(self, conn, req):
        conn.reply(307)

    def cdn(self, conn, req):
        _, _, what, digest = req.path.split("/")
        data = self.image.blobs[digest]
        if what == "expired" and self.count(req.path) == 0:
            return conn.reply(403, b"<Error>expired</Error>")
        return conn.blob(req, data, cut=MIB if what == "cut" else None)

    # waiting

    def manifests_busy(self, conn, req):
        if self.count(req.path) < 2:
            return conn.reply(503)
        return self.manifest(conn, req)

    def manifests_wait(self, conn, req):
        if self.count(req.path) < 1:
            return conn.reply(429, b"", [("Retry-After", "1")])
        return self.manifest(conn, req)

    def manifests_wait_date(self, conn, req):
        if self.count(req.path) < 1:
            when = email.utils.formatdate(time.time() + 2, usegmt=True)
            return conn.reply(503, b"", [("Retry-After", when)])
        return self.manifest(conn, req)

    def manifests_wait_long(self, conn, req):
        conn.error(429, "TOOMANYREQUESTS", "you have reached your limit",
                   [("Retry-After", "3600")])

    def manifests_wait_ever(self, conn, req):
        conn.error(429, "TOOMANYREQUESTS", "you have reached your limit")

    # log-ins

    def ask_basic(self, conn):
        conn.error(401, "UNAUTHORIZED", "authentication required",
                   [("WWW-Authenticate", 'Basic realm="test"')])

    def ask_bearer(self, conn, req, realm=None, extra=""):
        realm = realm or f"http://127.0.0.1:{self.port}/token"
        conn.error(401, "UNAUTHORIZED", "authentication required", [
            ("WWW-Authenticate",
             f'Bearer realm="{realm}",service="test-service",'
             f'scope="repository:{req.repository}:pull"{extra}')])

    def basic(self, conn, req):
        want = base64.b64encode(b"user:p4ss:w0rd").decode()
        if req.auth != f"Basic {want}":
            return self.ask_basic(conn)
        return self.ordinary(conn, req)

    manifests_basic = blobs_basic = basic

    def manifests_basic_also(self, conn, req):
        self.basic(conn, req)

    def bearer(self, conn, req):
        if not req.auth.startswith("Bearer good-"):
            return self.ask_bearer(conn, req)
        return self.ordinary(conn, req)

    manifests_bearer = blobs_bearer = bearer
    manifests_bearer_user = blobs_bearer_user = bearer
    manifests_bearer_refresh = blobs_bearer_refresh = bearer
    manifests_bearer_old = blobs_bearer_old = bearer
    manifests_bearer_refused = bearer
    manifests_bearer_busy = blobs_bearer_busy = bearer

    def expiring(self, conn, req):
        """Tokens end before they said; transfers are slow, and break."""
        issued = self.issued.get(req.auth.removeprefix("Bearer "), 0)
        if time.monotonic() - issued > 0.3:
            return self.ask_bearer(conn, req, extra=',error="invalid_token"')
        if req.kind == "manifests":
            return self.manifest(conn, req)
        time.sleep(0.2)
        return conn.blob(req, self.data(req), cut=MIB)

    manifests_bearer_expiring = blobs_bearer_expiring = expiring

    def manifests_401_loop(self, conn, req):
        self.ask_bearer(conn, req)

    def manifests_401_basic_loop(self, conn, req):
        self.ask_basic(conn)

    def manifests_401_silent(self, conn, req):
        conn.reply(401)

    def manifests_401_negotiate(self, conn, req):
        conn.reply(401, b"", [("WWW-Authenticate", "Negotiate")])

    def manifests_401_long(self, conn, req):
        conn.reply(401, b"", [
            ("WWW-Authenticate", f'Bearer realm="http://{"x" * 40000}/"')])

    def manifests_realm_far(self, conn, req):
        self.ask_bearer(conn, req, realm="http://192.0.2.1/token")

    def manifests_realm_plain(self, conn, req):
        self.ask_bearer(conn, req)

    def manifests_realm_file(self, conn, req):
        self.ask_bearer(conn, req, realm="file:///etc/passwd")

    manifests_token_endless = manifests_401_loop
    manifests_token_garbage = manifests_401_loop
    manifests_token_none = manifests_401_loop
    manifests_token_inject = manifests_401_loop
    manifests_token_redirect = manifests_401_loop

    def manifests_denied(self, conn, req):
        conn.error(403, "DENIED", "requested access to the resource is denied")

    def token(self, conn, req):
        if req.method == "POST":
            form = urllib.parse.parse_qs(req.body.decode())
            if form["scope"][0].split(":")[1].endswith("bearer-old"):
                return conn.reply(404, b"not found")
            if form.get("refresh_token") != ["1dent1ty-token"]:
                return conn.json(401, {"error": "invalid_grant"})
            scope = form["scope"][0]
        else:
            scope = req.query["scope"][0]
        fault = scope.split(":")[1].split("/")[-1]
        if fault == "token-endless":
            conn.head(200, [("Transfer-Encoding", "chunked")])
            while True:
                conn.raw(b"10000\r\n" + b" " * 65536 + b"\r\n")
        if fault == "token-garbage":
            return conn.reply(200, b'{"token": "s3cr3t-garbage"')
        if fault == "token-none":
            return conn.json(200, {"hello": "world"})
        if fault == "token-inject":
            return conn.json(200, {"token": "x\r\nHost: evil"})
        if fault == "token-redirect":
            return conn.reply(302, b"", [("Location", "http://192.0.2.1/")])
        if fault == "bearer-busy" and self.count("token") < 2:
            return conn.reply(503, b"", [("Retry-After", "0")])
        if fault == "bearer-user":
            want = base64.b64encode(b"user:p4ss:w0rd").decode()
            if req.auth != f"Basic {want}":
                return conn.json(401, {"details": "incorrect password"})
        if fault == "bearer-refused":
            return conn.json(401, {"details": "incorrect username or password"})
        if fault == "bearer-refresh" and req.method != "POST":
            return conn.json(401, {"details": "no refresh token"})
        token = f"good-t0k3n-{self.count('issued')}"
        self.issued[token] = time.monotonic()
        return conn.json(200, {"access_token": token, "expires_in": 300})

