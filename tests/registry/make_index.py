#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""NAME:all, an index of NAME:arm64 and NAME:amd64: make_index.py HOST NAME"""

import http.client
import json
import sys

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def main():
    host, name = sys.argv[1:]
    conn = http.client.HTTPConnection(host)
    entries = []
    for arch in ("arm64", "amd64"):
        conn.request("GET", f"/v2/{name}/manifests/{arch}",
                     headers={"Accept": MANIFEST})
        reply = conn.getresponse()
        body = reply.read()
        platform = {"os": "linux", "architecture": arch}
        if arch == "arm64":
            platform["variant"] = "v8"
        entries.append({"mediaType": MANIFEST, "size": len(body),
                        "platform": platform,
                        "digest": reply.getheader("Docker-Content-Digest")})
    conn.request("PUT", f"/v2/{name}/manifests/all", json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}),
        {"Content-Type": INDEX})
    reply = conn.getresponse()
    assert reply.status == 201, (reply.status, reply.read())


main()
