#!/usr/bin/env python3
"""Writes the tiny Qwen2 and Qwen3 of ../oracle as GGUF (F32), with the names and the row order that
the package `gguf` and llama.cpp know. Run: python3 make.py (needs gguf, numpy and safetensors)."""

import json
import pathlib

import gguf
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).parent


def convert(name):
    source = HERE.parent / "oracle" / name
    config = json.loads((source / "config.json").read_text())
    architecture = config["model_type"]
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    writer = gguf.GGUFWriter(HERE / f"{name}-f32.gguf", architecture)
    writer.add_name(name)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    tokens = json.loads((source / "tokenizer.json").read_text())["model"]
    ids = tokens["vocab"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokens["merges"]]
    texts = sorted(ids, key=ids.get)
    texts += [f"[{i}]" for i in range(len(texts), config["vocab_size"])]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(texts)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(texts))
    writer.add_token_merges(merges)
    writer.add_eos_token_id(config["eos_token_id"])
    # Neither architecture reorders rows: llama.cpp turns channels i and i + head_dim / 2 in both.
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], config["num_hidden_layers"])
    for tensor, data in load_file(source / "model.safetensors").items():
        writer.add_tensor(names.get_name(tensor, try_suffixes=(".weight", ".bias")), data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


for each in ["tiny_qwen2", "tiny_qwen3"]:
    convert(each)
