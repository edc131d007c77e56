#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tars to an image in an OCI layout, tag "latest".

usage: layout.py none|gzip|zstd LAYOUT TAR...

Tars are layers, base first, packed by the programs gzip and zstd at their levels 6
and 3, as build tools do.
"""
import hashlib
import json
import os
import subprocess
import sys

COMMANDS = {"gzip": ["gzip", "-6n"], "zstd": ["zstd", "-3qc"]}
SUFFIXES = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}


def pack(tar, kind):
    if kind == "none":
        return tar
    return subprocess.run(COMMANDS[kind], input=tar, stdout=subprocess.PIPE, check=True).stdout


class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs", "sha256"))

    def blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self.path, "blobs", "sha256", digest), "wb") as file:
            file.write(data)
        return {"mediaType": "application/vnd.oci.image." + media_type,
                "digest": "sha256:" + digest, "size": len(data)}

    def finish(self, tars, kinds):
        """tars: bytes, base first; kinds: how they are packed, in turn"""
        layers, ids = [], []
        for i, tar in enumerate(tars):
            kind = kinds[i % len(kinds)]
            layers.append(self.blob(pack(tar, kind), "layer.v1.tar" + SUFFIXES[kind]))
            ids.append("sha256:" + hashlib.sha256(tar).hexdigest())
        machine = os.uname().machine
        config = self.blob(json.dumps({
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
            "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}, "config": {},
        }).encode(), "config.v1+json")
        manifest = self.blob(json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config, "layers": layers}).encode(), "manifest.v1+json")
        manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
        self.write("index.json", {"schemaVersion": 2, "manifests": [manifest]})
        self.write("oci-layout", {"imageLayoutVersion": "1.0.0"})

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            json.dump(value, file)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    kind, path = sys.argv[1:3]
    Layout(path).finish((read(tar) for tar in sys.argv[3:]), [kind])


if __name__ == "__main__":
    main()
