"""Reads a capture with h5py and numpy alone and holds it against the numbers of the run.

read_back.py CAPTURE.h5 FOLDER: FOLDER holds query, key, value, attention and logits of the run as
NAME.f32 (little-endian float32) and run.json with their shapes and what the file must say.
"""

import json
import os
import sys

import h5py
import numpy as np

SCALES = {
    "kv/key": "layer kv_head token channel",
    "kv/value": "layer kv_head token channel",
    "query/values": "layer head token channel",
    "query/norm2": "layer head token",
    "attention/scores": "layer head query_token token",
    "attention/query_token": "query_token",
    "prompt/token_ids": "token",
    "logits/argmax": "token",
    "logits/topk_ids": "token -",
    "stats/importance_window": "layer kv_head token",
    "stats/importance_sum": "layer kv_head token",
    "stats/entropy": "layer head token",
    "stats/key_range": "layer kv_head channel -",
    "stats/value_range": "layer kv_head channel -",
}


def floats(dataset):
    """The numbers as float32; bfloat16 is the upper half of one."""
    if dataset.attrs.get("encoding") == "bfloat16":
        assert dataset.dtype == np.dtype("<u2"), dataset.dtype
        return (dataset[...].astype("<u4") << 16).view("<f4")
    return dataset[...].astype("<f4")


def expect_near(got, expected, relative, what):
    assert got.shape == expected.shape, (what, got.shape, expected.shape)
    worst = np.max(np.abs(got - expected) / np.maximum(np.abs(expected), 1e-30), initial=0)
    assert worst <= relative, (what, worst)


def check_attributes(file, run):
    assert file.attrs["format"] == "qaq-capture" and file.attrs["format_version"] == 1
    assert file.attrs["default"] == "entry" and file.attrs["creator"] == run["creator"]
    entry = file["entry"]
    assert entry.attrs["NX_class"] == "NXentry"
    assert json.loads(entry.attrs["provenance_json"]) == run["provenance"]
    for name, value in run["model"].items():
        assert entry["model"].attrs[name] == value, name
    assert entry["tokenizer"].attrs["kind"] == "byte-level-bpe"
    assert list(entry["tokenizer"].attrs["special_ids"]) == run["special_ids"]
    prompt = entry["prompt"]
    assert prompt.attrs["text"] == run["prompt_text"] and prompt.attrs["n_prompt"] == run["n_prompt"]
    assert list(prompt["token_ids"]) == run["token_ids"]
    assert [text.decode() for text in prompt["token_text"]] == run["token_text"]
    assert [list(b) for b in prompt["token_bytes"]] == run["token_bytes"]
    assert entry["attention"].attrs["profile"] == run["profile"]
    assert list(file["runs"]) == []


def check_activations(entry, run, arrays):
    layers = run["layers"]
    dtype = {"f32": "<f4", "f16": "<f2", "bf16": "<u2"}[run["dtype"]]
    half_step = {"f32": 0, "f16": 2.0**-11, "bf16": 2.0**-8}[run["dtype"]]
    places = {"key": "kv/key", "value": "kv/value"}
    assert ("values" in entry["query"]) == run["has_queries"]
    if run["has_queries"]:
        places["query"] = "query/values"
    for name, place in places.items():
        assert entry[place].dtype == np.dtype(dtype), (place, entry[place].dtype)
        # Below 2^-14 float16 has fewer bits; those numbers are held to its smallest step.
        expected = arrays[name][layers]
        small = np.abs(expected) < 2.0**-14
        got = floats(entry[place])
        expect_near(np.where(small, 0, got), np.where(small, 0, expected), half_step, place)
        assert np.all(np.abs(got - expected)[small] <= 2.0**-25), place
    norm2 = np.sum(arrays["query"][layers].astype(float) ** 2, axis=-1)
    expect_near(entry["query/norm2"][...], norm2.astype("<f4"), 1e-6, "query/norm2")


