#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Giving things to a registry that misbehaves: test_uploads.py DRIVER"""

import base64
import json
import os
import random
import sys

from fault_server import MIB, FaultServer
from harness import (Authority, Driver, Image, Tap, check, expect_error,
                     scratch, sha256)

CHUNK = 16 * MIB


class UploadTests:
    def __init__(self, driver, folder):
        self.driver = driver
        self.folder = folder
        self.authority = Authority(folder)
        self.server = FaultServer(Image([5]), self.authority)
        rng = random.Random(7)
        self.small = self.file("small", rng.randbytes(3 * MIB + 11))
        self.big = self.file("big", rng.randbytes(2 * CHUNK + 77))
        self.empty = self.file("empty", b"")

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def push(self, fault, path, *args, host=None):
        self.server.forget(fault)
        self.server.stored = {}
        host = host or f"127.0.0.1:{self.server.port}"
        run = self.driver.run(*args, "push", f"{host}/{fault}:x", path)
        check("s3cr3t" not in run.out + run.err, run, "a secret was printed")
        return run

    def whole(self, fault, path, *args, end="pushed"):
        run = self.push(fault, path, *args)
        with open(path, "rb") as f:
            data = f.read()
        check(run.status == 0 and f"end {end}" in run.out, run, "failed")
        if end == "pushed":
            check(self.server.stored.get(sha256(data)) == data, run,
                  "the registry has other bytes")
        return run

    def fails(self, fault, path, errno_name, *words, **kw):
        run = self.push(fault, path, **kw)
        expect_error(run, errno_name, *words)
        check("\n" not in run.error, run, "more than one line")
        return run

    def methods(self, port=None):
        return [r.method for r in self.server.seen(port=port)]

    def test_small(self):
        """a small blob: HEAD, POST, PUT; an empty one as well"""
        run = self.whole("push", self.small)
        check(self.methods() == ["HEAD", "POST", "PUT"], run, self.methods())
        self.whole("push", self.empty)

    def test_exists(self):
        """what is there is not sent"""
        self.whole("push", self.small)
        with open(self.small, "rb") as f:
            digest = sha256(f.read())
        self.server.forget("push")
        self.server.stored = {digest: b""}
        run = self.driver.run("push", f"127.0.0.1:{self.server.port}/push:x",
                              self.small)
        check("end exists" in run.out, run, "sent again")
        check(self.methods() == ["HEAD"], run, self.methods())

    def test_pieces(self):
        """a large blob goes in pieces, each with its Content-Range"""
        run = self.whole("push", self.big)
        check(self.methods() == ["HEAD", "POST", "PATCH", "PATCH", "PUT"],
              run, self.methods())
        ranges = [r.headers.get("content-range")
                  for r in self.server.seen("uploads")]
        check(ranges == [None, f"0-{CHUNK - 1}",
                         f"{CHUNK}-{2 * CHUNK - 1}",
                         f"{2 * CHUNK}-{2 * CHUNK + 76}"], run, ranges)

    def test_chunk_min(self):
        """OCI-Chunk-Min-Length is obeyed"""
        run = self.whole("push-chunk-min", self.big)
        sizes = [len(r.body) for r in self.server.seen("uploads")
                 if r.method == "PATCH"]
        check(sizes == [20 * MIB], run, sizes)

    def test_break(self):
        """broken three times: goes on where the registry says"""
        for path in (self.small, self.big):
            run = self.whole("push-cut", path)
            asked = self.methods()
            check(asked.count("GET") == 3 and asked.count("POST") == 1, run,
                  asked)
            sent = sum(len(r.body) for r in self.server.requests)
            check(sent == os.path.getsize(path), run, f"{sent} bytes sent")

    def test_break_lost(self):
        """a session that is gone, or cannot be asked for: from the start"""
        for fault in ("push-cut-lost", "push-cut-silent"):
            run = self.whole(fault, self.small)
            check(self.methods().count("POST") == 4, run, self.methods())

    def test_break_garbled(self):
        """bytes that got lost on the way: the digest tells, once more"""
        run = self.whole("push-cut-garbled", self.small)
        check(self.methods().count("POST") == 2, run, self.methods())

    def test_forgets(self):
        """a session that is never there is given up"""
        run = self.fails("push-forgets", self.small, "EIO", "to no avail")
        check(self.methods().count("POST") == 4, run, self.methods())

    def test_busy(self):
        """503 at each step"""
        self.whole("push-busy", self.big)
        self.fails("push-busy-ever", self.small, "EIO", "503", "tried")

    def test_wrong_answers(self):
        """answers that make no sense: one line each, no endless loop"""
        self.fails("push-ahead", self.big, "EBADMSG", "says that it has")
        self.fails("push-stuck", self.big, "EBADMSG", "says that it has")
        self.fails("push-nowhere", self.small, "EBADMSG", "where to send")
        self.fails("push-to-file", self.small, "EBADMSG", "where to send")
        self.fails("push-renamed", self.small, "EBADMSG", "calls it")
        self.fails("push-chatty", self.small, "EFBIG", "1 MiB")
        self.fails("push-denied", self.small, "EACCES", "is denied",
                   "flamebox login")

    def basic_auth(self):
        path = os.path.join(self.folder, "auth.json")
        auth = base64.b64encode(b"user:s3cret").decode()
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"auths": {f"127.0.0.1:{self.server.port}":
                                 {"auth": auth}}}, f)
        return f"--auth-file={path}"

    def test_elsewhere(self):
        """an upload on another port is shown no log-in"""
        run = self.whole("push-elsewhere", self.big, self.basic_auth())
        there = self.server.seen(port=self.server.other_port)
        check([r.method for r in there] == ["PATCH", "PATCH", "PUT"], run,
              there)
        check(not any(r.auth for r in there), run, "it saw the log-in")

    def test_redirected(self):
        """307 of an upload"""
        run = self.whole("push-redirected", self.small)
        check(self.methods(self.server.other_port) == ["PUT"], run,
              self.methods())

    def test_downgrade(self):
        """an upload from https to http is refused"""
        self.server.forget()
        self.server.stored = {}
        host = f"localhost:{self.server.tls_port}"
        run = self.driver.run("--insecure", "push", f"{host}/push-downgrade:x",
                              self.small)
        expect_error(run, "EACCES", "without encryption")

    def test_mount(self):
        """mounted from another repository; sent where that is refused"""
        run = self.whole("push-mount", self.small, "--mount-from=other/place",
                         end="mounted")
        check(self.methods() == ["HEAD", "POST"], run, self.methods())
        self.whole("push-mount", self.small, "--mount-from=third/place")
        self.whole("push-mount-denied", self.small, "--mount-from=other/place")

    def test_token(self):
        """one token for all steps, renewed where it runs out in between"""
        run = self.whole("push-auth", self.big, "--mount-from=other/place")
        tokens = [r for r in self.server.requests if r.path == "/token"]
        check(len(tokens) == 2, run, f"{len(tokens)} tokens")
        scopes = tokens[0].query["scope"]
        check(scopes[:2] == ["repository:push-auth:pull,push",
                             "repository:other/place:pull"], run, scopes)


def main():
    with scratch() as folder:
        uploads = UploadTests(Driver(sys.argv[1]), folder)
        tests = [(f.__doc__, f) for f in
                 (getattr(uploads, name) for name in vars(UploadTests)
                  if name.startswith("test_"))]
        try:
            Tap().run_all(tests)
        finally:
            uploads.server.stop()


main()
