#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The client against a registry that does what real ones won't: test_faults.py DRIVER"""

import base64
import json
import os
import socket
import stat
import sys
import time

from fault_server import MIB, FaultServer
from harness import (Authority, Driver, Image, Skip, Tap, check, expect_error,
                     expect_whole, scratch)

SECRETS = ("p4ss:w0rd", base64.b64encode(b"user:p4ss:w0rd").decode(),
           "1dent1ty-token", "t0k3n", "s3cr3t")
FETCH_RSS_MAX_KIB = 32 << 10


class Faults:
    def __init__(self, driver, folder):
        self.driver = driver
        self.folder = folder
        self.image = Image([3 * MIB + 17, 2 * MIB, 5, 0])
        self.authority = Authority(folder)
        self.server = FaultServer(self.image, self.authority)
        self.runs = []

    # ------------------------------------------------------------- helpers

    def auth_file(self, value, name="auth.json"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(value, f)
        return f"--auth-file={path}"

    def basic_auth(self, host):
        return self.auth_file({"auths": {host: {
            "auth": base64.b64encode(b"user:p4ss:w0rd").decode()}}})

    def host(self):
        return f"127.0.0.1:{self.server.port}"

    def run(self, verb, fault, *args, host=None, env=None, keep=False):
        self.server.forget(fault)
        out = os.path.join(self.folder, "out")
        os.makedirs(out, exist_ok=True)
        if not keep:
            for name in os.listdir(out):
                os.unlink(os.path.join(out, name))
        ref = f"{host or self.host()}/{fault}:latest"
        rest = [verb, ref] + ([out] if verb == "blobs" else [])
        run = self.driver.run(*args, *rest, env=env)
        self.runs.append((fault, run))
        run.folder = out
        return run

    def whole(self, fault, *args, **kw):
        run = self.run("blobs", fault, *args, **kw)
        expect_whole(run, self.image, run.folder)
        return run

    def fails(self, fault, errno_name, *words, args=(), verb="manifest", **kw):
        run = self.run(verb, fault, *args, **kw)
        expect_error(run, errno_name, *words)
        check("\n" not in run.error, run, "more than one line")
        return run

    def blob_fails(self, fault, errno_name, *words, **kw):
        run = self.fails(fault, errno_name, *words, verb="blobs", **kw)
        check(not set(self.image.layers[:2]) & run.done, run,
              "an unverified layer was called done")
        return run

    def ranges(self, digest):
        return [r.first for r in self.server.seen("blobs")
                if r.path.endswith(digest)]

    # --------------------------------------------------- broken transfers

    def test_plain_http_on_loopback(self):
        """nothing goes wrong, in parallel"""
        run = self.whole("fine")
        check(not any(run.resets.values()), run, "something was reset")
        check(len(self.server.seen("blobs")) == 4, run,
              "not one request a blob that has bytes")

    def test_break_range(self):
        """a broken transfer goes on with Range, and nothing is sent twice"""
        run = self.whole("cut")
        check(not any(run.resets.values()), run, "something was reset")
        want = [0, MIB, 2 * MIB, 3 * MIB]
        check(self.ranges(self.image.layers[0]) == want, run,
              f"ranges {self.ranges(self.image.layers[0])}")
        check(run.bytes[self.image.layers[0]] == 3 * MIB + 17, run,
              "bytes came twice")

    def test_break_without_progress(self):
        """a server that never gets on is given up"""
        run = self.blob_fails("cut-tiny", "EIO", "tried")
        check(len(self.ranges(self.image.layers[0])) <= 6, run,
              "asked too often")

    def test_break_no_range(self):
        """a server that ignores Range: from the start"""
        run = self.whole("cut-no-range")
        check(run.resets[self.image.layers[0]] == 2, run, "not reset twice")

    def test_break_wrong_range(self):
        """206 with a wrong Content-Range: from the start, without Range"""
        run = self.whole("cut-wrong-range")
        check(run.resets[self.image.layers[0]] == 1, run, "not reset once")
        check(self.ranges(self.image.layers[0]) == [0, MIB, 0], run,
              f"ranges {self.ranges(self.image.layers[0])}")

    def test_break_no_content_range(self):
        """206 without Content-Range is not believed"""
        run = self.whole("cut-no-content-range")
        check(run.resets[self.image.layers[0]] == 1, run, "not reset once")

    def test_break_416(self):
        """416 after a break: from the start"""
        self.whole("cut-416")

    def test_break_unframed(self):
        """a body without a length that ends too soon is gone on with"""
        run = self.whole("cut-unframed")
        check(not any(run.resets.values()), run, "something was reset")

    def test_stall(self):
        """a transfer that stands still is noticed and gone on with"""
        run = self.whole("stall", "--stall-s=1")
        check("stalled" in run.err, run, "the stall was not named")

    def test_reset_manifest(self):
        """a connection closed without a reply is tried again"""
        self.whole("reset")

    # ------------------------------------------------------- wrong bodies

    def test_long_body(self):
        """a Content-Length over the descriptor's size is refused"""
        self.blob_fails("long", "EBADMSG", "blob 'sha256:", "announced")

    def test_endless_body(self):
        """an endless body ends at the descriptor's size"""
        self.blob_fails("endless-blob", "EBADMSG", "announced")
        check(self.server.sent < 64 * MIB, self.runs[-1][1],
              f"{self.server.sent} bytes were taken")

    def test_short_body(self):
        """a Content-Length under the descriptor's size is refused"""
        self.blob_fails("short", "EBADMSG", "announced")

    def test_corrupt(self):
        """a wrong digest is fetched twice, then an error; never done"""
        run = self.blob_fails("corrupt", "EBADMSG", "digest")
        asked = [len(self.ranges(d)) for d in self.image.blobs]
        check(max(asked) == 2, run, f"asked {asked} times")

    def test_corrupt_once(self):
        """a wrong digest that was an accident is repaired"""
        run = self.whole("corrupt-once")
        check(run.resets[self.image.layers[0]] == 1, run, "not reset once")

    def test_missing_blob(self):
        """a missing blob is said to be missing"""
        self.blob_fails("missing", "ENOENT", "no blob 'sha256:")

    def test_huge_manifest(self):
        """100 MB of manifest: refused by its length"""
        self.fails("huge", "EFBIG", "limit")
        check(self.server.sent < 16 * MIB, self.runs[-1][1], "it was taken")

    def test_endless_manifest(self):
        """an endless manifest: refused at the limit"""
        self.fails("endless", "EFBIG", "4194304")
        check(self.server.sent < 32 * MIB, self.runs[-1][1], "it was taken")

    def test_encoded_manifest(self):
        """Content-Encoding on a manifest"""
        self.fails("encoded", "EBADMSG", "Content-Encoding 'gzip'")

    def test_stated_digest(self):
        """Docker-Content-Digest that does not fit"""
        self.fails("stated", "EBADMSG", "digest")

    def test_other_manifest(self):
        """another manifest than the digest asked for"""
        run = self.driver.run("manifest",
                              f"{self.host()}/other@{self.image.digest}")
        expect_error(run, "EBADMSG", "digest")

    def test_by_digest(self):
        """a manifest by digest, and by tag and digest"""
        for ref in ("fine@", "fine:any@"):
            run = self.driver.run("manifest",
                                  f"{self.host()}/{ref}{self.image.digest}")
            check(run.status == 0 and self.image.digest in run.out, run, ref)

    def test_schema1(self):
        """docker's schema 1 is named"""
        self.fails("schema1", "EOPNOTSUPP", "schema 1")

    def test_unknown_tag(self):
        """no such tag"""
        self.fails("unknown", "ENOENT", "no tag 'latest' of 'unknown'")

    def test_unknown_name(self):
        """no such repository"""
        self.fails("nameless", "ENOENT", "no repository 'nameless'")

    def test_bare_404(self):
        """404 with a megabyte of HTML"""
        self.fails("bare-404", "ENOENT", "no tag 'latest'")

    def test_odd_status(self):
        """a status that nobody expects"""
        run = self.fails("odd-status", "EIO", "418")
        check(len(self.server.seen("manifests")) == 1, run, "asked again")

    def test_rate_words(self):
        """Docker Hub's rate limit is told"""
        run = self.run("manifest", "limited-words")
        check("76 pulls left of 100" in run.err, run, "not told")

    # -------------------------------------------------------- wrong heads

    def test_header_flood(self):
        """endless headers"""
        self.fails("header-flood", "EBADMSG", "64 KiB")
        check(self.server.sent < 16 * MIB, self.runs[-1][1], "they were taken")

    def test_long_header(self):
        """one endless header"""
        self.fails("long-header", "EBADMSG")
        check(self.server.sent < 16 * MIB, self.runs[-1][1], "it was taken")

    def test_continue_flood(self):
        """100 Continue for ever"""
        self.fails("continue-flood", "EBADMSG", "64 KiB")

    def test_noise(self):
        """something that is no HTTP"""
        self.fails("noise", "EBADMSG", "does not speak HTTP")

    # ---------------------------------------------------------- redirects

    def test_redirect_without_login(self):
        """blobs on another port: no Authorization there, Range kept"""
        run = self.whole("elsewhere", self.basic_auth(self.host()))
        there = self.server.seen(port=self.server.other_port)
        check(there, run, "nobody asked the other port")
        check(not any(r.auth for r in there), run,
              "the other port was shown the log-in")
        asked = [r.path for r in self.server.seen("blobs") if not r.auth]
        check(len(asked) == len(set(asked)), run,
              "the registry was not shown the log-in")
        check(any(r.first == MIB for r in there), run, "no Range there")
        check("s3cr3t-signature" not in run.err + run.out, run,
              "a signed URL was logged")

    def test_redirect_expired(self):
        """a signed URL that has run out: the registry gives another"""
        self.whole("expired-url")

    def test_redirect_relative(self):
        """a relative redirect"""
        self.whole("relative")

    def test_redirect_loop(self):
        """redirects without an end"""
        run = self.blob_fails("loop", "ELOOP", "10 redirects")
        most = max(len(self.ranges(d)) for d in self.image.blobs)
        check(most == 11, run, f"followed {most - 1}")

    def test_redirect_file(self):
        """a redirect to a file"""
        self.blob_fails("to-file", "EBADMSG", "no usable URL")

    def test_redirect_user(self):
        """a redirect with a user in it"""
        self.blob_fails("to-user", "EBADMSG", "no usable URL")

    def test_redirect_nowhere(self):
        """a redirect without a target"""
        self.blob_fails("nowhere", "EBADMSG", "no usable URL")

    # --------------------------------------------------------- signatures

    def signatures(self, fault):
        self.server.forget(fault)
        run = self.driver.run("signatures",
                              f"{self.host()}/{fault}@{self.image.digest}")
        check(run.status == 0, run, "failed")
        return run, [l.split(" ", 1)[1] for l in run.out.splitlines()
                     if l.startswith("signature ")]

    def test_referrers_pages(self):
        """referrers over two pages, others' kinds left out"""
        run, found = self.signatures("ref-pages")
        check(found == ["first about first", "second about second"], run,
              found)

    def test_referrers_elsewhere(self):
        """a list that goes on at another port is not followed"""
        run, found = self.signatures("ref-elsewhere")
        check(not self.server.seen(port=self.server.other_port), run,
              "it was")
        check(len(found) <= 1, run, found)

    def test_referrers_bounded(self):
        """endless pages and hundreds of signatures end"""
        run, found = self.signatures("ref-endless")
        check(not found and len(self.server.seen("referrers")) == 8, run,
              f"{len(self.server.seen('referrers'))} pages")
        run, found = self.signatures("ref-many")
        check(len(found) == 64, run, f"{len(found)} signatures")

    def test_referrers_other(self):
        """what refers to something else, and garbage, is none"""
        for fault in ("ref-other", "ref-garbage"):
            run, found = self.signatures(fault)
            check(not found, run, found)

    # --------------------------------------------------------------- tags

    def tags(self, fault, *args):
        self.server.forget(fault)
        run = self.driver.run(*args, "tags", f"{self.host()}/{fault}")
        return run, [l.split(" ")[1] for l in run.out.splitlines()
                     if l.startswith("tag ")]

    def test_tags_pages(self):
        """tags over pages, a Link of every form, with a log-in as well"""
        for fault in ("list-pages", "list-user"):
            run, found = self.tags(fault)
            check(run.status == 0, run, "failed")
            check(found == ["a", "latest", "v1.0", "x"], run, found)
            asked = [r for r in self.server.seen("tags") if
                     fault == "list-pages" or r.auth]
            check(len(asked) == 4, run, f"{len(asked)} requests")

    def test_tags_bounded(self):
        """a list that goes on elsewhere, without end, is too long or no list"""
        for fault, code, word in (
                ("list-elsewhere", "EBADMSG", "goes on elsewhere"),
                ("list-many", "E2BIG", "over 16384 tags"),
                ("list-odd", "EBADMSG", "names what is no tag"),
                ("list-page", "EBADMSG", "list of tags"),
                ("list-unknown", "ENOENT", "has no repository")):
            run, found = self.tags(fault)
            expect_error(run, code, word)
            check(not found, run, found)
        check(not self.server.seen(port=self.server.other_port), run,
              "it was followed")
        run, found = self.tags("list-endless")
        expect_error(run, "EBADMSG", "does not end")
        check(len(self.server.seen("tags")) == 2, run, "too many pages")

    # ------------------------------------------------------------ waiting

    def test_busy(self):
        """503 twice"""
        self.whole("busy")

    def test_retry_after(self):
        """429 with Retry-After is waited for"""
        begun = time.monotonic()
        run = self.run("manifest", "wait")
        check(run.status == 0, run, "failed")
        check(time.monotonic() - begun >= 1, run, "did not wait")
        # a date has no fractions of a second
        begun = time.monotonic()
        run = self.run("manifest", "wait-date")
        check(run.status == 0, run, "failed")
        check(time.monotonic() - begun >= 0.9, run, "did not wait for a date")

    def test_retry_after_long(self):
        """Retry-After of an hour is an error at once"""
        run = self.fails("wait-long", "EBUSY", "reached your limit")
        check(len(self.server.seen("manifests")) == 1, run, "asked again")

    def test_retry_bounded(self):
        """429 for ever is given up"""
        run = self.fails("wait-ever", "EBUSY", "reached your limit")
        check(len(self.server.seen("manifests")) == 6, run, "not 6 times")

    def test_tick(self):
        """tick() ends a call"""
        run = self.run("blobs", "stall", "--ticks=5", "--stall-s=20")
        expect_error(run, "EINTR", "interrupted")

    # ------------------------------------------------------------ log-ins

    def test_basic(self):
        """Basic with docker's auth; the log-in is not sent unasked"""
        run = self.whole("basic", self.basic_auth(self.host()))
        check(self.server.requests[0].auth == "", run, "sent unasked")
        check(len(self.server.seen("manifests")) == 2, run, "not one 401")

    def test_basic_none(self):
        """Basic and no log-in"""
        self.fails("basic", "EACCES", "needs a log-in", "flamebox login")

    def test_basic_wrong(self):
        """Basic and a wrong log-in: two requests"""
        wrong = self.auth_file({"auths": {self.host(): {
            "username": "user", "password": "wrong-p4ss:w0rd"}}})
        run = self.fails("basic", "EACCES", "authentication required",
                         args=[wrong])
        check(len(self.server.seen("manifests")) == 2, run, "not two")

    def test_repository_login(self):
        """the entry of the repository goes before the host's"""
        good = base64.b64encode(b"user:p4ss:w0rd").decode()
        wrong = base64.b64encode(b"other:wrong").decode()
        host = self.host()
        self.whole("ns/basic", self.auth_file({"auths": {
            host: {"auth": wrong}, f"{host}/ns": {"auth": wrong},
            f"{host}/ns/basic": {"auth": good},
            f"{host}/ns/basic/deeper": {"auth": wrong}}}))

    def test_broken_auth_file(self):
        """a broken log-in file is a warning, without its content"""
        path = os.path.join(self.folder, "broken.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write('{"auths": {"x": {"auth": "s3cr3t"')
        run = self.whole("fine2", f"--auth-file={path}")
        run = self.fails("basic", "EACCES", args=[f"--auth-file={path}"])
        check("not valid JSON" in run.err, run, "no warning")

    def test_bearer(self):
        """Bearer, anonymous: one token for everything"""
        run = self.whole("bearer")
        tokens = [r for r in self.server.requests if r.path == "/token"]
        check(len(tokens) == 1, run, f"{len(tokens)} tokens")
        check(tokens[0].query == {
            "service": ["test-service"],
            "scope": ["repository:bearer:pull"]}, run, tokens[0].query)

    def test_bearer_user(self):
        """Bearer with user name and password"""
        run = self.whole("bearer-user", self.basic_auth(self.host()))
        tokens = [r for r in self.server.requests if r.path == "/token"]
        check(tokens[0].query["account"] == ["user"], run, "no account")

    def test_bearer_refused(self):
        """the token service refuses"""
        self.fails("bearer-refused", "EACCES", "log-in of 'user'",
                   "incorrect username", args=[self.basic_auth(self.host())])
        self.fails("bearer-refused", "EACCES", "flamebox login")

    def test_bearer_refresh(self):
        """an identity token by OAuth2"""
        run = self.whole("bearer-refresh", self.auth_file({"auths": {
            self.host(): {"identitytoken": "1dent1ty-token"}}}))
        posts = [r for r in self.server.requests if r.method == "POST"]
        check(len(posts) == 1, run, "not one POST")
        check(b"1dent1ty-token" in posts[0].body, run, "not in the body")

    def test_bearer_old(self):
        """a token service without OAuth2: on without the identity token"""
        run = self.whole("bearer-old", self.auth_file({"auths": {
            self.host(): {"identitytoken": "1dent1ty-token"}}}))
        tokens = [r for r in self.server.requests if r.path == "/token"]
        check([r.method for r in tokens] == ["POST", "GET"], run, tokens)
        check(not tokens[1].auth, run, "the token went by GET")
        check("takes no identity tokens" in run.err, run, "not told")

    def test_bearer_busy(self):
        """a token service that is busy"""
        self.whole("bearer-busy")

    def test_bearer_expiring(self):
        """tokens that run out while blobs are fetched in parallel"""
        run = self.whole("bearer-expiring")
        tokens = [r for r in self.server.requests if r.path == "/token"]
        check(2 <= len(tokens) <= 12, run, f"{len(tokens)} tokens")

    def test_401_loop(self):
        """401 for ever: one token, two requests"""
        run = self.fails("401-loop", "EACCES", "refuses access")
        check(len(self.server.seen("manifests")) == 2, run, "not two")
        check(len(self.server.requests) == 3, run, "not one token")

    def test_401_silent(self):
        """401 without a challenge"""
        self.fails("401-silent", "EACCES", "refuses access")

    def test_401_negotiate(self):
        """401 with a scheme that nobody speaks here"""
        self.fails("401-negotiate", "EOPNOTSUPP", "other than Basic")

    def test_401_long(self):
        """a challenge of 40 kB"""
        run = self.run("manifest", "401-long")
        check(run.status == 1, run, "did not fail")

    def test_denied(self):
        """403"""
        self.fails("denied", "EACCES", "requested access", "log in")

    def test_realm_far(self):
        """a loopback registry with a plain token service far away"""
        self.fails("realm-far", "EACCES", "without encryption")

    def test_realm_file(self):
        """a token service that is a file"""
        self.fails("realm-file", "EINVAL", "no usable URL")

    def test_token_replies(self):
        """token replies: endless, broken, empty, with a line break"""
        self.fails("token-endless", "EFBIG", "1 MiB")
        check(self.server.sent < 16 * MIB, self.runs[-1][1], "it was taken")
        run = self.fails("token-garbage", "EBADMSG", "JSON")
        check("s3cr3t" not in run.error, run, "it was quoted")
        self.fails("token-none", "EBADMSG", "no token")
        self.fails("token-inject", "EBADMSG", "malformed")
        self.fails("token-redirect", "EIO", "302")

    # ------------------------------------------------- credential helpers

    def helper(self, body):
        path = os.path.join(self.folder, "bin")
        os.makedirs(path, exist_ok=True)
        program = os.path.join(path, "docker-credential-fbtest")
        with open(program, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + body)
        os.chmod(program, stat.S_IRWXU)
        return {"PATH": path + ":" + os.environ["PATH"]}

    def test_helper(self):
        """credHelpers: the key on standard input, nothing in argv"""
        env = self.helper(
            '[ "$*" = get ] || exit 1\n'
            'read -r key\n'
            f'[ "$key" = {self.host()} ] || exit 1\n'
            'echo \'{"ServerURL":"x","Username":"user",'
            '"Secret":"p4ss:w0rd"}\'\n')
        self.whole("basic", self.auth_file(
            {"credHelpers": {self.host(): "fbtest"}}), env=env)

    def test_helper_token(self):
        """credsStore with an identity token"""
        env = self.helper('echo \'{"ServerURL":"x","Username":"<token>",'
                          '"Secret":"1dent1ty-token"}\'\n')
        self.whole("bearer-refresh", self.auth_file(
            {"auths": {self.host(): {}}, "credsStore": "fbtest"}), env=env)

    def test_helper_odd(self):
        """helpers that fail, say too much, or leave something behind"""
        conf = self.auth_file({"credHelpers": {self.host(): "fbtest"}})
        for body, words in (
                ("exit 3\n", "failed"),
                ("yes\n", "over 64 KiB"),
                ("echo '{s3cr3t'\n", "not valid JSON"),
                ("echo '{\"Username\":\"user\"}'\n", "lacks user name")):
            run = self.fails("basic", "EACCES", "needs a log-in", args=[conf],
                             env=self.helper(body))
            check(words in run.err, run, f"no word of '{words}'")
        start = time.monotonic()
        self.whole("basic", conf, env=self.helper(
            "cat >/dev/null\nsleep 30 &\n"
            "echo '{\"Username\":\"user\",\"Secret\":\"p4ss:w0rd\"}'\n"))
        check(time.monotonic() - start < 25, self.runs[-1][1],
              "it was waited for what the helper left behind")

    def test_helper_nothing(self):
        """a helper that knows nothing, one that fails, one that is not there"""
        conf = self.auth_file({"credsStore": "fbtest"})
        env = self.helper('echo "credentials not found in native keychain"\n'
                          'exit 1\n')
        self.whole("bearer", conf, env=env)
        run = self.whole("bearer", conf, env=self.helper("exit 3\n"))
        check("'docker-credential-fbtest' failed" in run.err, run,
              "not said")
        run = self.whole("bearer", self.auth_file({"credsStore": "nosuch"}))
        check("docker-credential-nosuch" in run.err, run, "not said")

    # ---------------------------------------------------------------- TLS

    def tls_host(self):
        return f"localhost:{self.server.tls_port}"

    def certs_dir(self):
        path = os.path.join(self.folder, "certs.d")
        own = os.path.join(path, self.tls_host())
        os.makedirs(own, exist_ok=True)
        with open(self.authority.ca, "rb") as src:
            with open(os.path.join(own, "ca.crt"), "wb") as f:
                f.write(src.read())
        return f"--certs-dir={path}"

    def test_tls_untrusted(self):
        """an unknown CA: no transfer, no plain HTTP instead"""
        run = self.fails("fine", "EPROTO", "certificate", "--tls-verify=false",
                         host=self.tls_host())
        check(not self.server.requests, run, "something was asked")

    def test_tls_certs_d(self):
        """the CA in certs.d/<host:port>"""
        self.whole("fine", self.certs_dir(), host=self.tls_host())

    def test_tls_cert_file(self):
        """the CA in SSL_CERT_FILE"""
        self.whole("fine", host=self.tls_host(),
                   env={"SSL_CERT_FILE": self.authority.ca})

    def test_tls_insecure(self):
        """--tls-verify=false, and the insecure registries"""
        self.whole("fine", "--insecure", host=self.tls_host())
        self.whole("fine", f"--insecure-registry={self.tls_host()}",
                   host=self.tls_host())
        self.whole("fine", "--insecure-registry=127.0.0.0/8",
                   host=f"127.0.0.1:{self.server.tls_port}")

    def test_tls_downgrade(self):
        """a redirect from https to http"""
        self.blob_fails("downgrade", "EACCES", "without encryption",
                        args=[self.certs_dir()], host=self.tls_host())

    def test_tls_realm_plain(self):
        """a token service without TLS for a registry with it"""
        auth = self.basic_auth(self.tls_host())
        run = self.fails("realm-plain", "EACCES", "without encryption",
                         args=[self.certs_dir(), auth], host=self.tls_host())
        run2 = self.run("manifest", "realm-plain", "--insecure", auth,
                        host=self.tls_host())
        check(run2.status == 1, run2, "--insecure opened it")
        check(all(r.path != "/token" for r in self.server.requests), run,
              "the token service was asked")

    # ------------------------------------------------------------ the rest

    def test_refused(self):
        """nobody listens"""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{s.getsockname()[1]}"
            self.fails("fine", "ECONNREFUSED", "connect to", host=host)

    def test_no_host(self):
        """a name that does not resolve"""
        self.fails("fine", "EHOSTUNREACH", "cannot be resolved",
                   host="registry.invalid")

    def test_proxy_not_for_loopback(self):
        """loopback is not asked for by a proxy"""
        dead = "http://127.0.0.1:1"
        self.whole("fine", env={"http_proxy": dead, "https_proxy": dead,
                                "ALL_PROXY": dead})

    def test_proxy(self):
        """others are; NO_PROXY is obeyed"""
        proxy = f"http://{self.host()}"
        env = {"http_proxy": proxy, "https_proxy": proxy}
        run = self.whole("fine", "--insecure", host="registry.invalid",
                         env=env)
        check(all(r.headers["host"].startswith("registry.invalid")
                  for r in self.server.requests), run, "another host")
        run = self.fails("fine", "EIO", "405", host="registry.invalid",
                         env=env)
        self.fails("fine", "EHOSTUNREACH", "cannot be resolved",
                   host="registry.invalid",
                   env={**env, "NO_PROXY": ".invalid"})
        dead = "http://user:s3cr3t@127.0.0.1:1"
        self.fails("fine", "ECONNREFUSED", "connect to the proxy '127.0.0.1:1'",
                   host="registry.invalid", env={"https_proxy": dead})
        run = self.run("manifest", "fine", "--insecure", "--connect-ms=200",
                       host="192.0.2.1:5000",
                       env={**env, "NO_PROXY": "192.0.2.0/24"})
        check(run.status == 1, run, "a CIDR in NO_PROXY was not obeyed")
        check(not self.server.requests, run, "the proxy was asked")

    def test_parallel(self):
        """blobs at once, but not more than asked for"""
        run = self.whole("cut", "--parallel=2")
        check(self.server.most_running <= 2, run, "more than two at once")

    def test_resume(self):
        """what a killed process left is verified and gone on with"""
        out = os.path.join(self.folder, "out")
        first, second = self.image.layers[:2]
        self.whole("fine")
        os.truncate(os.path.join(out, first[7:]), MIB)
        run = self.whole("fine", "--resume", keep=True)
        check(self.ranges(first) == [MIB], run, "not from where it ended")
        check(not self.ranges(second), run, "the whole one was asked for")
        with open(os.path.join(out, first[7:]), "r+b") as f:
            f.write(b"broken")
            f.truncate(MIB)
        run = self.whole("fine", "--resume", keep=True)
        check(run.resets[first] == 1, run, "a wrong beginning was kept")
        with open(os.path.join(out, second[7:]), "r+b") as f:
            f.write(b"broken")
        run = self.whole("fine", "--resume", keep=True)
        check(run.resets[second] == 1, run, "a wrong whole was kept")

    def test_mirrors(self):
        """mirrors in order: one is dead, one lacks it, one has it"""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            dead = f"http://127.0.0.1:{s.getsockname()[1]}"
            self.server.forget()
            run = self.driver.run(
                f"--mirror={dead}",
                f"--mirror=http://{self.host()}/missing/",
                f"--mirror=http://{self.host()}",
                "manifest", "docker.io/some/image:latest")
        check(run.status == 0 and self.image.digest in run.out, run, "failed")
        paths = [r.path for r in self.server.requests]
        check(paths == ["/missing/v2/some/image/manifests/latest",
                        "/v2/some/image/manifests/latest"], run, paths)

    def test_mirrors_by_registry(self):
        """a registry's own mirrors, and nobody else's"""
        run = self.run("manifest", "fine", f"--mirror=http://{self.host()}/x",
                       f"--mirror=registry.invalid=http://{self.host()}",
                       f"--mirror=other.invalid=http://{self.host()}/y",
                       host="registry.invalid")
        check(run.status == 0, run, "failed")
        check([r.path for r in self.server.requests] ==
              ["/v2/fine/manifests/latest"], run, "asked elsewhere")

    def test_headers(self):
        """HttpHeaders go to the registry, not to where it redirects"""
        conf = self.auth_file({
            "HttpHeaders": {"X-Meta-A": "s3cr3t", "Host": "evil",
                            "User-Agent": "evil"},
            "auths": {self.host(): {"auth": base64.b64encode(
                b"user:p4ss:w0rd").decode()}}})
        run = self.whole("elsewhere", conf)
        for req in self.server.requests:
            ours = req.port == self.server.port
            check((req.headers.get("x-meta-a") == "s3cr3t") == ours, run,
                  f"{req.path} at {req.port}")
            check(req.headers["host"] == f"127.0.0.1:{req.port}" and
                  "flamebox" in req.headers["user-agent"], run, req.headers)

    def test_no_secrets(self):
        """no secret in any output so far"""
        for fault, run in self.runs:
            for secret in SECRETS:
                check(secret not in run.out + run.err, run,
                      f"{secret} was printed in '{fault}'")

    def test_memory(self):
        """no fault made the client grow over 32 MiB"""
        if "sanitized" in self.runs[0][1].out:
            raise Skip("the sanitizer's own memory counts")
        worst = max(self.runs, key=lambda r: r[1].rss_kib)
        check(worst[1].rss_kib <= FETCH_RSS_MAX_KIB, worst[1],
              f"{worst[1].rss_kib} KiB in '{worst[0]}'")


def main():
    with scratch() as folder:
        faults = Faults(Driver(sys.argv[1]), folder)
        tests = [(f.__doc__, f) for f in
                 (getattr(faults, name) for name in vars(Faults)
                  if name.startswith("test_"))]
        if len(sys.argv) > 2:
            tests = [t for t in tests if t[1].__name__ in sys.argv[2:]]
        try:
            Tap().run_all(tests)
        finally:
            faults.server.stop()


main()