def check_logits(entry, arrays):
    logits = arrays["logits"]
    table = entry["logits"]
    assert np.array_equal(table["argmax"], np.argmax(logits, axis=1))
    assert np.array_equal(table["argmax_logit"], np.max(logits, axis=1))
    sums = np.log(np.sum(np.exp(logits.astype(float)), axis=1))
    expect_near(table["logsumexp"][...], sums.astype("<f4"), 1e-6, "logsumexp")
    order = np.argsort(-logits, axis=1, kind="stable")[:, : table["topk_ids"].shape[1]]
    assert np.array_equal(table["topk_ids"], order)
    assert np.array_equal(table["topk_logits"], np.take_along_axis(logits, order, axis=1))


def check_attention(entry, run, arrays):
    stored = run["profile"] in ("full", "window")
    assert ("scores" in entry["attention"]) == stored
    assert ("importance" in entry) == stored
    if not stored:
        assert "importance_window" not in entry["stats"]
        return
    scores = arrays["attention"][run["layers"]]
    rows = entry["attention/query_token"][...]
    n_tokens = scores.shape[-1]
    n_rows = n_tokens if run["profile"] == "full" else min(run["window"], n_tokens)
    assert list(rows) == list(range(n_tokens - n_rows, n_tokens))
    assert entry["attention/scores"].dtype == np.dtype("<f4")
    assert np.array_equal(entry["attention/scores"], scores[:, :, rows])

    group = scores.shape[1] // run["model"]["n_kv_heads"]
    by_group = scores.reshape(scores.shape[0], -1, group, n_tokens, n_tokens)
    stats = entry["stats"]
    assert stats["importance_window"].attrs["n"] == 5
    assert np.array_equal(stats["importance_window"], by_group[:, :, :, -5:].max(axis=(2, 3)))
    sums = by_group.astype(float).sum(axis=(2, 3))
    expect_near(stats["importance_sum"][...], sums.astype("<f4"), 1e-6, "importance_sum")
    logs = np.log(np.where(scores > 0, scores, 1).astype(float))
    entropy = -np.sum(scores * logs, axis=-1)
    assert np.max(np.abs(stats["entropy"][...] - entropy)) < 1e-6

    plot = entry["importance"]
    assert entry.attrs["default"] == "importance" and plot.attrs["NX_class"] == "NXdata"
    assert plot.attrs["signal"] == "importance_window"
    assert list(plot.attrs["axes"]) == ["layer", "kv_head", "token"]
    assert plot["importance_window"] == stats["importance_window"]
    assert plot["token"] == entry["axes/token"] and plot.attrs["token_indices"] == 2


def check_ranges(entry):
    for name in ("key", "value"):
        numbers = floats(entry["kv"][name])
        expected = np.stack([numbers.min(axis=2), numbers.max(axis=2)], axis=-1)
        assert np.array_equal(entry["stats"][name + "_range"], expected), name


def check_axes(entry, run):
    assert list(entry["axes/layer"]) == run["layers"]
    for place, names in SCALES.items():
        if place not in entry:
            continue
        dataset = entry[place]
        assert dataset.attrs["long_name"] and dataset.attrs["units"], place
        for i, name in enumerate(names.split()):
            if name == "-":
                continue
            assert dataset.dims[i].label == name, (place, i, dataset.dims[i].label)
            assert dataset.dims[i][0] == entry["axes"][name], (place, name)
            assert entry["axes"][name].shape[0] == dataset.shape[i], (place, name)


def main(capture, folder):
    with open(os.path.join(folder, "run.json"), encoding="utf-8") as text:
        run = json.load(text)
    arrays = {
        name: np.fromfile(os.path.join(folder, name + ".f32"), "<f4").reshape(shape)
        for name, shape in run["shapes"].items()
    }
    with h5py.File(capture, "r") as file:
        entry = file["entry"]
        check_attributes(file, run)
        check_activations(entry, run, arrays)
        check_logits(entry, arrays)
        check_attention(entry, run, arrays)
        check_ranges(entry)
        check_axes(entry, run)
    print("every number read back")


main(*sys.argv[1:])
