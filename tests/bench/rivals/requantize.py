#!/usr/bin/env python3
"""Copies of a GGUF file with every matrix in another type, by llama.cpp's own quantizer.

    requantize.py MODEL.gguf F32|F16|Q8_0|... OUT.gguf

So that programs can be compared on the same weights in each type. Where the matrices are quantized
already they are read as float32 first: OUT holds what MODEL holds, up to the rounding of its type.
"""

import argparse
import ctypes

import llama_cpp as api

# llama_ftype: one type for all matrices. Norms stay in float32.
TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "BF16": 32, "Q6_K": 18, "Q4_K": 14}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("type", choices=TYPES)
    parser.add_argument("out")
    options = parser.parse_args()
    silence = api.llama_log_callback(lambda level, text, data: None)
    api.llama_log_set(silence, ctypes.c_void_p())
    params = api.llama_model_quantize_default_params()
    params.ftype = TYPES[options.type]
    params.allow_requantize = True
    params.pure = True
    if api.llama_model_quantize(options.model.encode(), options.out.encode(), params) != 0:
        raise SystemExit(f"{options.model}: llama.cpp cannot write it as {options.type}")


if __name__ == "__main__":
    main()
