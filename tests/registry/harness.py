# SPDX-License-Identifier: Apache-2.0
"""TAP, a small image, and running the driver: shared by the tests here."""

import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import traceback

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(name, data):
    """A layer with one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Image:
    """A manifest and its blobs, the same bytes in every run."""

    def __init__(self, layer_sizes, seed=1, tars=False):
        rng = random.Random(seed)
        layers = [rng.randbytes(size) for size in layer_sizes]
        if tars:
            layers = [tar(f"file-{i}", data) for i, data in enumerate(layers)]
        config = json.dumps({
            "architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers",
                       "diff_ids": [sha256(l) for l in layers]},
            "config": {}}).encode()
        self.blobs = {sha256(b): b for b in [config] + layers}
        self.layers = [sha256(l) for l in layers]
        self.config = sha256(config)
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": self.config,
                       "size": len(config)},
            "layers": [{"mediaType": OCI_LAYER, "digest": sha256(l),
                        "size": len(l)} for l in layers]}).encode()
        self.digest = sha256(self.manifest)


class Run:
    """What one run of the driver printed."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err
        self.error = ""
        self.resets = {}
        self.bytes = {}
        self.done = set()
        self.rss_kib = 0
        for line in out.splitlines():
            word = line.split()
            if line.startswith("error "):
                self.error = line[6:]
            elif line.startswith("rss_kib "):
                self.rss_kib = int(word[1])
            elif line.startswith("blob "):
                fields = dict(f.split("=") for f in word[2:])
                self.resets["sha256:" + word[1]] = int(fields["resets"])
                self.bytes["sha256:" + word[1]] = int(fields["bytes"])
                if fields["done"] == "1":
                    self.done.add("sha256:" + word[1])


class Driver:
    def __init__(self, path):
        self.path = path

    def run(self, *args, env=None):
        merged = {k: v for k, v in os.environ.items()
                  if not k.lower().endswith("_proxy")}
        merged.update(env or {})
        p = subprocess.run([self.path, "--retry-ms=20", *args],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=merged, timeout=120, check=False)
        return Run(p.returncode, p.stdout.decode(), p.stderr.decode())


class Skip(Exception):
    """Raised by a test that makes no sense here, with the reason."""


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def report(self, ok, name, detail=""):
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}", flush=True)
        if not ok:
            for line in detail.splitlines():
                print(f"# {line}", flush=True)

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def run_all(self, tests):
        """Each test is a function; what it asserts is what it tests."""
        for name, function in tests:
            try:
                function()
                self.report(True, name)
            except Skip as reason:
                self.skip(name, reason)
            except Exception:  # a failed test must not end the others
                self.report(False, name, traceback.format_exc())
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def check(ok, run, what):
    if not ok:
        raise AssertionError(
            f"{what}\nstatus {run.status}\nout: {run.out}\nerr: {run.err}")


def expect_whole(run, image, folder):
    """Everything arrived, byte for byte, and was told done once."""
    check(run.status == 0, run, "the fetch failed")
    check(run.done == set(image.blobs), run, "not every blob was done")
    for digest, data in image.blobs.items():
        with open(os.path.join(folder, digest[7:]), "rb") as f:
            check(f.read() == data, run, f"{digest} has other bytes")


def expect_error(run, errno_name, *words):
    check(run.status == 1, run, "the fetch did not fail")
    check(run.error.startswith(errno_name + ": "), run,
          f"not {errno_name}: {run.error}")
    for word in words:
        check(word in run.error, run, f"'{word}' is not in: {run.error}")


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


class Authority:
    """A CA and a certificate for 127.0.0.1 and localhost."""

    def __init__(self, folder):
        self.ca = os.path.join(folder, "ca.crt")
        self.cert = os.path.join(folder, "server.pem")
        self.key = os.path.join(folder, "server.key")
        ca_key = os.path.join(folder, "ca.key")
        csr = os.path.join(folder, "server.csr")
        ext = os.path.join(folder, "ext")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=test CA", "-keyout", ca_key, "-out", self.ca)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj",
                "/CN=localhost", "-keyout", self.key, "-out", csr)
        with open(ext, "w", encoding="ascii") as f:
            f.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", csr, "-CA", self.ca, "-CAkey", ca_key,
                "-CAcreateserial", "-days", "2", "-extfile", ext, "-out",
                self.cert)


def scratch():
    return tempfile.TemporaryDirectory(prefix="fb-registry-")
