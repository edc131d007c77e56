#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The client against Debian's docker-registry: test_real.py DRIVER"""

import base64
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse

from harness import (OCI_MANIFEST, Authority, Driver, Image, Tap, check,
                     expect_error, expect_whole, scratch)
from token_service import TokenService

# "p4ssw0rd", as `htpasswd -nbB user p4ssw0rd` prints it
HTPASSWD = ("user:$2y$05$"
            "Vd3HC4FbxRSF4cpdNT7Amulejr2clr9oobHV.m0hbE9r1KOHtganm\n")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Registry:
    """One docker-registry process; ended by its pid."""

    def __init__(self, folder, name, tls=None, auth=None, client_ca=False):
        self.port = free_port()
        self.host = f"localhost:{self.port}"
        self.tls = tls
        root = os.path.join(folder, name)
        os.makedirs(os.path.join(root, "data"))
        config = {
            "version": "0.1",
            "log": {"level": "warn"},
            "storage": {"filesystem": {
                "rootdirectory": os.path.join(root, "data")}},
            "http": {"addr": f"127.0.0.1:{self.port}"},
        }
        if tls:
            config["http"]["tls"] = {"certificate": tls.cert, "key": tls.key}
        if client_ca:
            config["http"]["tls"]["clientcas"] = [tls.ca]
        if auth:
            config["auth"] = auth
        path = os.path.join(root, "config.yml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(config, f)  # JSON is YAML
        self.log = open(os.path.join(root, "log"), "wb")
        self.log_path = os.path.join(root, "log")
        self.process = subprocess.Popen(
            ["docker-registry", "serve", path], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log)
        try:
            self.await_ready(root)
        except BaseException:
            self.stop()
            raise

    def await_ready(self, root):
        while True:
            if self.process.poll() is not None:
                with open(os.path.join(root, "log"), encoding="utf-8") as f:
                    raise RuntimeError("docker-registry ended: " + f.read())
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def request(self, method, path, body=None, headers=None):
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls.ca)
            conn = http.client.HTTPSConnection("localhost", self.port,
                                               context=context)
        else:
            conn = http.client.HTTPConnection("localhost", self.port)
        conn.request(method, path, body, headers or {})
        reply = conn.getresponse()
        reply.read()
        conn.close()
        if reply.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {reply.status}")
        return reply

    def push(self, repository, tag, image, authorization=None):
        auth = {"Authorization": authorization} if authorization else {}
        for digest, data in image.blobs.items():
            start = self.request("POST", f"/v2/{repository}/blobs/uploads/",
                                 b"", auth)
            where = urllib.parse.urlparse(start.getheader("Location"))
            self.request("PUT", f"{where.path}?{where.query}&digest={digest}",
                         data, {**auth,
                                "Content-Type": "application/octet-stream"})
        self.request("PUT", f"/v2/{repository}/manifests/{tag}",
                     image.manifest, {**auth, "Content-Type": OCI_MANIFEST})


