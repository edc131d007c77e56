#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layouts and docker-archives that are rare, right or not quite: odd.py FOLDER

Each becomes FOLDER/<name>, with an image <name>:1 where it has one.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REF = "org.opencontainers.image.ref.name"
FILES = {"a": b"hello"}


def digest_of(data, kind="sha256"):
    return f"{kind}:{hashlib.new(kind, data).hexdigest()}"


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Layout:
    def __init__(self, folder, name):
        self.folder = os.path.join(folder, name)
        self.entries = []
        os.makedirs(self.folder)

    def blob(self, content, media_type, kind="sha256", **more):
        digest = digest_of(content, kind)
        path = os.path.join(self.folder, "blobs", digest.replace(":", "/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content)
        return {"mediaType": media_type, "digest": digest,
                "size": len(content), **more}

    def layer(self, files=None, packed=True, media_type=None, kind="sha256",
              **more):
        data = tar(files or FILES)
        blob = gzip.compress(data, mtime=0) if packed else data
        media_type = media_type or LAYER + ("+gzip" if packed else "")
        return self.blob(blob, media_type, kind, **more), digest_of(data)

    def image(self, layers, config=None, manifest=None, config_kind="sha256",
              **entry):
        document = {"architecture": "amd64", "os": "linux", "config": {},
                    "rootfs": {"type": "layers",
                               "diff_ids": [d for _, d in layers]},
                    **(config or {})}
        body = {"schemaVersion": 2, "mediaType": MANIFEST,
                "config": self.blob(json.dumps(document).encode(), CONFIG,
                                    config_kind),
                "layers": [l for l, _ in layers], **(manifest or {})}
        body = {k: v for k, v in body.items() if v is not None}
        return self.blob(json.dumps(body).encode(), MANIFEST, **entry)

    def index(self, *entries):
        return self.blob(json.dumps({
            "schemaVersion": 2, "mediaType": INDEX,
            "manifests": entries}).encode(), INDEX)

    def add(self, entry, name=None, **notes):
        notes = {k.replace("__", "."): v for k, v in notes.items()}
        if name:
            notes[REF] = name
        self.entries.append({**entry, "annotations": notes})
        return self

    def done(self):
        with open(os.path.join(self.folder, "oci-layout"), "w",
                  encoding="ascii") as f:
            f.write('{"imageLayoutVersion":"1.0.0"}')
        with open(os.path.join(self.folder, "index.json"), "w",
                  encoding="ascii") as f:
            json.dump({"schemaVersion": 2, "manifests": self.entries}, f)


def images(folder):
    def one(name, layers=None, **more):
        layout = Layout(folder, name)
        made = layers(layout) if layers else [layout.layer()]
        layout.add(layout.image(made, **more), f"{name}:1").done()

    one("plain")
    one("nothing", lambda l: [] if l else None)
    one("twice", lambda l: [l.layer(), l.layer()])
    one("not-packed", lambda l: [l.layer(packed=False)])
    one("said-packed", lambda l: [l.layer(packed=False,
                                          media_type=LAYER + "+gzip")])
    one("said-plain", lambda l: [l.layer(media_type=LAYER)])
    one("said-zstd", lambda l: [l.layer(media_type=LAYER + "+zstd")])
    one("sha512-layer", lambda l: [l.layer(kind="sha512")])
    one("sha512-config", config_kind="sha512")
    one("stargz", lambda l: [l.layer(annotations={
        "containerd.io/snapshot/stargz/toc.digest": "sha256:" + "0" * 64})])
    one("chunked", lambda l: [l.layer(annotations={
        "io.github.containers.zstd-chunked.manifest-checksum":
        "sha256:" + "0" * 64})])
    one("inline", lambda l: [l.layer(data="aGVsbG8=",
                                     urls=["http://192.0.2.1/x"])])
    one("nulls", config={"history": None, "created": None, "config": dict.fromkeys((
        "Env", "Entrypoint", "Cmd", "Volumes", "Labels", "ExposedPorts"))})
    one("null-config", config={"config": None})
    one("long-history", config={"history": [
        {"created_by": "a"}, {"created_by": "b", "empty_layer": True},
        {"created_by": "c"}]})
    one("no-time", config={"created": "yesterday"})
    one("epoch", config={"created": "1970-01-01T00:00:00Z"})
    one("strangers", config={"foo": [1, {"a": 1.5e300}], "config": {
        "Foo": 1, "Labels": {"a=b": "c", "é": "ü"}}})
    one("no-type", manifest={"mediaType": None})
    one("notes", manifest={"annotations": {"x": "y" * 100000}})


def layouts(folder):
    layout = Layout(folder, "beside")
    layout.add(layout.image([layout.layer()]), "beside:1")
    layout.add(layout.image([layout.layer()], manifest={
        "config": layout.blob(b"{}", "application/vnd.oci.empty.v1+json")}),
               "beside:sig").done()
    layout = Layout(folder, "artifact")
    layout.add(layout.image([layout.layer()], manifest={
        "config": layout.blob(b"{}", "application/vnd.oci.empty.v1+json")}),
               "artifact:1").done()
    layout = Layout(folder, "nested")
    layout.add(layout.index(layout.index(layout.image([layout.layer()]))),
               "nested:1").done()
    layout = Layout(folder, "named")
    image = layout.image([layout.layer()])
    layout.add(image, "v1", io__containerd__image__name="docker.io/team/named:v1")
    layout.add(image, "localhost:5000/named:2").add(image, "3")
    layout.add(image, "not a name!").add(image, "x/y@sha256:" + "0" * 64).done()
    layout = Layout(folder, "same-for-all")
    entries = [layout.image([layout.layer()], platform={
        "os": "linux", "architecture": arch}) for arch in ("amd64", "arm64")]
    layout.add(layout.index(*entries), "same-for-all:1").done()


def archives(folder):
    one, two = tar({"a": b"1"}), tar({"b": b"2"})
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [
            digest_of(one), digest_of(two), digest_of(one)]}}).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    files = [("1/VERSION", b"1.0"), ("1/json", b"{}"), ("1/layer.tar", one),
             ("2/layer.tar", two), (name, config)]

    def write(file, third="1/layer.tar", link=None, prefix="", tags=None):
        manifest = json.dumps([{
            "Config": name, "RepoTags": tags,
            "Layers": ["1/layer.tar", "2/layer.tar", third]}]).encode()
        with tarfile.open(os.path.join(folder, file), "w") as archive:
            for member, data in files + [("manifest.json", manifest)]:
                info = tarfile.TarInfo(prefix + member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            if link:
                info = tarfile.TarInfo(prefix + third)
                info.type, info.linkname = link
                archive.addfile(info)

    write("repeated.tar", tags=["repeated:1", "repeated:2", "r.example:5000/x:y"])
    write("symlink.tar", "3/layer.tar", (tarfile.SYMTYPE, "../1/layer.tar"),
          tags=["symlink:1"])
    write("hardlink.tar", "3/layer.tar", (tarfile.LNKTYPE, "1/layer.tar"),
          tags=["hardlink:1"])
    write("dots.tar", prefix="./", tags=["dots:1"])
    write("untagged.tar")


def main():
    folder = sys.argv[1]
    os.makedirs(folder)
    images(folder)
    layouts(folder)
    archives(folder)


main()
