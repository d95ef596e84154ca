"""A transformers LLaMA in float32 with the weights of a GGUF file (architecture llama)."""

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
MODEL_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


def hugging_face_name(name):
    if name in MODEL_NAMES:
        return MODEL_NAMES[name]
    _, layer, piece, _ = name.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[piece]}.weight"


def half_split(rows, n_heads):
    """(n_heads * D, hidden): from GGUF's interleaved pairs to the order of transformers."""
    pairs = rows.reshape(n_heads, -1, 2, rows.shape[1])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def load(path):
    reader = gguf.GGUFReader(path)

    def value(key, default=None):
        field = reader.get_field(f"llama.{key}")
        return default if field is None else field.contents()

    weights = {}
    for tensor in reader.tensors:
        rows = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if ".attn_q." in tensor.name:
            rows = half_split(rows, value("attention.head_count"))
        if ".attn_k." in tensor.name:
            rows = half_split(rows, value("attention.head_count_kv"))
        weights[hugging_face_name(tensor.name)] = torch.from_numpy(np.ascontiguousarray(rows))

    embedding = weights["model.embed_tokens.weight"]
    config = LlamaConfig(
        vocab_size=embedding.shape[0],
        hidden_size=value("embedding_length"),
        intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"),
        num_attention_heads=value("attention.head_count"),
        num_key_value_heads=value("attention.head_count_kv"),
        max_position_embeddings=value("context_length"),
        rms_norm_eps=value("attention.layer_norm_rms_epsilon"),
        rope_theta=value("rope.freq_base", 10000.0),
        tie_word_embeddings="lm_head.weight" not in weights,
        attn_implementation="eager",
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    weights.setdefault("lm_head.weight", embedding)
    model.load_state_dict(weights, assign=True)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its buffers are no weights
    return model.eval()
