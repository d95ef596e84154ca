#!/usr/bin/env python3
"""Copies what tests read of the oracle's rivals.h5 and rivals.json.

make.py ORACLE: writes codecs.h5 and codecs.json (core/quant), retention.h5 and retention.json (core/policy) beside this
file."""
import json
import pathlib
import re
import sys

import h5py

FILES = {
    "codecs": (("kivi", "kvquant", "q8_0", "q4_0", "uniform"), ("kivi_residual",)),
    "retention": (("h2o", "kvpress", "scissorhands", "snapkv", "streaming_llm"),
                  ("n_kept", "pyramidkv_budget", "streaming_llm_evict")),
}
# Of settings that are not offered: h2o's one-token gap, streaming_llm's reposition=cache.
UNREAD = re.compile("h2o/masking|streaming_llm/./(attention|output)")

oracle, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
json_tables = json.loads((oracle / "rivals.json").read_text())
for name_of_file, (groups, tables) in FILES.items():
    with h5py.File(oracle / "rivals.h5") as source, h5py.File(
        here / f"{name_of_file}.h5", "w", libver=("v110", "v110")
    ) as out:

        def copy(name, item):
            if not name.startswith(groups) or UNREAD.match(name):
                return
            if isinstance(item, h5py.Dataset):
                packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if item.size > 1000 else {}
                item_out = out.create_dataset(name, data=item[()], chunks=item.shape if packed else None, **packed)
            else:
                item_out = out.require_group(name)
            for key, value in item.attrs.items():
                item_out.attrs[key] = value

        source.visititems(copy)
    chosen = {table: json_tables[table] for table in tables}
    (here / f"{name_of_file}.json").write_text(json.dumps(chosen) + "\n")
