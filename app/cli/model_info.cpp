#include "app/cli/model_info.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/model/model_cost.h"
#include "data/capture/capture_writer.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

Json shape_json(const ModelSpec& spec) {
  const ModelShape& s = spec.shape;
  return {{"n_layers", s.n_layers},
          {"n_heads", s.n_heads},
          {"n_kv_heads", s.n_kv_heads},
          {"head_dim", s.head_dim},
          {"hidden_size", s.hidden_size},
          {"intermediate_size", s.intermediate_size},
          {"vocab_size", s.vocab_size},
          {"context_length", s.context_length},
          {"tied_embeddings", spec.tied_embeddings},
          {"norm_epsilon", spec.norm_epsilon}};
}

Json pieces_json(const ModelSpec& spec) {
  const LayerPieces& pieces = spec.pieces;
  return {{"query_bias", pieces.query_bias},
          {"key_bias", pieces.key_bias},
          {"value_bias", pieces.value_bias},
          {"attention_output_bias", pieces.attention_output_bias},
          {"feed_forward_bias", pieces.feed_forward_bias},
          {"query_key_norm", pieces.query_key_norm},
          {"embedding_norm", spec.embedding_norm},
          {"parallel_residual", spec.parallel_residual}};
}

// The fields that the kind of RoPE uses.
Json rope_json(const RopeSpec& rope) {
  Json json{{"kind", name_of(rope.kind)}, {"theta", rope.theta}, {"dims", rope.n_rotary_dim}};
  if (rope.kind != RopeKind::standard) json["factor"] = rope.factor;
  if (rope.kind == RopeKind::dynamic || rope.kind == RopeKind::yarn ||
      rope.kind == RopeKind::llama3) {
    json["original_context"] = rope.original_context;
  }
  if (rope.kind == RopeKind::llama3) {
    json["low_freq_factor"] = rope.low_freq_factor;
    json["high_freq_factor"] = rope.high_freq_factor;
  }
  if (rope.kind == RopeKind::yarn) {
    json["beta_fast"] = rope.beta_fast;
    json["beta_slow"] = rope.beta_slow;
    json["attention_factor"] = rope.attention_factor;
  }
  if (!rope.divisors.empty()) json["divisors"] = rope.divisors;
  return json;
}

Json operations_json(const TokenOperations& operations) {
  return {{"attention", operations.attention},
          {"feed_forward", operations.feed_forward},
          {"head", operations.head},
          {"total", operations.total()}};
}

Json cache_bytes_json(const ModelSpec& spec) {
  Json json = Json::object();
  for (const auto& [dtype, bytes] : {std::pair{"f32", 4}, std::pair{"f16", 2}}) {
    const std::int64_t token = cache_bytes_per_token(spec, bytes);
    json[dtype] = {{"token", token}, {"context", token * spec.shape.context_length}};
  }
  return json;
}

Json captures_json(const ModelSpec& spec, std::int64_t n_tokens) {
  CapturePlan plan;
  plan.info.shape = spec.shape;
  plan.info.config_json = spec.config_json;
  plan.info.has_queries = true;
  plan.info.layers.resize(static_cast<std::size_t>(spec.shape.n_layers));
  std::iota(plan.info.layers.begin(), plan.info.layers.end(), 0);
  plan.max_tokens = plan.info.n_prompt = n_tokens;
  const auto bytes = [&plan](AttentionProfile profile, std::int64_t window) {
    plan.info.profile = profile;
    plan.attention_window = window;
    return predicted_capture_bytes(plan);
  };
  return {{"full", bytes(AttentionProfile::full, 0)},
          {"window:64", bytes(AttentionProfile::window, std::min<std::int64_t>(64, n_tokens))},
          {"derive", bytes(AttentionProfile::derive, 0)},
          {"none", bytes(AttentionProfile::none, 0)}};
}

void add_spec(Json& json, const ModelSpec& spec, std::int64_t n_tokens) {
  json["name"] = spec.name;
  json["architecture"] = spec.architecture;
  json["weights_dtype"] = spec.weights_dtype;
  json["shape"] = shape_json(spec);
  json["position_embedding"] = name_of(spec.positions);
  if (spec.positions == PositionEmbedding::rope) json["rope"] = rope_json(spec.rope);
  if (!spec.alibi_slopes.empty()) json["alibi_slopes"] = spec.alibi_slopes;
  json["norm"] = spec.norm == NormKind::rms ? "rms" : "layer";
  json["activation"] = name_of(spec.activation);
  json["pieces"] = pieces_json(spec);
  json["attention_windows"] = spec.attention_windows;
  json["end_token_ids"] = spec.end_token_ids;
  json["n_tokens"] = n_tokens;
  json["operations_per_token"] = {{"prefill", operations_json(prefill_operations(spec, n_tokens))},
                                  {"decode", operations_json(token_operations(spec, n_tokens))}};
  json["cache_bytes"] = cache_bytes_json(spec);
  json["capture_bytes"] = captures_json(spec, n_tokens);
}

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

Json model_json(const ModelListing& listing, std::int64_t n_tokens) {
  Json tensors = Json::array();
  std::map<std::string, std::int64_t> bytes_by_type;
  std::int64_t n_parameters = 0;
  for (const ListedTensor& tensor : listing.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"type", tensor.type},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes}});
    bytes_by_type[tensor.type] += tensor.bytes;
    n_parameters += element_count(tensor.shape);
  }
  Json metadata = Json::object();
  for (const auto& [key, value] : listing.metadata) metadata[key] = value;

  Json json{{"kind", "model"},
            {"format", listing.format},
            {"files", listing.files},
            {"bytes", listing.n_bytes},
            {"parameters", n_parameters},
            {"bytes_by_type", bytes_by_type},
            {"tokenizer", listing.tokenizer}};
  if (listing.spec) {
    add_spec(json, *listing.spec, std::min(n_tokens, listing.spec->shape.context_length));
  } else {
    json["refusal"] = listing.refusal;
  }
  json["metadata"] = metadata;
  json["tensors"] = tensors;
  return json;
}

}  // namespace qaq::cli
