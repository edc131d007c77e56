# SPDX-License-Identifier: Apache-2.0
"""Signatures beside an image: the list of referrers, whole and in strange ways."""

import base64
import json

from harness import OCI_MANIFEST, sha256

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json"


class Signatures:
    def __init__(self):
        super().__init__()
        self.documents = {}
        self.payloads = {}

    def sign(self, name, subject):
        """A signature "name" of a payload "about name"; its index entry."""
        payload = f"about {name}".encode()
        self.payloads[sha256(payload)] = payload
        body = json.dumps({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "subject": {"mediaType": OCI_MANIFEST, "digest": subject,
                        "size": 1},
            "config": {"mediaType": "application/vnd.oci.empty.v1+json",
                       "digest": sha256(b"{}"), "size": 2},
            "layers": [{"mediaType": SIMPLE, "digest": sha256(payload),
                        "size": len(payload), "annotations": {
                            "dev.cosignproject.cosign/signature":
                            base64.b64encode(name.encode()).decode()}}],
        }).encode()
        self.documents[sha256(body)] = body
        return {"mediaType": OCI_MANIFEST, "digest": sha256(body),
                "size": len(body), "artifactType": ARTIFACT}

    def signed(self, conn, req):
        """A manifest by digest; the tags that may have signatures are empty"""
        body = self.documents.get(req.path.rsplit("/", 1)[1])
        if body is None:
            return conn.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        return conn.reply(200, body, [("Content-Type", OCI_MANIFEST)])

    manifests_ref_pages = manifests_ref_elsewhere = signed
    manifests_ref_endless = manifests_ref_other = manifests_ref_many = signed
    manifests_ref_garbage = signed

    def page(self, conn, entries, link=None):
        headers = [("Content-Type", OCI_INDEX)]
        if link:
            headers.append(("Link", f'<{link}>; rel="next"'))
        conn.reply(200, json.dumps({
            "schemaVersion": 2, "mediaType": OCI_INDEX,
            "manifests": entries}).encode(), headers)

    def subject(self, req):
        return req.path.rsplit("/", 1)[1]

    def referrers_ref_pages(self, conn, req):
        if "last" in req.query:
            return self.page(conn, [self.sign("second", self.subject(req))])
        other = self.sign("sbom", self.subject(req))
        other["artifactType"] = "application/spdx+json"
        return self.page(conn, [self.sign("first", self.subject(req)), other],
                         f"{req.path}?last=x")

    def referrers_ref_elsewhere(self, conn, req):
        self.page(conn, [self.sign("first", self.subject(req))],
                  f"http://127.0.0.1:{self.other_port}{req.path}?last=x")

    def referrers_ref_endless(self, conn, req):
        self.page(conn, [], f"{req.path}?last=x")

    def referrers_ref_many(self, conn, req):
        self.page(conn, [self.sign(f"s{i}", self.subject(req))
                         for i in range(100)])

    def referrers_ref_other(self, conn, _req):
        self.page(conn, [self.sign("other", "sha256:" + "7" * 64)])

    def referrers_ref_garbage(self, conn, _req):
        conn.reply(200, b"<html>", [("Content-Type", "text/html")])
