# SPDX-License-Identifier: Apache-2.0
"""Documents that are no image, or a strange one."""

import json

from harness import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, sha256

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"


class Documents:
    def document(self, conn, value):
        self.manifest(conn, None, json.dumps(value).encode())

    def descriptor(self, digest, kind=OCI_LAYER):
        return {"mediaType": kind, "digest": digest,
                "size": len(self.image.blobs[digest])}

    def layered(self, *layers, config=None, kind=OCI_CONFIG):
        return {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                "config": self.descriptor(config or self.image.config, kind),
                "layers": list(layers)}

    def manifests_artifact(self, conn, _req):
        self.document(conn, self.layered(
            self.descriptor(self.image.layers[0], "application/x-chart"),
            kind="application/x-chart.config"))

    def manifests_foreign(self, conn, _req):
        layer = self.descriptor(self.image.layers[0], FOREIGN)
        layer["urls"] = ["https://elsewhere.example/layer"]
        self.document(conn, self.layered(layer))

    def manifests_nested(self, conn, req):
        """An index of an index, for every platform"""
        inner = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX,
                            "manifests": []}).encode()
        if req.path.endswith(sha256(inner)):
            return conn.reply(200, inner, [("Content-Type", OCI_INDEX)])
        body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
            {"mediaType": OCI_INDEX, "digest": sha256(inner),
             "size": len(inner),
             "platform": {"os": "linux", "architecture": arch}}
            for arch in ("amd64", "arm64")]}
        return conn.reply(200, json.dumps(body).encode(),
                          [("Content-Type", OCI_INDEX)])

    def manifests_portal(self, conn, _req):
        """What a hotel's network puts in a registry's place"""
        conn.reply(200, b"<html>Welcome! Please log in.</html>",
                   [("Content-Type", "text/html; charset=utf-8")])

    def manifests_liar(self, conn, _req):
        """A manifest that is called an index"""
        conn.reply(200, self.image.manifest, [("Content-Type", OCI_INDEX)])

    def manifests_many_layers(self, conn, _req):
        layer = self.descriptor(self.image.layers[0])
        self.document(conn, self.layered(*[layer] * 1001))

    def manifests_no_config(self, conn, _req):
        self.document(conn, {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                             "layers": []})

    def twice(self):
        """The first layer two times"""
        layer = self.image.layers[0]
        config = json.dumps({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [layer, layer]}}).encode()
        self.image.blobs[sha256(config)] = config
        return self.layered(self.descriptor(layer), self.descriptor(layer),
                            config=sha256(config))

    def manifests_twice(self, conn, _req):
        self.document(conn, self.twice())
