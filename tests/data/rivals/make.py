#!/usr/bin/env python3
"""Copies what the tests of core/quant read of the oracle's rivals.h5 and rivals.json.

make.py ORACLE: writes codecs.h5 and codecs.json beside this file."""
import json
import pathlib
import sys

import h5py

GROUPS = ("kivi", "kvquant", "q8_0", "q4_0", "uniform")

oracle, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
with h5py.File(oracle / "rivals.h5") as source, h5py.File(
    here / "codecs.h5", "w", libver=("v110", "v110")
) as out:

    def copy(name, item):
        if not name.startswith(GROUPS):
            return
        if isinstance(item, h5py.Dataset):
            packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if item.size > 1000 else {}
            item_out = out.create_dataset(name, data=item[()], chunks=item.shape if packed else None, **packed)
        else:
            item_out = out.require_group(name)
        for key, value in item.attrs.items():
            item_out.attrs[key] = value

    source.visititems(copy)

table = json.loads((oracle / "rivals.json").read_text())["kivi_residual"]
(here / "codecs.json").write_text(json.dumps({"kivi_residual": table}) + "\n")
