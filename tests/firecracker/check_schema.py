#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_schema.py STANDIN OPENAPI: is the stand-in's table what the OpenAPI text says?

Prints one line for each difference.  The table may be stricter with numbers (an
amount of memory is not negative); everything else must be the same.
"""
import subprocess
import sys

import yaml

# answers, and what takes any object
IGNORED = {"BalloonStats", "BalloonHintingStatus", "Error", "InstanceInfo",
           "MemoryHotplugStatus", "FirecrackerVersion", "MmdsContentsObject"}


def type_of(field, definitions):
    """A field's type in the table's words, without its range."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[1]
        if definitions[name]["type"] == "object":
            return "@" + name
        return type_of(definitions[name], definitions)
    if field["type"] == "array":
        return "[" + type_of(field["items"], definitions)
    words = ["Off" if word is False else word for word in field.get("enum", [])]
    return field["type"][0] + (":" + "|".join(words) if words else "")


def ranges(field):
    return field.get("minimum"), field.get("maximum")


def main():
    standin, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        definitions = yaml.safe_load(file)["definitions"]
    wanted, limits = {}, {}
    for of, definition in definitions.items():
        if of in IGNORED or definition.get("type") != "object":
            continue
        for name, field in definition.get("properties", {}).items():
            need = "!" if name in definition.get("required", []) else ""
            wanted[of, name] = need + type_of(field, definitions)
            limits[of, name] = ranges(field)
    rows = subprocess.check_output([standin, "--standin-schema"], text=True)
    found, differences = {}, []
    for line in rows.splitlines():
        of, name, kind = line.split()
        base, _, span = kind.partition(":")
        if base.endswith("i"):
            least, _, most = span.partition(":")
            for said, have in zip(limits.get((of, name), ()), (least, most)):
                if said is not None and str(said) != have:
                    differences.append(f"{of}.{name}: range {span}, not {said}")
            kind = base
        found[of, name] = kind
    for key in sorted(set(wanted) | set(found)):
        if wanted.get(key) != found.get(key):
            differences.append(f"{'.'.join(key)}: {found.get(key)}, not {wanted.get(key)}")
    print("\n".join(differences) if differences else f"{len(found)} fields agree")
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
