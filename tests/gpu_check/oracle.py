#!/usr/bin/env python3
"""oracle.py FOLDER: reference arrays of the tiny models and of SmolLM2, as .npy files, with an
index.json.

For a machine without an HDF5 library: reads tests/data/oracle with h5py. Which forward files of
tiny models there are stands in tests/support/tiny_models.h alone.
"""
import json
import os
import re
import sys
from pathlib import Path

# The reference data may lie in a read-only tree.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import h5py  # noqa: E402
import numpy  # noqa: E402

TESTS = Path(__file__).resolve().parent.parent
ARRAYS = ("query", "key", "value", "attention", "logits", "token_ids")
SMOLLM2_FILES = [f"smollm2_forward_{prompt}" for prompt in ("narrative", "code", "mix")]
SMOLLM2_LOGITS = {"logits_tail": "<f4", "tail_positions": "<i8", "argmax_token": "<i8",
                  "argmax_logit": "<f4", "logsumexp": "<f4"}
TYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "i8": "<i8"}


def forward_files():
    """Second strings of the pairs of kTinyModels, each once, in their order."""
    header = TESTS / "support" / "tiny_models.h"
    table = re.search(r"kTinyModels\[\]\s*=\s*\{(.*?)\n\};", header.read_text(), re.DOTALL)
    pairs = re.findall(r'\{\s*"([^"]+)",\s*"([^"]+)"\s*\}', table.group(1)) if table else []
    if not pairs:
        sys.exit(f"oracle.py: {header}: no table kTinyModels of pairs of strings")
    return list(dict.fromkeys(reference for _, reference in pairs))


def write_arrays(name, folder):
    """The arrays that one forward file has; returns where each lies."""
    path = TESTS / "data" / "oracle" / f"{name}.h5"
    files = {}
    with h5py.File(path, "r") as source:
        for array in ARRAYS:
            if array not in source:
                continue
            numbers = source[array][()]
            kind = numbers.dtype.str[1:]
            if kind not in TYPES:
                sys.exit(f"oracle.py: {path}: {array}: numbers of type {numbers.dtype}")
            files[array] = f"{name.replace('/', '.')}.{array}.npy"
            numpy.save(folder / files[array], numpy.ascontiguousarray(numbers, TYPES[kind]))
    if "token_ids" not in files or len(files) < 2:
        sys.exit(f"oracle.py: {path}: no token_ids, or no array to compare")
    return files


def write_layers(name, folder):
    """Of a forward file of SmolLM2 its layers, of each array the largest magnitude over them all, by
    which bounds go, and its logits."""
    path = TESTS / "data" / "oracle" / f"{name}.h5"
    files = {}

    def save(array, numbers, kind):
        files[array] = f"{name}.{array}.npy"
        numpy.save(folder / files[array], numpy.ascontiguousarray(numbers, kind))

    with h5py.File(path, "r") as source:
        save("token_ids", source["token_ids"][()], "<i8")
        for array in ("query", "key", "value", "attention"):
            stored = {layer: source[f"layers/{layer}/{array}"][()] for layer in source["layers"]}
            for layer, numbers in stored.items():
                save(f"{array}{int(layer)}", numbers, "<f4")
            save(f"{array}_largest", [max(abs(numbers).max() for numbers in stored.values())], "<f4")
        for array, kind in SMOLLM2_LOGITS.items():
            save(array, source[array][()], kind)
    return files


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: oracle.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    index = {name: write_arrays(name, folder) for name in forward_files()}
    index |= {name: write_layers(name, folder) for name in SMOLLM2_FILES}
    # Last: a folder with an index is whole.
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"oracle.py: {sum(map(len, index.values()))} arrays of {len(index)} files in {folder}")


if __name__ == "__main__":
    main()
