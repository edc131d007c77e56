#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A signature as cosign stores it: sign.py HOST NAME DIGEST KEY NAMED HOW

Signs DIGEST, called NAMED, with the private KEY and puts it beside the image: HOW
is "tag" (sha256-….sig) or "referrer" (an index under the tag sha256-…, which is
what a registry without the list of referrers has).
"""

import base64
import hashlib
import http.client
import json
import subprocess
import sys
import urllib.parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    def __init__(self, host, name):
        self.conn = http.client.HTTPConnection(host)
        self.name = name

    def ask(self, method, path, body=b"", kind="application/octet-stream"):
        self.conn.request(method, path, body, {"Content-Type": kind})
        reply = self.conn.getresponse()
        reply.read()
        assert reply.status // 100 == 2, (method, path, reply.status)
        return reply

    def blob(self, data, kind):
        start = self.ask("POST", f"/v2/{self.name}/blobs/uploads/")
        at = urllib.parse.urlparse(start.getheader("Location"))
        self.ask("PUT", f"{at.path}?{at.query}&digest={sha256(data)}", data)
        return {"mediaType": kind, "digest": sha256(data), "size": len(data)}

    def manifest(self, value, tag, kind=MANIFEST):
        data = json.dumps(value).encode()
        self.ask("PUT", f"/v2/{self.name}/manifests/{tag or sha256(data)}",
                 data, kind)
        return {"mediaType": kind, "digest": sha256(data), "size": len(data)}


def main():
    host, name, digest, key, named, how = sys.argv[1:]
    registry = Registry(host, name)
    payload = json.dumps({"critical": {
        "identity": {"docker-reference": named},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature"},
        "optional": None}).encode()
    with open("payload", "wb") as f:
        f.write(payload)
    with open(key, encoding="ascii") as f:
        plain = "ED25519" in subprocess.run(
            ["openssl", "pkey", "-noout", "-text"], stdin=f,
            stdout=subprocess.PIPE, check=True).stdout.decode()
    command = (["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in",
                "payload"] if plain else
               ["openssl", "dgst", "-sha256", "-sign", key, "payload"])
    sig = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    layer = registry.blob(payload, SIMPLE)
    # what a log of signatures adds, and one that was made without a key
    log = {"dev.sigstore.cosign/bundle":
           '{"SignedEntryTimestamp":"MEUC","Payload":{"logIndex":1}}'}
    keyless = {**layer, "annotations": {
        "dev.cosignproject.cosign/signature":
        base64.b64encode(b"made without a key").decode(),
        "dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----",
        "dev.sigstore.cosign/chain": "", **log}}
    layer["annotations"] = {"dev.cosignproject.cosign/signature":
                            base64.b64encode(sig).decode(), **log}
    value = {"schemaVersion": 2, "mediaType": MANIFEST,
             "config": registry.blob(
                 b"{}", "application/vnd.oci.image.config.v1+json"),
             "layers": [keyless, layer]}
    hexed = digest.split(":")[1]
    if how == "tag":
        registry.manifest(value, f"sha256-{hexed}.sig")
        return
    value["artifactType"] = ARTIFACT
    value["subject"] = {"mediaType": MANIFEST, "digest": digest, "size": 1}
    entry = registry.manifest(value, None)
    entry["artifactType"] = ARTIFACT
    registry.manifest({"schemaVersion": 2, "mediaType": INDEX,
                       "manifests": [entry]}, f"sha256-{hexed}", INDEX)


main()
