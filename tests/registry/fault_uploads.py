# SPDX-License-Identifier: Apache-2.0
"""What the fault server does with what it is given."""

import hashlib

MIB = 1 << 20


class Uploads:
    def __init__(self):
        super().__init__()
        self.sessions = {}
        self.stored = {}

    def takes(self, req, length):
        """How much of a body is read before the connection breaks."""
        if (req.kind == "uploads" and length > MIB and
                "-cut" in req.repository and self.count("cut") < 3):
            return MIB
        return length

    def change(self, conn, req, fault):
        if req.method == "HEAD":
            if fault == "push_auth" and not req.auth.startswith("Bearer good"):
                return self.ask_bearer(conn, req)
            known = req.path.rsplit("/", 1)[1] in self.stored
            return conn.head(200 if known else 404, [("Content-Length", 5)])
        method = getattr(self, f"uploads_{fault}", self.upload)
        return method(conn, req)

    def where(self, req, session, port=None):
        target = (f"/v2/{req.repository}/blobs/uploads/{session}"
                  "?_state=s3cr3t-signature")
        return f"http://127.0.0.1:{port}{target}" if port else target

    def headers(self, req, session, port=None):
        have = len(self.sessions[session])
        return [("Location", self.where(req, session, port)),
                ("Range", f"0-{max(have - 1, 0)}")]

    def upload(self, conn, req, port=None, extra=()):
        """As the specification says."""
        session = req.path.rsplit("/", 1)[1]
        if req.method == "POST":
            session = f"session-{self.count('session')}"
            self.sessions[session] = bytearray()
            return conn.reply(202, b"", [
                *self.headers(req, session, port), *extra])
        if session not in self.sessions:
            return conn.error(404, "BLOB_UPLOAD_UNKNOWN", "never heard of it")
        if req.method == "GET":
            return conn.head(204, self.headers(req, session, port))
        return self.append(conn, req, session, port)

    def append(self, conn, req, session, port=None):
        data = self.sessions[session]
        first = req.headers.get("content-range", "0-").split("-")[0]
        if req.body and int(first) != len(data):
            return conn.reply(416, b"", self.headers(req, session, port))
        data += req.body
        if req.cut:
            conn.close = True
            return None
        if req.method == "PATCH":
            return conn.reply(202, b"", self.headers(req, session, port))
        digest = req.query["digest"][0]
        if digest != "sha256:" + hashlib.sha256(data).hexdigest():
            return conn.error(400, "DIGEST_INVALID", "digest mismatch")
        self.stored[digest] = bytes(self.sessions.pop(session))
        return conn.reply(201, b"", [("Docker-Content-Digest", digest)])

    # broken sessions

    def uploads_push_cut_lost(self, conn, req):
        """What was broken off is forgotten."""
        if req.method == "GET":
            return conn.error(404, "BLOB_UPLOAD_UNKNOWN", "gone")
        return self.upload(conn, req)

    def uploads_push_cut_silent(self, conn, req):
        """It cannot say what it has."""
        if req.method == "GET":
            return conn.reply(405)
        return self.upload(conn, req)

    def uploads_push_cut_garbled(self, conn, req):
        """What it has is not what was sent: told at the end."""
        if req.cut and not self.count("garbled"):
            req.body = b"x" + req.body[1:]
        return self.upload(conn, req)

    def uploads_push_forgets(self, conn, req):
        if req.method == "PUT":
            return conn.error(404, "BLOB_UPLOAD_UNKNOWN", "never heard of it")
        return self.upload(conn, req)

    def uploads_push_busy(self, conn, req):
        if self.count("busy", req.method) < 2:
            return conn.reply(503, b"", [("Retry-After", "0")])
        return self.upload(conn, req)

    def uploads_push_busy_ever(self, conn, req):
        return conn.reply(503, b"", [("Retry-After", "0")])

    # wrong answers

    def uploads_push_ahead(self, conn, req):
        if req.method == "PATCH":
            return conn.reply(202, b"", [("Location", req.target),
                                         ("Range", "0-999999999999")])
        return self.upload(conn, req)

    def uploads_push_stuck(self, conn, req):
        if req.method == "PATCH":
            return conn.reply(202, b"", [("Location", req.target),
                                         ("Range", "0-0")])
        return self.upload(conn, req)

    def uploads_push_nowhere(self, conn, req):
        conn.reply(202)

    def uploads_push_to_file(self, conn, req):
        conn.reply(202, b"", [("Location", "file:///etc/passwd")])

    def uploads_push_downgrade(self, conn, req):
        self.upload(conn, req, self.port)

    def uploads_push_renamed(self, conn, req):
        if req.method == "PUT":
            return conn.reply(201, b"", [("Docker-Content-Digest",
                                          "sha256:" + "0" * 64)])
        return self.upload(conn, req)

    def uploads_push_denied(self, conn, req):
        conn.error(403, "DENIED", "requested access to the resource is denied")

    def uploads_push_chatty(self, conn, req):
        conn.head(202, [("Transfer-Encoding", "chunked")])
        while True:
            conn.raw(b"10000\r\n" + bytes(65536) + b"\r\n")

    # elsewhere, mounts, log-ins

    def uploads_push_elsewhere(self, conn, req):
        if req.port == self.port and not req.auth:
            return conn.reply(401, b"", [("WWW-Authenticate",
                                          'Basic realm="x"')])
        return self.upload(conn, req, self.other_port)

    def uploads_push_redirected(self, conn, req):
        if req.method == "PUT" and req.port == self.port:
            return conn.reply(307, b"", [("Location",
                f"http://127.0.0.1:{self.other_port}{req.target}")])
        return self.upload(conn, req)

    def uploads_push_mount(self, conn, req):
        if req.query.get("from") == ["other/place"]:
            return conn.reply(201, b"", [("Location", "/v2/x")])
        return self.upload(conn, req)

    def uploads_push_mount_denied(self, conn, req):
        if "mount" in req.query:
            return conn.error(403, "DENIED", "not yours")
        return self.upload(conn, req)

    def uploads_push_chunk_min(self, conn, req):
        self.upload(conn, req, extra=[("OCI-Chunk-Min-Length", 20 * MIB)])

    def uploads_push_auth(self, conn, req):
        if not req.auth.startswith("Bearer good"):
            return self.ask_bearer(conn, req)
        if req.method == "PATCH" and not self.count("patched"):
            return self.ask_bearer(conn, req, extra=',error="invalid_token"')
        return self.upload(conn, req)
