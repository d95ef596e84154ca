// What the metadata of GGUF models mean, by architecture.
#include "data/models/gguf_spec.h"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "data/models/tensor_names.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using test::GgufBuilder;

class GgufSpecTest : public testing::Test {
 protected:
  ModelSpec spec_of(const GgufBuilder& builder) {
    builder.write(folder_.file("model.gguf"));
    const GgufParts parts(folder_.file("model.gguf"));
    return gguf_spec(parts, gguf_family(parts.metadata()));
  }
  void expect_refused(const GgufBuilder& builder, const std::string& words) {
    try {
      spec_of(builder);
      ADD_FAILURE() << "was taken, and should say " << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }

  test::TemporaryFolder folder_;
};

GgufBuilder tiny() { return GgufBuilder::tiny_llama(); }

// The tiny model's sizes under another architecture's keys.
GgufBuilder tiny_of(const std::string& architecture) {
  GgufBuilder builder;
  return builder.set("general.architecture", architecture)
      .set(architecture + ".block_count", 2u)
      .set(architecture + ".context_length", 128u)
      .set(architecture + ".embedding_length", 24u)
      .set(architecture + ".feed_forward_length", 40u)
      .set(architecture + ".attention.head_count", 4u)
      .set(architecture + ".attention.head_count_kv", 2u)
      .set(architecture + ".attention.layer_norm_rms_epsilon", 1e-6f)
      .tensor("token_embd.weight", {24, 9});
}

TEST_F(GgufSpecTest, EveryArchitectureHasItsPieces) {
  const ModelSpec qwen2 = spec_of(tiny_of("qwen2"));
  EXPECT_EQ(qwen2.architecture, "qwen2");
  EXPECT_TRUE(qwen2.pieces.query_bias && qwen2.pieces.key_bias && qwen2.pieces.value_bias);
  EXPECT_FALSE(qwen2.pieces.attention_output_bias || qwen2.pieces.query_key_norm);
  const ModelSpec qwen3 = spec_of(tiny_of("qwen3"));
  EXPECT_EQ(qwen3.architecture, "qwen3");
  EXPECT_TRUE(qwen3.pieces.query_key_norm);
  EXPECT_FALSE(qwen3.pieces.query_bias);
  expect_refused(tiny_of("mamba"), "use a model of one of the architectures llama, qwen2, qwen3");
}

TEST_F(GgufSpecTest, BiasesThatMayBeThereAreToldByTheirTensors) {
  EXPECT_FALSE(spec_of(tiny()).pieces.query_bias);
  const LayerPieces pieces = spec_of(tiny()
                                         .tensor("blk.0.attn_q.bias", {24})
                                         .tensor("blk.0.attn_output.bias", {24})
                                         .tensor("blk.0.ffn_gate.bias", {40}))
                                 .pieces;
  EXPECT_TRUE(pieces.query_bias && pieces.attention_output_bias && pieces.feed_forward_bias);
  EXPECT_FALSE(pieces.key_bias || pieces.value_bias);
}

TEST_F(GgufSpecTest, AWindowIsEveryLayersUnlessItHoldsTheContext) {
  const auto windows = [&](std::uint32_t window) {
    return spec_of(tiny().set("llama.attention.sliding_window", window)).attention_windows;
  };
  EXPECT_EQ(windows(64), (std::vector<std::int64_t>{64, 64}));
  EXPECT_TRUE(windows(0).empty());
  EXPECT_TRUE(windows(128).empty());
}

TEST_F(GgufSpecTest, LinearScaling) {
  for (const char* key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
    const RopeSpec rope = spec_of(tiny().set(key, 4.0f)).rope;
    EXPECT_EQ(rope.kind, RopeKind::linear) << key;
    EXPECT_EQ(rope.factor, 4.0) << key;
  }
  EXPECT_EQ(spec_of(tiny().set("llama.rope.scaling.factor", 0.0f)).rope.kind, RopeKind::standard);
  EXPECT_EQ(spec_of(tiny()
                        .set("llama.rope.scaling.type", std::string("none"))
                        .set("llama.rope.scaling.factor", 4.0f))
                .rope.kind,
            RopeKind::standard);
}

TEST_F(GgufSpecTest, YarnScaling) {
  const GgufBuilder yarn = tiny()
                               .set("llama.rope.scaling.type", std::string("yarn"))
                               .set("llama.rope.scaling.factor", 4.0f)
                               .set("llama.rope.scaling.original_context_length", 32u)
                               .set("llama.rope.scaling.finetuned", true);
  const RopeSpec rope = spec_of(yarn).rope;
  EXPECT_EQ(rope.kind, RopeKind::yarn);
  EXPECT_EQ(rope.factor, 4.0);
  EXPECT_EQ(rope.original_context, 32);
  EXPECT_EQ(rope.beta_fast, 32.0);
  EXPECT_EQ(rope.attention_factor, 0.1 * std::log(4.0) + 1.0);
  const RopeSpec other = spec_of(GgufBuilder(yarn)
                                     .set("llama.rope.scaling.attn_factor", 2.0f)
                                     .set("llama.rope.scaling.yarn_beta_fast", 24.0f))
                             .rope;
  EXPECT_EQ(other.attention_factor, 2.0 * rope.attention_factor);
  EXPECT_EQ(other.beta_fast, 24.0);
  expect_refused(GgufBuilder(yarn).set("llama.rope.scaling.yarn_log_multiplier", 0.1f),
                 "yarn_log_multiplier");
}

TEST_F(GgufSpecTest, TheConfigSaysWhatHuggingFaceWould) {
  const ModelSpec spec = spec_of(tiny_of("qwen2")
                                     .set("qwen2.rope.scaling.type", std::string("yarn"))
                                     .set("qwen2.rope.scaling.factor", 4.0f)
                                     .set("qwen2.attention.sliding_window", 8u));
  const auto config = nlohmann::json::parse(spec.config_json);
  EXPECT_EQ(config.at("model_type"), "qwen2");
  EXPECT_EQ(config.at("architectures").at(0), "Qwen2ForCausalLM");
  EXPECT_EQ(config.at("rope_scaling").at("rope_type"), "yarn");
  EXPECT_EQ(config.at("rope_scaling").at("original_max_position_embeddings"), 128);
  EXPECT_EQ(config.at("sliding_window"), 8);
  EXPECT_TRUE(nlohmann::json::parse(spec_of(tiny()).config_json).at("rope_scaling").is_null());
}

}  // namespace
}  // namespace qaq
