#!/usr/bin/env python3
"""Writes weight_blocks.json: blocks as bytes, and the numbers that the package `gguf` decodes them
to. Run: python3 make.py (needs gguf and numpy)."""

import json
import pathlib

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

# Scales worth a look: ordinary, zero, subnormal and the largest halves, either sign.
HALVES = [0x3C00, 0x2E66, 0x0000, 0x8000, 0x0001, 0x03FF, 0x8201, 0x0400, 0xB800, 0x7BFF, 0xFBFF, 0x1234]

# Where the halves that scale a block lie in it.
SCALES = {"Q5_0": [0], "Q5_1": [0, 2], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
                "IQ4_XS": [0]}


def half(bits):
    return np.uint16(bits).tobytes()


def heads(n_fields):
    """What blocks begin with: a scale, and with two fields a minimum; both run through HALVES."""
    n = len(HALVES)
    return [half(HALVES[i]) + (half(HALVES[(i + 5) % n]) if n_fields == 2 else b"") for i in range(n)]


def with_scales(block, offsets, *scales):
    block = bytearray(block)
    for i, offset in enumerate(offsets):
        block[offset:offset + 2] = half(scales[i % len(scales)])
    return bytes(block)


def scaled_blocks(random, type_name, offsets):
    """Random blocks whose scales run through HALVES."""
    n_bytes, n = GGML_QUANT_SIZES[GGMLQuantizationType[type_name]][1], len(HALVES)
    return b"".join(with_scales(random.bytes(n_bytes), offsets, HALVES[i], HALVES[(i + 5) % n]) for i in range(n))


def case(name, type_name, raw):
    kind = GGMLQuantizationType[type_name]
    values = gguf.quants.dequantize(np.frombuffer(raw, np.uint8), kind).astype(np.float32)
    assert np.isfinite(values).all(), name
    return {"name": name, "type": type_name.lower(), "bytes_hex": raw.hex(),
            "float_bits": values.ravel().view(np.uint32).tolist()}


def main():
    random = np.random.default_rng(20240304)
    cases = []
    for type_name, n_fields, n_codes in [("Q8_0", 1, 32), ("Q4_0", 1, 16), ("Q4_1", 2, 16), ("IQ4_NL", 1, 16)]:
        raw = b"".join(head + random.bytes(n_codes) for head in heads(n_fields))
        cases.append(case(f"{type_name}: scales", type_name, raw))
        every = bytes(range(256))
        head = half(0x2E66) + (half(0xB111) if n_fields == 2 else b"")
        raw = b"".join(head + every[i:i + n_codes] for i in range(0, 256, n_codes))
        cases.append(case(f"{type_name}: every code", type_name, raw))
    for type_name, scale_offsets in SCALES.items():
        raw = scaled_blocks(random, type_name, scale_offsets)
        cases.append(case(f"{type_name}: scales", type_name, raw))
        ones = GGML_QUANT_SIZES[GGMLQuantizationType[type_name]][1] * b"\xff"
        raw = with_scales(ones, scale_offsets, 0x2E66) + with_scales(bytes(len(ones)), scale_offsets, 0x2E66)
        cases.append(case(f"{type_name}: all ones, all zeros", type_name, raw))
    finite = np.array([b for b in range(0, 65536, 7) if b & 0x7C00 != 0x7C00], np.uint16)
    cases.append(case("F16", "F16", finite.tobytes()))
    finite = np.array([b for b in range(0, 65536, 11) if b & 0x7F80 != 0x7F80], np.uint16)
    cases.append(case("BF16", "BF16", finite.tobytes()))
    cases.append(case("F32", "F32", np.array([0.0, -0.0, 1e-45, 3.4e38, -1.5], np.float32).tobytes()))
    types = [{"number": int(kind), "name": kind.name, "block_elements": size[0], "block_bytes": size[1]}
             for kind, size in GGML_QUANT_SIZES.items()]
    out = {"made_with": "gguf 0.19.0", "cases": cases, "ggml_types": types}
    path = pathlib.Path(__file__).with_name("weight_blocks.json")
    path.write_text(json.dumps(out, separators=(",", ":")).replace('{"n', '\n{"n') + "\n")


main()
