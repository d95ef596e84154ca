// What config.json means, by family: defaults and rules are those of transformers.
#include "data/models/hf_config.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/model_source.h"

namespace qaq {
namespace {

using nlohmann::ordered_json;

// The sizes that have no default, and what `changes` adds.
ordered_json config_of(const std::string& model_type, const ordered_json& changes = {}) {
  ordered_json config{{"model_type", model_type}, {"vocab_size", 300},
                      {"hidden_size", 64},        {"intermediate_size", 176},
                      {"num_hidden_layers", 3},   {"num_attention_heads", 4},
                      {"num_key_value_heads", 2}, {"max_position_embeddings", 512}};
  if (!changes.is_null()) config.update(changes);
  return config;
}

ModelSpec read(const ordered_json& config, const ordered_json& generation = {}) {
  const JsonObject object("config.json", config);
  std::optional<JsonObject> ends;
  if (!generation.is_null()) ends = JsonObject("generation_config.json", generation);
  return hf_spec(object, hf_family(object), ends);
}

ModelSpec spec_of(const std::string& model_type, const ordered_json& changes = {}) {
  return read(config_of(model_type, changes));
}

std::string refusal(const ordered_json& config, const ordered_json& generation = {}) {
  try {
    read(config, generation);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_FALSE(error.text().cure.empty());
    return error.what();
  }
  return "taken";
}

void expect_refused(const std::string& model_type, const ordered_json& changes,
                    const std::string& words) {
  const std::string line = refusal(config_of(model_type, changes));
  EXPECT_NE(line.find(words), std::string::npos) << line << "\nlacks: " << words;
}

TEST(HfConfig, SizesAreTaken) {
  const ModelSpec spec = spec_of("llama", {{"rms_norm_eps", 1e-5}, {"rope_theta", 5000}});
  EXPECT_EQ(spec.architecture, "llama");
  EXPECT_EQ(spec.shape.n_layers, 3);
  EXPECT_EQ(spec.shape.n_heads, 4);
  EXPECT_EQ(spec.shape.n_kv_heads, 2);
  EXPECT_EQ(spec.shape.head_dim, 16);
  EXPECT_EQ(spec.shape.hidden_size, 64);
  EXPECT_EQ(spec.shape.intermediate_size, 176);
  EXPECT_EQ(spec.shape.vocab_size, 300);
  EXPECT_EQ(spec.shape.context_length, 512);
  EXPECT_EQ(spec.norm_epsilon, 1e-5);
  EXPECT_EQ(spec.rope.theta, 5000.0);
  EXPECT_EQ(spec.rope.n_rotary_dim, 16);
  EXPECT_FALSE(spec.tied_embeddings);
  EXPECT_TRUE(spec.end_token_ids.empty());
}

TEST(HfConfig, WhatIsLeftOutHasTheFamilysDefault) {
  for (const std::string family : {"llama", "mistral", "qwen2", "qwen3"}) {
    ordered_json config = config_of(family, {{"num_attention_heads", 32}});
    config.erase("num_key_value_heads");
    config.erase("max_position_embeddings");
    const ModelSpec spec = read(config);
    SCOPED_TRACE(family);
    EXPECT_EQ(spec.norm_epsilon, 1e-6);
    EXPECT_EQ(spec.rope.theta, 10000.0);
    EXPECT_EQ(spec.shape.n_kv_heads, family == "mistral" ? 8 : 32);
    EXPECT_EQ(spec.shape.head_dim, family == "qwen3" ? 128 : 2);
    EXPECT_EQ(spec.shape.context_length,
              family == "llama" ? 2048 : (family == "mistral" ? 131072 : 32768));
  }
}

TEST(HfConfig, NullIsAsGoodAsAbsent) {
  EXPECT_EQ(spec_of("llama", {{"head_dim", nullptr}}).shape.head_dim, 16);
  EXPECT_EQ(spec_of("llama", {{"head_dim", 24}}).shape.head_dim, 24);
  EXPECT_EQ(spec_of("mistral", {{"num_key_value_heads", nullptr}}).shape.n_kv_heads, 4);
  EXPECT_EQ(spec_of("llama", {{"rope_scaling", nullptr}}).rope.kind, RopeKind::standard);
}

TEST(HfConfig, BiasesAndNormsAreThoseOfTheFamily) {
  const LayerPieces none = spec_of("llama").pieces;
  EXPECT_FALSE(none.query_bias || none.attention_output_bias || none.feed_forward_bias);
  const LayerPieces all = spec_of("llama", {{"attention_bias", true}, {"mlp_bias", true}}).pieces;
  EXPECT_TRUE(all.query_bias && all.key_bias && all.value_bias && all.attention_output_bias &&
              all.feed_forward_bias);
  const LayerPieces qwen2 = spec_of("qwen2").pieces;
  EXPECT_TRUE(qwen2.query_bias && qwen2.key_bias && qwen2.value_bias);
  EXPECT_FALSE(qwen2.attention_output_bias || qwen2.query_key_norm);
  const LayerPieces qwen3 = spec_of("qwen3").pieces;
  EXPECT_TRUE(qwen3.query_key_norm);
  EXPECT_FALSE(qwen3.query_bias);
  // Mistral has none, whatever is said.
  EXPECT_FALSE(spec_of("mistral", {{"attention_bias", true}}).pieces.query_bias);
}

using Windows = std::vector<std::int64_t>;

TEST(HfConfig, MistralsWindowIsEveryLayers) {
  EXPECT_EQ(spec_of("mistral", {{"sliding_window", 8}}).attention_windows, (Windows{8, 8, 8}));
  EXPECT_EQ(spec_of("mistral", {{"sliding_window", nullptr}}).attention_windows, Windows{});
  // Left out it is 4096: within that many positions, none.
  EXPECT_EQ(spec_of("mistral").attention_windows, Windows{});
  EXPECT_EQ(spec_of("mistral", {{"max_position_embeddings", 8192}}).attention_windows,
            (Windows{4096, 4096, 4096}));
  EXPECT_EQ(spec_of("llama", {{"sliding_window", 8}}).attention_windows, Windows{});
}

TEST(HfConfig, QwensWindowIsSomeLayersAndOnlyWhenUsed) {
  const ordered_json unused{{"sliding_window", 8}, {"max_window_layers", 1}};
  EXPECT_EQ(spec_of("qwen2", unused).attention_windows, Windows{});
  ordered_json used = unused;
  used["use_sliding_window"] = true;
  EXPECT_EQ(spec_of("qwen2", used).attention_windows, (Windows{0, 8, 8}));
  EXPECT_EQ(spec_of("qwen3", used).attention_windows, (Windows{0, 8, 8}));
  used["max_window_layers"] = 0;
  EXPECT_EQ(spec_of("qwen2", used).attention_windows, (Windows{8, 8, 8}));
  used.erase("max_window_layers");  // 28
  EXPECT_EQ(spec_of("qwen2", used).attention_windows, Windows{});
  used["layer_types"] = {"sliding_attention", "full_attention", "full_attention"};
  EXPECT_EQ(spec_of("qwen2", used).attention_windows, (Windows{8, 0, 0}));
  used["layer_types"] = {"sliding_attention", "full_attention"};
  expect_refused("qwen2", used, "layer_types: has 2 entries for 3 layers");
  used["layer_types"] = {"full_attention", "full_attention", "linear_attention"};
  expect_refused("qwen2", used, "layer_types: 'linear_attention'");
}

TEST(HfConfig, RopeIsReadInEverySpelling) {
  const ordered_json llama3{{"rope_type", "llama3"},
                            {"factor", 8.0},
                            {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0},
                            {"original_max_position_embeddings", 256}};
  ordered_json newer = llama3;
  newer["rope_theta"] = 500000.0;
  for (const ordered_json& changes :
       {ordered_json{{"rope_scaling", llama3}, {"rope_theta", 500000.0}},
        ordered_json{{"rope_parameters", newer}},
        ordered_json{{"rope_parameters", newer}, {"rope_theta", 1.0}}}) {
    const RopeSpec rope = spec_of("llama", changes).rope;
    EXPECT_EQ(rope.kind, RopeKind::llama3);
    EXPECT_EQ(rope.theta, 500000.0);
    EXPECT_EQ(rope.factor, 8.0);
    EXPECT_EQ(rope.high_freq_factor, 4.0);
    EXPECT_EQ(rope.original_context, 256);
  }
  const RopeSpec older =
      spec_of("llama", {{"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}).rope;
  EXPECT_EQ(older.kind, RopeKind::linear);
  EXPECT_EQ(older.factor, 2.0);
  EXPECT_EQ(spec_of("llama", {{"partial_rotary_factor", 0.5}}).rope.n_rotary_dim, 8);
}

TEST(HfConfig, YarnAndDynamicTakeTheContextThatTransformersTakes) {
  ordered_json scaling{{"rope_type", "yarn"}, {"factor", 4.0}};
  RopeSpec rope = spec_of("qwen2", {{"rope_scaling", scaling}}).rope;
  EXPECT_EQ(rope.original_context, 512);
  EXPECT_EQ(rope.attention_factor, yarn_attention_factor(4.0));
  EXPECT_EQ(rope.beta_fast, 32.0);
  scaling.update({{"original_max_position_embeddings", 128},
                  {"attention_factor", 1.5},
                  {"beta_fast", 20},
                  {"truncate", false}});
  rope = spec_of("qwen2", {{"rope_scaling", scaling}}).rope;
  EXPECT_EQ(rope.original_context, 128);
  EXPECT_EQ(rope.attention_factor, 1.5);
  EXPECT_EQ(rope.beta_fast, 20.0);
  EXPECT_FALSE(rope.truncate);
  scaling["rope_type"] = "dynamic";
  EXPECT_EQ(spec_of("qwen2", {{"rope_scaling", scaling}}).rope.original_context, 512);
}

TEST(HfConfig, EndTokensComeFromBothFiles) {
  using Ids = std::vector<std::int32_t>;
  EXPECT_EQ(read(config_of("llama", {{"eos_token_id", 2}})).end_token_ids, Ids{2});
  EXPECT_EQ(read(config_of("llama", {{"eos_token_id", {5, 2}}})).end_token_ids, (Ids{2, 5}));
  EXPECT_EQ(
      read(config_of("llama", {{"eos_token_id", 2}}), {{"eos_token_id", {7, 2}}}).end_token_ids,
      (Ids{2, 7}));
  EXPECT_NE(refusal(config_of("llama", {{"eos_token_id", 300}})).find("config.json: eos_token_id"),
            std::string::npos);
  EXPECT_NE(refusal(config_of("llama"), {{"eos_token_id", 301}})
                .find("generation_config.json: eos_token_id: 301"),
            std::string::npos);
}

// Configs of published checkpoints, cut to what is read.
TEST(HfConfig, Gpt2HasItsOwnNames) {
  const ModelSpec spec = read({{"model_type", "gpt2"},
                               {"activation_function", "gelu_new"},
                               {"layer_norm_epsilon", 1e-5},
                               {"n_ctx", 1024},
                               {"n_embd", 768},
                               {"n_head", 12},
                               {"n_layer", 12},
                               {"n_positions", 512},
                               {"vocab_size", 50257}});
  EXPECT_EQ(spec.positions, PositionEmbedding::learned);
  EXPECT_EQ(spec.norm, NormKind::layer);
  EXPECT_EQ(spec.activation, Activation::gelu_tanh);
  EXPECT_EQ(spec.shape.n_layers, 12);
  EXPECT_EQ(spec.shape.n_heads, 12);
  EXPECT_EQ(spec.shape.n_kv_heads, 12);
  EXPECT_EQ(spec.shape.head_dim, 64);
  EXPECT_EQ(spec.shape.intermediate_size, 4 * 768);
  EXPECT_EQ(spec.shape.context_length, 512);
  EXPECT_EQ(spec.shape.position_offset, 0);
  EXPECT_EQ(spec.rope.n_rotary_dim, 0);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_EQ(read({{"model_type", "gpt2"},
                  {"num_hidden_layers", 2},
                  {"hidden_size", 64},
                  {"num_attention_heads", 4},
                  {"n_inner", 100},
                  {"vocab_size", 9}})
                .shape.intermediate_size,
            100)
      << "the usual names beside its own";
}

TEST(HfConfig, OptsPositionsBeginAtTheThirdRow) {
  const ModelSpec spec = read({{"model_type", "opt"},
                               {"activation_function", "relu"},
                               {"do_layer_norm_before", true},
                               {"ffn_dim", 3072},
                               {"hidden_size", 768},
                               {"max_position_embeddings", 2048},
                               {"num_attention_heads", 12},
                               {"num_hidden_layers", 12},
                               {"vocab_size", 50272},
                               {"word_embed_proj_dim", 768}});
  EXPECT_EQ(weight_shape(WeightRole::position_embedding, spec.shape),
            (std::pair<std::int64_t, std::int64_t>{2050, 768}));
  EXPECT_EQ(spec.activation, Activation::relu);
  EXPECT_EQ(spec.norm_epsilon, 1e-5);
  EXPECT_EQ(spec.shape.intermediate_size, 3072);
}

TEST(HfConfig, BloomHasSlopesAndNoPositions) {
  const ModelSpec spec = read({{"model_type", "bloom"},
                               {"n_embed", 1024},
                               {"num_attention_heads", 16},
                               {"n_layer", 24},
                               {"seq_length", 2048},
                               {"layer_norm_epsilon", 1e-5},
                               {"vocab_size", 250880}});
  EXPECT_EQ(spec.positions, PositionEmbedding::alibi);
  EXPECT_EQ(spec.alibi_slopes, alibi_slopes(16));
  EXPECT_TRUE(spec.embedding_norm);
  EXPECT_EQ(spec.activation, Activation::gelu_tanh);
  EXPECT_EQ(spec.shape.intermediate_size, 4096);
  EXPECT_FALSE(has_weight(spec, WeightRole::position_embedding));
}

TEST(HfConfig, NeoxTurnsAShareOfItsChannels) {
  const ordered_json pythia{
      {"model_type", "gpt_neox"},  {"hidden_act", "gelu"},   {"hidden_size", 512},
      {"intermediate_size", 2048}, {"layer_norm_eps", 1e-5}, {"max_position_embeddings", 2048},
      {"num_attention_heads", 8},  {"num_hidden_layers", 6}, {"rotary_emb_base", 20000},
      {"rotary_pct", 0.5},         {"vocab_size", 50304}};
  const ModelSpec spec = read(pythia);
  EXPECT_EQ(spec.positions, PositionEmbedding::rope);
  EXPECT_EQ(spec.rope.n_rotary_dim, 32);
  EXPECT_EQ(spec.rope.theta, 20000.0);
  EXPECT_TRUE(spec.parallel_residual);
  EXPECT_FALSE(spec.tied_embeddings);
  EXPECT_EQ(spec.activation, Activation::gelu);
  ordered_json other = pythia;
  other["use_parallel_residual"] = false;
  other["hidden_act"] = "gelu_fast";  // GPT-NeoX-20B
  other.erase("rotary_pct");
  EXPECT_FALSE(read(other).parallel_residual);
  EXPECT_EQ(read(other).activation, Activation::gelu_tanh);
  EXPECT_EQ(read(other).rope.n_rotary_dim, 16) << "a quarter where nothing is said";
}

TEST(HfConfig, VariantsOfTheseFamiliesAreRefusedByName) {
  expect_refused("gpt2", {{"scale_attn_weights", false}}, "scale_attn_weights: a model with false");
  expect_refused("gpt2", {{"scale_attn_by_inverse_layer_idx", true}},
                 "scale_attn_by_inverse_layer_idx: a model with true");
  expect_refused("gpt2", {{"activation_function", "silu"}}, "activation_function: the activation");
  expect_refused("opt", {{"do_layer_norm_before", false}, {"ffn_dim", 9}}, "do_layer_norm_before");
  expect_refused("opt", {{"word_embed_proj_dim", 32}, {"ffn_dim", 9}},
                 "an embedding of 32 numbers");
  expect_refused("bloom", {{"apply_residual_connection_post_layernorm", true}},
                 "apply_residual_connection_post_layernorm");
  expect_refused("bloom", {{"n_head", 1 << 30}, {"hidden_size", 1 << 30}},
                 "n_head: 1073741824 heads are more than any model has");
  expect_refused("gpt_neox", {{"attention_bias", false}}, "attention_bias: a model with false");
}

TEST(HfConfig, WhatCannotBeRunIsRefusedByName) {
  expect_refused("mixtral", {}, "model_type: models of type 'mixtral'");
  expect_refused("mixtral", {}, "known are " + family_names());
  expect_refused("llama", {{"model_type", nullptr}}, "model_type: the key is missing");
  expect_refused("llama", {{"hidden_act", "gelu"}}, "hidden_act: the activation 'gelu'");
  expect_refused("llama", {{"quantization_config", {{"quant_method", "gptq"}}}}, "packed by gptq");
  expect_refused("llama", {{"rope_scaling", {{"rope_type", "longrope"}}}}, "'longrope'");
  expect_refused("llama", {{"rope_scaling", {{"type", "su"}}}}, "rope_scaling.type: ");
  expect_refused("llama", {{"rope_scaling", {{"rope_type", "linear"}}}},
                 "rope_scaling.factor: the key is missing");
  expect_refused("llama", {{"rope_parameters", {{"full_attention", {{"rope_theta", 1}}}}}},
                 "rope_parameters.full_attention");
  expect_refused("llama",
                 {{"rope_scaling",
                   {{"rope_type", "llama3"},
                    {"factor", 8},
                    {"low_freq_factor", 4},
                    {"high_freq_factor", 4},
                    {"original_max_position_embeddings", 8}}}},
                 "high_freq_factor: 4 is not above");
}

TEST(HfConfig, WrongSizesAndTypesAreRefused) {
  expect_refused("llama", {{"num_attention_heads", nullptr}},
                 "num_attention_heads: the key is missing");
  expect_refused("llama", {{"num_attention_heads", "4"}},
                 "the value is string, and a whole number");
  expect_refused("llama", {{"num_attention_heads", 4.5}}, "a whole number is needed");
  expect_refused("llama", {{"num_attention_heads", 5}, {"num_key_value_heads", 5}},
                 "do not divide hidden_size");
  expect_refused("llama", {{"num_key_value_heads", 3}}, "num_key_value_heads: 3 does not divide");
  expect_refused("llama", {{"num_hidden_layers", 0}}, "num_hidden_layers: 0 is out of range");
  expect_refused("llama", {{"hidden_size", -64}}, "hidden_size: -64 is out of range");
  expect_refused("llama", {{"vocab_size", 18446744073709551615u}},
                 "vocab_size: 18446744073709551615");
  expect_refused("llama", {{"rms_norm_eps", 0}}, "rms_norm_eps: 0 is not positive");
  expect_refused("llama", {{"head_dim", 15}}, "head_dim: 15 channels");
  expect_refused("llama", {{"tie_word_embeddings", "yes"}}, "a truth value is needed");
}

}  // namespace
}  // namespace qaq
