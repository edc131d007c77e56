#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A folder as text, a line an entry, so that two of them can be compared.

usage: tree.py FOLDER

Name (any bytes), type, mode, uid, gid, mtime, size, SHA-256 of the content, other
names of the same inode, symlink target, device numbers, xattrs.  Times are whole
seconds, since SquashFS holds no more; POSIX ACLs are left out for the same reason.
"""
import hashlib
import os
import stat
import sys

KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "char", stat.S_IFBLK: "block", stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def xattrs(path):
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return [f"{name}={os.getxattr(path, name, follow_symlinks=False).hex()}"
            for name in names if not name.startswith("system.")]


def describe(path, name, same):
    st = os.lstat(path)
    kind = KINDS[stat.S_IFMT(st.st_mode)]
    words = [repr(name)[1:], kind, f"{st.st_mode & 0o7777:o}",
             f"{st.st_uid}:{st.st_gid}", f"@{int(st.st_mtime_ns // 10**9)}"]
    if kind == "file":
        words += [str(st.st_size), sha256(path)]
    elif kind == "symlink":
        words.append("->" + repr(os.readlink(path))[1:])
    elif kind in ("char", "block"):
        words.append(f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}")
    if kind != "dir" and st.st_nlink > 1:
        first = same.setdefault(st.st_ino, name)
        words.append(f"x{st.st_nlink} of {repr(first)[1:]}")
    return " ".join(words + xattrs(path))


def walk(top):
    """Names below the top, in the order of their bytes; the root is ''."""
    names = [b""]
    for folder, subfolders, files in os.walk(top):
        below = os.path.relpath(folder, top)
        for name in subfolders + files:
            names.append(name if below == b"." else below + b"/" + name)
    return sorted(names)


def main():
    top = os.fsencode(sys.argv[1])
    same = {}
    for name in walk(top):
        print(describe(os.path.join(top, name) if name else top, name, same))


if __name__ == "__main__":
    main()
