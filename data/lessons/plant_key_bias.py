#!/usr/bin/env python3
"""Writes a copy of a GGUF model of the LLaMA family whose keys have a bias, with a spike in one layer.

    data/lessons/plant_key_bias.py MODEL.gguf PLANTED.gguf

Models that have such biases (Qwen2) can have such spikes; SmolLM2 has none, so lesson 9 plants them. The spike is in the
channels that RoPE turns slowest: there it adds nearly the same to every score, and the softmax takes it away again, so that
the model reads on much as before. What the spike does is to stretch the range of every key of that layer.
"""
import pathlib
import struct
import sys

LAYER, SPIKE = 20, 300.0  # whose bias stands out, and how far
COMMON = 0.5              # of the other layers
CHANNELS = 8              # of each head
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # of GGUF's plain types
STRING, LIST, F32 = 8, 9, 0


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        value, = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return value

    def string(self):
        size = self.number("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == LIST:
            of, count = self.number("I"), self.number("Q")
            return [self.value(of) for _ in range(count)]
        self.at += SIZES[kind]
        return self.data[self.at - SIZES[kind]:self.at]


def aligned(size, to):
    return -size % to


def main(source, target):
    data = pathlib.Path(source).read_bytes()
    reader = Reader(data)
    assert reader.number("I") == 0x46554747, "no GGUF file"
    version, n_tensors, n_keys = reader.number("I"), reader.number("Q"), reader.number("Q")
    keys = {}
    for _ in range(n_keys):
        name = reader.string()
        keys[name] = reader.value(reader.number("I"))
    keys_end = reader.at
    whole = {name: int.from_bytes(value, "little") for name, value in keys.items() if isinstance(value, bytes)}
    alignment = whole.get("general.alignment", 32)
    n_layers, kv_heads = whole["llama.block_count"], whole["llama.attention.head_count_kv"]
    head_dim = whole["llama.embedding_length"] // whole["llama.attention.head_count"]
    for _ in range(n_tensors):
        reader.string()
        for _ in range(reader.number("I")):
            reader.number("Q")
        reader.number("I"), reader.number("Q")
    infos, weights = data[keys_end:reader.at], data[reader.at + aligned(reader.at, alignment):]
    weights += bytes(aligned(len(weights), alignment))
    for layer in range(n_layers):
        name = f"blk.{layer}.attn_k.bias".encode()
        height = SPIKE if layer == LAYER else COMMON
        bias = ([0.0] * (head_dim - CHANNELS) + [height] * CHANNELS) * kv_heads
        infos += struct.pack("<Q", len(name)) + name + struct.pack("<IQIQ", 1, len(bias), F32, len(weights))
        weights += struct.pack(f"<{len(bias)}f", *bias)
        weights += bytes(aligned(len(weights), alignment))
    out = struct.pack("<IIQQ", 0x46554747, version, n_tensors + n_layers, n_keys) + data[24:keys_end] + infos
    out += bytes(aligned(len(out), alignment)) + weights
    pathlib.Path(target).write_bytes(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
