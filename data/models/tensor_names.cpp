#include "data/models/tensor_names.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "core/base/text.h"

namespace qaq {
namespace {

struct RoleNames {
  WeightRole role;
  std::string_view gguf;
  std::string_view hf;
};

constexpr std::array<RoleNames, kWeightRoles> kNames{{
    {WeightRole::embedding, "token_embd.weight", "embed_tokens.weight"},
    {WeightRole::attention_norm, "attn_norm.weight", "input_layernorm.weight"},
    {WeightRole::query, "attn_q.weight", "self_attn.q_proj.weight"},
    {WeightRole::key, "attn_k.weight", "self_attn.k_proj.weight"},
    {WeightRole::value, "attn_v.weight", "self_attn.v_proj.weight"},
    {WeightRole::attention_output, "attn_output.weight", "self_attn.o_proj.weight"},
    {WeightRole::feed_forward_norm, "ffn_norm.weight", "post_attention_layernorm.weight"},
    {WeightRole::gate, "ffn_gate.weight", "mlp.gate_proj.weight"},
    {WeightRole::up, "ffn_up.weight", "mlp.up_proj.weight"},
    {WeightRole::down, "ffn_down.weight", "mlp.down_proj.weight"},
    {WeightRole::final_norm, "output_norm.weight", "norm.weight"},
    {WeightRole::head, "output.weight", "lm_head.weight"},
    {WeightRole::query_bias, "attn_q.bias", "self_attn.q_proj.bias"},
    {WeightRole::key_bias, "attn_k.bias", "self_attn.k_proj.bias"},
    {WeightRole::value_bias, "attn_v.bias", "self_attn.v_proj.bias"},
    {WeightRole::attention_output_bias, "attn_output.bias", "self_attn.o_proj.bias"},
    {WeightRole::gate_bias, "ffn_gate.bias", "mlp.gate_proj.bias"},
    {WeightRole::up_bias, "ffn_up.bias", "mlp.up_proj.bias"},
    {WeightRole::down_bias, "ffn_down.bias", "mlp.down_proj.bias"},
    {WeightRole::query_norm, "attn_q_norm.weight", "self_attn.q_norm.weight"},
    {WeightRole::key_norm, "attn_k_norm.weight", "self_attn.k_norm.weight"},
}};

const RoleNames& names_of(WeightRole role) {
  const RoleNames& names = kNames[static_cast<std::size_t>(role)];
  assert(names.role == role);
  return names;
}

}  // namespace

std::string gguf_tensor_name(WeightRole role, std::int64_t layer) {
  const std::string_view name = names_of(role).gguf;
  return is_layer_role(role) ? cat("blk.", layer, ".", name) : std::string(name);
}

std::string hf_tensor_name(WeightRole role, std::int64_t layer, std::string_view prefix) {
  const std::string_view name = names_of(role).hf;
  if (role == WeightRole::head) return std::string(name);
  return is_layer_role(role) ? cat(prefix, "layers.", layer, ".", name) : cat(prefix, name);
}

bool is_ignored_hf_tensor(std::string_view name) { return name.ends_with("rotary_emb.inv_freq"); }

}  // namespace qaq
