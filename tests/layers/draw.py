#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A random image in an OCI layout: layers as a build tool writes them.

usage: draw.py SEED LAYOUT [LAYERS]

Only stacks that every reader takes for the same: no duplicates in a layer, a
whiteout hides what a lower layer has, an opaque marker follows its folder, no
parent is a symbolic link, no xattr is empty (umoci drops those).  What readers
disagree on is compared with a model: tests/unit/rootfs/test_model.c.
"""
import io
import random
import sys
import tarfile

from layout import Layout

NAMES = ["a", "b", "c", "d", "e", "f\n", "umläut", "g h", "x" * 120, "y" * 255]
IDS = [0, 0, 0, 1, 1000, 65534, 4294967294]
TIMES = [0, 1, 1700000000, 1700000000, 4294967295, 4294967296 - 2]


class Node:
    def __init__(self, kind):
        self.kind = kind


class Image:
    """What is there after the layers so far: path to Node."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tree = {}

    def folders(self):
        return [""] + sorted(p for p, n in self.tree.items() if n.kind == "dir")

    def forget(self, path):
        for name in list(self.tree):
            if name == path or name.startswith(path + "/"):
                del self.tree[name]

    def attributes(self, info):
        rnd = self.random
        info.uid, info.gid = rnd.choice(IDS), rnd.choice(IDS)
        info.mtime = rnd.choice(TIMES)
        info.mode = rnd.randrange(0o10000)
        if info.type in (tarfile.REGTYPE, tarfile.DIRTYPE) and rnd.random() < 0.3:
            info.pax_headers = {
                "SCHILY.xattr.user.a": rnd.choice(["v", "a b\nc"]),
                "SCHILY.xattr.trusted.t": "1",
            }
            if info.type == tarfile.REGTYPE:
                # a capability set of version 2, as setcap writes it
                info.pax_headers["SCHILY.xattr.security.capability"] = (
                    "\x01\x00\x00\x02\x00\x20" + "\x00" * 14)

    def content(self):
        rnd = self.random
        size = rnd.choice([0, 1, 100, 4095, 4096, 131071, 131072, 131073, 300000])
        kind = rnd.randrange(4)
        if kind == 0:
            return bytes(size)
        if kind == 1:
            return rnd.randbytes(size)
        # equal files are frequent
        return (b"content %d " % rnd.randrange(3) * (size // 8 + 1))[:size]


class Layer:
    def __init__(self, image):
        self.image = image
        self.random = image.random
        self.lower = dict(image.tree)
        self.own = set()
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(
            fileobj=self.buffer, mode="w",
            format=self.random.choice([tarfile.PAX_FORMAT] * 3 + [tarfile.GNU_FORMAT]))
        if image.random.random() < 0.7:
            self.put(".", tarfile.DIRTYPE)

    def put(self, name, kind, data=b"", link="", plain=False):
        info = tarfile.TarInfo(self.random.choice(["", "", "./"]) + name)
        info.type, info.size, info.linkname = kind, len(data), link
        if not plain:
            self.image.attributes(info)
        if kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            info.devmajor, info.devminor = self.random.choice([(1, 3), (4095, 1048575), (7, 300)])
        self.tar.addfile(info, io.BytesIO(data))

    def open_folder(self):
        """A folder to work in; most times its entry is in the layer, too."""
        path = self.random.choice(self.image.folders())
        parts = path.split("/") if path else []
        for i in range(len(parts)):
            name = "/".join(parts[:i + 1])
            if name not in self.own:
                self.own.add(name)
                self.put(name, tarfile.DIRTYPE)
        return path

    def add(self):
        folder = self.open_folder()
        path = (folder + "/" if folder else "") + self.random.choice(NAMES)
        below = [p for p in self.own if p.startswith(path + "/")]
        if path in self.own or below or len(path) > 1000:
            return
        kind = self.random.choice(
            ["file"] * 5 + ["dir"] * 4 + ["symlink", "link", "char", "block", "fifo"])
        if kind == "link" and not self.add_link(path):
            return
        if kind != "dir" or self.image.tree.get(path, Node("")).kind != "dir":
            self.image.forget(path)
        self.own.add(path)
        self.image.tree[path] = Node("file" if kind == "link" else kind)
        if kind == "file":
            self.put(path, tarfile.REGTYPE, self.image.content())
        elif kind == "dir":
            self.put(path, tarfile.DIRTYPE)
            if path in self.lower and self.random.random() < 0.3:
                self.make_opaque(path)
        elif kind == "symlink":
            self.put(path, tarfile.SYMTYPE, link=self.random.choice(["a", "../b/c", "/x/y"]))
        elif kind != "link":
            self.put(path, {"char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE,
                            "fifo": tarfile.FIFOTYPE}[kind])

    def add_link(self, path):
        files = sorted(p for p, n in self.image.tree.items()
                       if n.kind == "file" and p != path and not p.startswith(path + "/"))
        if not files:
            return False
        self.put(path, tarfile.LNKTYPE, link=self.random.choice(files), plain=True)
        return True

    def make_opaque(self, path):
        if any(p.startswith(path + "/") for p in self.own):
            return
        for name in list(self.image.tree):
            if name.startswith(path + "/"):
                del self.image.tree[name]
        self.put(path + "/.wh..wh..opq", tarfile.REGTYPE, plain=True)

    def remove(self):
        lower = [p for p in sorted(self.lower)
                 if p in self.image.tree and p not in self.own
                 and not any(o.startswith(p + "/") for o in self.own)]
        if not lower:
            return
        path = self.random.choice(lower)
        folder, _, last = path.rpartition("/")
        if len(last) > 250:
            return
        self.put((folder + "/" if folder else "") + ".wh." + last, tarfile.REGTYPE, plain=True)
        self.image.forget(path)
        self.own.add(path)  # and nothing there again in this layer

    def finish(self):
        for _ in range(self.random.randrange(30)):
            self.random.choice([self.add, self.add, self.add, self.remove])()
        self.tar.close()
        return self.buffer.getvalue()


def main():
    seed, path = sys.argv[1:3]
    image = Image("layers " + seed)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1 + image.random.randrange(6)
    tars = [Layer(image).finish() for _ in range(count)]
    Layout(path).finish(tars, ["none", "gzip"])


if __name__ == "__main__":
    main()
