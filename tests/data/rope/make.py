#!/usr/bin/env python3
"""Writes rope.json: what transformers makes of scaled position embeddings. `frequencies` holds
inv_freq and the factor of cosines and sines for many configs; `forward` runs the weights of
../oracle/tiny_llama with another rope_scaling, in float64. Run: python3 make.py (needs transformers
4.57.1 and torch)."""

import json
import pathlib
import tempfile

import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

HERE = pathlib.Path(__file__).parent
TINY_LLAMA = HERE.parent / "oracle" / "tiny_llama"

# rope_scaling, rope_theta, head_dim, max_position_embeddings, tokens of the run
FREQUENCIES = [
    ({"rope_type": "default"}, 10000.0, 64, 2048, 4096),
    ({"rope_type": "linear", "factor": 4.0}, 10000.0, 64, 2048, 100),
    ({"rope_type": "dynamic", "factor": 2.0}, 10000.0, 64, 2048, 100),
    ({"rope_type": "dynamic", "factor": 2.0}, 10000.0, 64, 2048, 2048),
    ({"rope_type": "dynamic", "factor": 2.0}, 10000.0, 64, 2048, 2049),
    ({"rope_type": "dynamic", "factor": 4.0}, 500000.0, 128, 2048, 8192),
    ({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 8192}, 500000.0, 128, 131072, 100),
    ({"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 8192}, 500000.0, 64, 131072, 100),
    ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}, 1000000.0, 128, 131072, 100),
    ({"rope_type": "yarn", "factor": 4.0}, 10000.0, 64, 2048, 100),
    ({"rope_type": "yarn", "factor": 16.0, "beta_fast": 24.0, "beta_slow": 2.0,
      "original_max_position_embeddings": 4096}, 10000.0, 128, 65536, 100),
    ({"rope_type": "yarn", "factor": 16.0, "truncate": False, "original_max_position_embeddings": 4096},
     150000.0, 64, 65536, 100),
    ({"rope_type": "yarn", "factor": 8.0, "attention_factor": 1.25, "original_max_position_embeddings": 512},
     10000.0, 32, 4096, 100),
    ({"rope_type": "yarn", "factor": 40.0, "mscale": 1.0, "mscale_all_dim": 0.707,
      "original_max_position_embeddings": 4096}, 10000.0, 64, 163840, 100),
    ({"rope_type": "yarn", "factor": 1.0, "original_max_position_embeddings": 2048}, 10000.0, 64, 2048, 100),
    ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}, 10000.0, 16, 64, 100),
]

# What the tiny model is run with; its prompt is longer than the context that dynamic grows from.
FORWARD = [
    {"max_position_embeddings": 16, "rope_scaling": {"rope_type": "dynamic", "factor": 2.0}},
    {"max_position_embeddings": 64,
     "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}},
]
N_TOKENS, N_LAST_ROWS = 40, 4


def frequencies(scaling, theta, head_dim, context, n_tokens):
    config = LlamaConfig(hidden_size=4 * head_dim, num_attention_heads=4, head_dim=head_dim, rope_theta=theta,
                         max_position_embeddings=context, rope_scaling=dict(scaling))
    inv_freq, factor = ROPE_INIT_FUNCTIONS[scaling["rope_type"]](config, "cpu", seq_len=n_tokens)
    return {"rope_scaling": scaling, "rope_theta": theta, "head_dim": head_dim, "max_position_embeddings": context,
            "n_tokens": n_tokens, "inv_freq": inv_freq.double().tolist(), "attention_factor": float(factor)}


def forward(changes):
    config = json.loads((TINY_LLAMA / "config.json").read_text()) | changes
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "model.safetensors").symlink_to(TINY_LLAMA / "model.safetensors")
        model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    ids = [(i * 37 + 11) % config["vocab_size"] for i in range(N_TOKENS)]
    with torch.no_grad():
        prompt = model(torch.tensor([ids]), use_cache=True)
        key = prompt.past_key_values.layers[-1].keys[0].clone()
        # One more token on the cache: keys that were cached keep their angles.
        step = model(torch.tensor([[ids[0]]]), past_key_values=prompt.past_key_values, use_cache=True)
    numbers = lambda tensor: [float(f"{x:.9g}") for x in tensor.flatten().tolist()]
    return {"config": changes, "token_ids": ids, "n_last_rows": N_LAST_ROWS,
            "logits_last_rows": numbers(prompt.logits[0, -N_LAST_ROWS:]), "key_last_layer": numbers(key),
            "step_token": ids[0], "step_logits": numbers(step.logits[0, -1])}


def main():
    out = {"made_with": "transformers 4.57.1", "frequencies": [frequencies(*case) for case in FREQUENCIES],
           "forward": [forward(case) for case in FORWARD]}
    text = json.dumps(out, separators=(",", ":")).replace('{"rope_scaling":{"rope_type', '\n{"rope_scaling":{"rope_type')
    (HERE / "rope.json").write_text(text + "\n")


main()