class Real:
    def __init__(self, driver, folder):
        self.driver = driver
        self.folder = folder
        self.image = Image([5 << 20, 3 << 20, 1 << 20, 77], seed=2)
        self.ca = Authority(folder)
        self.registries = []
        with open(os.path.join(folder, "htpasswd"), "w",
                  encoding="ascii") as f:
            f.write(HTPASSWD)
        self.tokens = TokenService(folder)
        self.htpasswd = {"htpasswd": {
            "realm": "test", "path": os.path.join(folder, "htpasswd")}}
        self.basic = "Basic " + base64.b64encode(b"user:p4ssw0rd").decode()

    def start(self, name, **kw):
        for attempt in range(5):
            try:
                registry = Registry(self.folder, f"{name}-{attempt}", **kw)
            except RuntimeError as error:
                # somebody else has taken the free port by now
                if attempt == 4 or "address already in use" not in str(error):
                    raise
                continue
            self.registries.append(registry)
            return registry
        return None

    def stop(self):
        for registry in self.registries:
            registry.stop()
        self.tokens.stop()

    def login(self, registry, password, *args):
        return self.driver.run("--username=user", f"--password={password}",
                               *args, "check", f"{registry.host}/any")

    def blobs(self, registry, repository, *args):
        out = os.path.join(self.folder, "out")
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        run = self.driver.run(*args, "blobs", f"{registry.host}/{repository}",
                              out)
        run.folder = out
        return run

    def whole(self, registry, repository, *args):
        run = self.blobs(registry, repository, *args)
        expect_whole(run, self.image, run.folder)
        check(not any(run.resets.values()), run, "something was reset")
        return run

    def auth_file(self, host, password="p4ssw0rd"):
        path = os.path.join(self.folder, "config.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"auths": {host: {"auth": base64.b64encode(
                f"user:{password}".encode()).decode()}}}, f)
        return f"--auth-file={path}"

    def certs_dir(self, registry):
        path = os.path.join(self.folder, "certs.d")
        os.makedirs(os.path.join(path, registry.host), exist_ok=True)
        shutil.copy(self.ca.ca, os.path.join(path, registry.host, "ca.crt"))
        return f"--certs-dir={path}"

    def test_plain(self):
        """plain HTTP on loopback, by tag and by digest"""
        registry = self.start("plain")
        registry.push("some/image", "1.0", self.image)
        self.whole(registry, "some/image:1.0")
        self.whole(registry, f"some/image@{self.image.digest}")
        expect_error(self.blobs(registry, "some/image:2.0"), "ENOENT",
                     "no tag '2.0' of 'some/image'")
        expect_error(self.blobs(registry, "some/other:1.0"), "ENOENT",
                     "some/other")

    def test_tls_basic(self):
        """TLS by a CA of ours, and htpasswd"""
        registry = self.start("tls", tls=self.ca, auth=self.htpasswd)
        registry.push("some/image", "1.0", self.image, self.basic)
        certs = self.certs_dir(registry)
        auth = self.auth_file(registry.host)
        self.whole(registry, "some/image:1.0", certs, auth)
        self.whole(registry, "some/image:1.0", "--insecure", auth)
        with open(registry.log_path, encoding="utf-8") as f:
            assert "blobs/sha256" in f.read(), "no log of access"
        with open(registry.log_path, encoding="utf-8") as f:
            blobs = [l for l in f if "GET" in l and "/blobs/sha256" in l]
        assert all("HTTP/2.0" in l for l in blobs), blobs
        expect_error(self.blobs(registry, "some/image:1.0", auth), "EPROTO",
                     "certificate")
        expect_error(self.blobs(registry, "some/image:1.0", certs), "EACCES",
                     "needs a log-in")
        run = self.login(registry, "p4ssw0rd", certs)
        check(run.status == 0, run, "a good log-in was refused")
        expect_error(self.login(registry, "wrong", certs), "EACCES",
                     "refuses the log-in")
        wrong = self.auth_file(registry.host, "wrong")
        expect_error(self.blobs(registry, "some/image:1.0", certs, wrong),
                     "EACCES", "refuses access")

    def test_client_certificate(self):
        """a registry that wants a certificate of ours, from certs.d"""
        registry = self.start("mutual", tls=self.ca, client_ca=True)
        certs = self.certs_dir(registry)
        run = self.login(registry, "any", certs)
        check(run.status == 1, run, "it let us in without one")
        own = os.path.join(self.folder, "certs.d", registry.host)
        shutil.copy(self.ca.cert, os.path.join(own, "client.cert"))
        shutil.copy(self.ca.key, os.path.join(own, "client.key"))
        run = self.login(registry, "any", certs)
        check(run.status == 0, run, "it did not take our certificate")

    def test_token(self):
        """a token service, anonymous and with a log-in"""
        registry = self.start("token", auth=self.tokens.config())
        for repository in ("public/image", "private/image"):
            scope = f"repository:{repository}:pull,push"
            registry.push(repository, "1.0", self.image,
                          "Bearer " + self.tokens.sign(scope))
        run = self.login(registry, "p4ssw0rd")
        check(run.status == 0, run, "a good log-in was refused")
        expect_error(self.login(registry, "wrong"), "EACCES",
                     "log-in of 'user' was refused")
        self.tokens.issued = 0
        run = self.whole(registry, "public/image:1.0")
        check(self.tokens.issued == 1, run, f"{self.tokens.issued} tokens")
        self.whole(registry, "private/image:1.0",
                   self.auth_file(registry.host))
        expect_error(self.blobs(registry, "private/image:1.0"), "EACCES",
                     "who are you")
        wrong = self.auth_file(registry.host, "wrong")
        expect_error(self.blobs(registry, "private/image:1.0", wrong),
                     "EACCES", "log-in of 'user' was refused")
        self.push_with_token(registry)

    def push_with_token(self, registry):
        path = os.path.join(self.folder, "blob")
        with open(path, "wb") as f:
            f.write(bytes(20 << 20))
        auth = self.auth_file(registry.host)
        self.tokens.issued = 0
        run = self.driver.run(auth, "push", f"{registry.host}/private/new:1",
                              path)
        check("end pushed" in run.out, run, "not pushed")
        check(self.tokens.issued == 1, run, f"{self.tokens.issued} tokens")
        run = self.driver.run(auth, "push", f"{registry.host}/private/new:1",
                              path)
        check("end exists" in run.out, run, "it is not there")
        run = self.driver.run("push", f"{registry.host}/private/new:1", path)
        expect_error(run, "EACCES", "flamebox login")


def main():
    missing = [p for p in ("docker-registry", "openssl")
               if not shutil.which(p)]
    if missing:
        print(f"1..0 # SKIP {', '.join(missing)} not installed")
        return
    with scratch() as folder:
        real = Real(Driver(sys.argv[1]), folder)
        tests = [(f.__doc__, f) for f in
                 (getattr(real, name) for name in vars(Real)
                  if name.startswith("test_"))]
        try:
            Tap().run_all(tests)
        finally:
            real.stop()


main()
