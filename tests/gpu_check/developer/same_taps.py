#!/usr/bin/env python3
"""same_taps.py FOLDER CAPTURE.h5: whether a capture holds the very numbers of the taps in FOLDER."""
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import h5py  # noqa: E402
import numpy  # noqa: E402

PATHS = {"key": "kv/key", "value": "kv/value", "query": "query/values",
         "attention": "attention/scores"}


def main():
    folder, capture = Path(sys.argv[1]), sys.argv[2]
    taps = json.loads((folder / "taps.json").read_text())
    numbers = numpy.fromfile(folder / "taps.bin", "<f4")
    assert numbers.nbytes == taps["bytes"]
    n_rows = 0
    with h5py.File(capture, "r") as file:
        stored = {what: file["entry"][path][()] for what, path in PATHS.items()}
    for block in taps["blocks"]:
        if block["what"] not in stored:
            continue
        shape = [block[key] for key in ("n_heads", "n_rows", "n_cols")]
        first = block["offset"] // 4
        want = numbers[first:first + numpy.prod(shape)].reshape(shape)
        head, row = block["first_head"], block["first_row"]
        got = stored[block["what"]][block["layer"], head:head + shape[0], row:row + shape[1],
                                    :shape[2]]
        assert numpy.array_equal(got.astype("<f4"), want), block
        n_rows += shape[0] * shape[1]
    assert n_rows > 0
    print(f"same_taps.py: {n_rows} rows are the same")


if __name__ == "__main__":
    main()
