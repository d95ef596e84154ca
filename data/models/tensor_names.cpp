#include "data/models/tensor_names.h"

#include <algorithm>
#include <cassert>

#include "core/base/text.h"

namespace qaq {
namespace {

constexpr ModuleNames kGgufNames{.layers = "blk.",
                                 .embedding = "token_embd",
                                 .final_norm = "output_norm",
                                 .head = "output",
                                 .attention_norm = "attn_norm",
                                 .query = "attn_q",
                                 .key = "attn_k",
                                 .value = "attn_v",
                                 .attention_output = "attn_output",
                                 .feed_forward_norm = "ffn_norm",
                                 .gate = "ffn_gate",
                                 .up = "ffn_up",
                                 .down = "ffn_down",
                                 .query_norm = "attn_q_norm",
                                 .key_norm = "attn_k_norm"};

// LLaMA, and all that took its names over.
constexpr CheckpointLayout kLlamaLayout{.names = {.prefix = "model.",
                                                  .layers = "layers.",
                                                  .embedding = "embed_tokens",
                                                  .final_norm = "norm",
                                                  .head = "lm_head",
                                                  .attention_norm = "input_layernorm",
                                                  .query = "self_attn.q_proj",
                                                  .key = "self_attn.k_proj",
                                                  .value = "self_attn.v_proj",
                                                  .attention_output = "self_attn.o_proj",
                                                  .feed_forward_norm = "post_attention_layernorm",
                                                  .gate = "mlp.gate_proj",
                                                  .up = "mlp.up_proj",
                                                  .down = "mlp.down_proj",
                                                  .query_norm = "self_attn.q_norm",
                                                  .key_norm = "self_attn.k_norm"},
                                        .ignored = {"rotary_emb.inv_freq"}};

constexpr CheckpointLayout kGpt2Layout{
    .names = {.prefix = "transformer.",
              .layers = "h.",
              .embedding = "wte",
              .position_embedding = "wpe",
              .final_norm = "ln_f",
              .head = "lm_head",
              .attention_norm = "ln_1",
              .query = "attn.c_attn",
              .key = "attn.c_attn",
              .value = "attn.c_attn",
              .attention_output = "attn.c_proj",
              .feed_forward_norm = "ln_2",
              .up = "mlp.c_fc",
              .down = "mlp.c_proj"},
    .order = {.query_key_value = FusedOrder::blocks, .transposed = true},
    .ignored = {".attn.bias", ".attn.masked_bias"}};

constexpr CheckpointLayout kOptLayout{.names = {.prefix = "model.",
                                                .layers = "decoder.layers.",
                                                .embedding = "decoder.embed_tokens",
                                                .position_embedding = "decoder.embed_positions",
                                                .final_norm = "decoder.final_layer_norm",
                                                .head = "lm_head",
                                                .attention_norm = "self_attn_layer_norm",
                                                .query = "self_attn.q_proj",
                                                .key = "self_attn.k_proj",
                                                .value = "self_attn.v_proj",
                                                .attention_output = "self_attn.out_proj",
                                                .feed_forward_norm = "final_layer_norm",
                                                .up = "fc1",
                                                .down = "fc2"}};

constexpr CheckpointLayout kBloomLayout{.names = {.prefix = "transformer.",
                                                  .layers = "h.",
                                                  .embedding = "word_embeddings",
                                                  .embedding_norm = "word_embeddings_layernorm",
                                                  .final_norm = "ln_f",
                                                  .head = "lm_head",
                                                  .attention_norm = "input_layernorm",
                                                  .query = "self_attention.query_key_value",
                                                  .key = "self_attention.query_key_value",
                                                  .value = "self_attention.query_key_value",
                                                  .attention_output = "self_attention.dense",
                                                  .feed_forward_norm = "post_attention_layernorm",
                                                  .up = "mlp.dense_h_to_4h",
                                                  .down = "mlp.dense_4h_to_h"},
                                        .order = {.query_key_value = FusedOrder::heads}};

constexpr CheckpointLayout kNeoxLayout{
    .names = {.prefix = "gpt_neox.",
              .layers = "layers.",
              .embedding = "embed_in",
              .final_norm = "final_layer_norm",
              .head = "embed_out",
              .attention_norm = "input_layernorm",
              .query = "attention.query_key_value",
              .key = "attention.query_key_value",
              .value = "attention.query_key_value",
              .attention_output = "attention.dense",
              .feed_forward_norm = "post_attention_layernorm",
              .up = "mlp.dense_h_to_4h",
              .down = "mlp.dense_4h_to_h"},
    .order = {.query_key_value = FusedOrder::heads},
    .ignored = {".attention.bias", ".attention.masked_bias", "rotary_emb.inv_freq"}};

struct RoleName {
  WeightRole role;
  std::string_view ModuleNames::*module;
  std::string_view part;
};

constexpr std::array<RoleName, kWeightRoles> kRoleNames{{
    {WeightRole::embedding, &ModuleNames::embedding, ".weight"},
    {WeightRole::attention_norm, &ModuleNames::attention_norm, ".weight"},
    {WeightRole::query, &ModuleNames::query, ".weight"},
    {WeightRole::key, &ModuleNames::key, ".weight"},
    {WeightRole::value, &ModuleNames::value, ".weight"},
    {WeightRole::attention_output, &ModuleNames::attention_output, ".weight"},
    {WeightRole::feed_forward_norm, &ModuleNames::feed_forward_norm, ".weight"},
    {WeightRole::gate, &ModuleNames::gate, ".weight"},
    {WeightRole::up, &ModuleNames::up, ".weight"},
    {WeightRole::down, &ModuleNames::down, ".weight"},
    {WeightRole::final_norm, &ModuleNames::final_norm, ".weight"},
    {WeightRole::head, &ModuleNames::head, ".weight"},
    {WeightRole::query_bias, &ModuleNames::query, ".bias"},
    {WeightRole::key_bias, &ModuleNames::key, ".bias"},
    {WeightRole::value_bias, &ModuleNames::value, ".bias"},
    {WeightRole::attention_output_bias, &ModuleNames::attention_output, ".bias"},
    {WeightRole::gate_bias, &ModuleNames::gate, ".bias"},
    {WeightRole::up_bias, &ModuleNames::up, ".bias"},
    {WeightRole::down_bias, &ModuleNames::down, ".bias"},
    {WeightRole::query_norm, &ModuleNames::query_norm, ".weight"},
    {WeightRole::key_norm, &ModuleNames::key_norm, ".weight"},
    {WeightRole::position_embedding, &ModuleNames::position_embedding, ".weight"},
    {WeightRole::embedding_norm, &ModuleNames::embedding_norm, ".weight"},
    {WeightRole::embedding_norm_bias, &ModuleNames::embedding_norm, ".bias"},
    {WeightRole::attention_norm_bias, &ModuleNames::attention_norm, ".bias"},
    {WeightRole::feed_forward_norm_bias, &ModuleNames::feed_forward_norm, ".bias"},
    {WeightRole::final_norm_bias, &ModuleNames::final_norm, ".bias"},
}};

}  // namespace

bool CheckpointLayout::ignores(std::string_view name) const {
  return std::ranges::any_of(
      ignored, [&](std::string_view end) { return !end.empty() && name.ends_with(end); });
}

const CheckpointLayout& checkpoint_layout(const Family& family) {
  if (family.name == "gpt2") return kGpt2Layout;
  if (family.name == "opt") return kOptLayout;
  if (family.name == "bloom") return kBloomLayout;
  if (family.name == "gpt_neox") return kNeoxLayout;
  return kLlamaLayout;
}

std::string tensor_name(const ModuleNames& names, WeightRole role, std::int64_t layer,
                        std::string_view prefix) {
  const RoleName& at = kRoleNames[static_cast<std::size_t>(role)];
  assert(at.role == role && !(names.*at.module).empty());
  const std::string name = cat(names.*at.module, at.part);
  if (role == WeightRole::head) return name;
  return is_layer_role(role) ? cat(prefix, names.layers, layer, ".", name) : cat(prefix, name);
}

std::string gguf_tensor_name(WeightRole role, std::int64_t layer) {
  return tensor_name(kGgufNames, role, layer, "");
}

}  // namespace qaq
