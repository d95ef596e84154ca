#include "data/models/model_file.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/base/error.h"
#include "core/tensor/nd_array.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/model_fixture.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using test::GgufBuilder;

class ModelFileTest : public testing::Test {
 protected:
  std::shared_ptr<const ModelFile> open(const GgufBuilder& builder) {
    const auto path = folder_.path() / "model.gguf";
    builder.write(path);
    return open_model(path.string());
  }
  // The line that a model is refused with.
  std::string refusal(const GgufBuilder& builder) {
    try {
      open(builder);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "taken";
  }

  test::TemporaryFolder folder_;
};

NdArray<float, 2> numbers_of(const WeightView& weight) {
  NdArray<float, 2> out({weight.rows, weight.cols});
  decode_matrix(weight, out.view());
  return out;
}

TEST_F(ModelFileTest, TheSpecComesFromTheMetadata) {
  const auto model = open(GgufBuilder::tiny_llama()
                              .set("general.name", std::string("Tiny"))
                              .set("llama.rope.freq_base", 5000.0f)
                              .set("tokenizer.ggml.eos_token_id", 1u)
                              .set("tokenizer.ggml.eot_token_id", 4u));
  const ModelSpec& spec = model->spec();
  EXPECT_EQ(spec.name, "Tiny");
  EXPECT_EQ(spec.architecture, "llama");
  EXPECT_EQ(spec.shape.n_layers, 2);
  EXPECT_EQ(spec.shape.n_heads, 4);
  EXPECT_EQ(spec.shape.n_kv_heads, 2);
  EXPECT_EQ(spec.shape.group_size(), 2);
  EXPECT_EQ(spec.shape.head_dim, 6);
  EXPECT_EQ(spec.shape.hidden_size, 24);
  EXPECT_EQ(spec.shape.intermediate_size, 40);
  EXPECT_EQ(spec.shape.vocab_size, 9);
  EXPECT_EQ(spec.shape.context_length, 128);
  EXPECT_EQ(spec.rope.theta, 5000.0);
  EXPECT_EQ(spec.rope.n_rotary_dim, 6);
  EXPECT_EQ(spec.norm_epsilon, double{1e-6f});
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_EQ(spec.weights_dtype, "f32");
  // Named ends, and control tokens that end a text by their name.
  EXPECT_EQ(spec.end_token_ids, (std::vector<std::int32_t>{0, 1, 4}));
  const auto config = nlohmann::json::parse(spec.config_json);
  EXPECT_EQ(config.at("model_type"), "llama");
  EXPECT_EQ(config.at("num_key_value_heads"), 2);
  EXPECT_EQ(config.at("tie_word_embeddings"), true);
  EXPECT_EQ(config.at("eos_token_id"), 1);
}

TEST_F(ModelFileTest, WhatTheMetadataLeaveOutHasItsDefault) {
  const auto model = open(GgufBuilder::tiny_llama());
  EXPECT_EQ(model->spec().name, "model");  // the file's
  EXPECT_EQ(model->spec().rope.theta, 10000.0);
  const auto gqa = GgufBuilder::tiny_llama()
                       .erase("llama.attention.head_count_kv")
                       .tensor("blk.0.attn_k.weight", {24, 24})
                       .tensor("blk.1.attn_k.weight", {24, 24})
                       .tensor("blk.0.attn_v.weight", {24, 24})
                       .tensor("blk.1.attn_v.weight", {24, 24});
  EXPECT_EQ(open(gqa)->spec().shape.n_kv_heads, 4);
}

TEST_F(ModelFileTest, TheHeadSizeMayBeGiven) {
  auto builder = GgufBuilder::tiny_llama()
                     .set("llama.attention.key_length", 8u)
                     .set("llama.attention.value_length", 8u);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    builder.tensor(layer + "attn_q.weight", {24, 32})
        .tensor(layer + "attn_k.weight", {24, 16})
        .tensor(layer + "attn_v.weight", {24, 16})
        .tensor(layer + "attn_output.weight", {32, 24});
  }
  EXPECT_EQ(open(builder)->spec().shape.head_dim, 8);
  EXPECT_NE(refusal(builder.set("llama.attention.value_length", 6u)).find("value_length"),
            std::string::npos);
}

TEST_F(ModelFileTest, QueryAndKeyRowsAreInHalfSplitOrder) {
  const auto model = open(GgufBuilder::tiny_llama().set("llama.rope.dimension_count", 4u));
  // Row r of the file begins with r * 24 / 8; of each head of 6, 4 rows turn.
  const std::vector<int> order{0, 2, 1, 3, 4, 5};
  for (const WeightRole role : {WeightRole::query, WeightRole::key}) {
    const auto rows = numbers_of(model->weight(role, 1));
    for (std::int64_t r = 0; r < rows.shape(0); ++r) {
      const std::int64_t stored = r / 6 * 6 + order[static_cast<std::size_t>(r % 6)];
      EXPECT_EQ(rows(r, 0), static_cast<float>(stored * 24) / 8) << "row " << r;
      EXPECT_EQ(rows(r, 23), static_cast<float>(stored * 24 + 23) / 8) << "row " << r;
    }
  }
  const auto values = numbers_of(model->weight(WeightRole::value, 1));
  EXPECT_EQ(values(1, 0), 3.0f);
}

TEST_F(ModelFileTest, WeightsMayBeAskedForByManyThreads) {
  const auto model = open(GgufBuilder::tiny_llama());
  const auto expected = numbers_of(open(GgufBuilder::tiny_llama())->weight(WeightRole::query, 0));
  std::vector<NdArray<float, 2>> seen(8);
  {
    std::vector<std::jthread> threads;
    for (auto& each : seen) {
      threads.emplace_back([&] { each = numbers_of(model->weight(WeightRole::query, 0)); });
    }
  }
  for (const auto& each : seen) {
    EXPECT_TRUE(std::equal(each.span().begin(), each.span().end(), expected.span().begin()));
  }
}

TEST_F(ModelFileTest, EveryWeightHasItsShape) {
  const auto model = open(GgufBuilder::tiny_llama());
  const auto shape = [&](WeightRole role) {
    const WeightView weight = model->weight(role, 0);
    EXPECT_EQ(static_cast<std::int64_t>(weight.bytes.size()),
              weight.rows * row_bytes(weight.type, weight.cols));
    return std::pair(weight.rows, weight.cols);
  };
  using Pair = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(shape(WeightRole::embedding), Pair(9, 24));
  EXPECT_EQ(shape(WeightRole::attention_norm), Pair(1, 24));
  EXPECT_EQ(shape(WeightRole::query), Pair(24, 24));
  EXPECT_EQ(shape(WeightRole::key), Pair(12, 24));
  EXPECT_EQ(shape(WeightRole::gate), Pair(40, 24));
  EXPECT_EQ(shape(WeightRole::down), Pair(24, 40));
  EXPECT_EQ(shape(WeightRole::final_norm), Pair(1, 24));
  EXPECT_EQ(model->weight(WeightRole::head, 0).name, "token_embd.weight");
  const auto untied = open(GgufBuilder::tiny_llama().tensor("output.weight", {24, 9}));
  EXPECT_FALSE(untied->spec().tied_embeddings);
  EXPECT_EQ(untied->weight(WeightRole::head, 0).name, "output.weight");
}

TEST_F(ModelFileTest, WhatWouldChangeTheNumbersIsRefusedByName) {
  const auto tiny = [] { return GgufBuilder::tiny_llama(); };
  const auto expect = [&](GgufBuilder builder, const std::string& words) {
    const std::string line = refusal(builder);
    EXPECT_NE(line.find(words), std::string::npos) << line << "\nlacks: " << words;
  };
  expect(tiny().set("general.architecture", std::string("gemma3")), "architecture 'gemma3'");
  expect(tiny().set("llama.rope.scaling.type", std::string("longrope")), "scaling 'longrope'");
  expect(tiny().set("llama.rope.scaling.factor", -4.0f), "llama.rope.scaling.factor: -4");
  expect(tiny().tensor("rope_freqs.weight", {3}), "rope_freqs.weight: 0 is not positive");
  expect(tiny().tensor("rope_freqs.weight", {4}), "rope_freqs.weight: has 4 numbers");
  expect(tiny().set("llama.expert_count", 8u), "mixture of experts");
  expect(tiny().set("llama.rope.dimension_count", 5u), "llama.rope.dimension_count");
  expect(tiny().set("llama.rope.dimension_count", 8u), "llama.rope.dimension_count");
  expect(tiny().set("llama.attention.head_count_kv", 3u), "llama.attention.head_count_kv");
  expect(tiny().set("llama.attention.head_count", 5u), "llama.attention.head_count");
  expect(tiny().set("llama.attention.layer_norm_rms_epsilon", 0.0f), "layer_norm_rms_epsilon");
  expect(tiny().set("llama.rope.freq_base", -1.0f), "llama.rope.freq_base");
  expect(tiny().erase("llama.embedding_length"), "llama.embedding_length: the key is missing");
  expect(tiny().tensor("blk.0.attn_q.bias", {24}), "blk.1.attn_q.bias: the tensor is missing");
  expect(tiny().tensor("blk.0.attn_q_norm.weight", {6}),
         "attn_q_norm.weight: the tensor is unknown");
  expect(tiny().tensor("blk.2.attn_norm.weight", {24}), "blk.2.attn_norm.weight");
  expect(tiny().erase_tensor("output_norm.weight"), "output_norm.weight: the tensor is missing");
  expect(tiny().tensor("token_embd.weight", {24, 9, 2}), "token_embd.weight: the shape");
  expect(tiny().set("tokenizer.ggml.eot_token_id", 9u), "tokenizer.ggml.eot_token_id: 9");
}

TEST_F(ModelFileTest, ScalingThatScalesNothingIsTaken) {
  EXPECT_EQ(refusal(GgufBuilder::tiny_llama().set("llama.rope.scaling.type", std::string("none"))),
            "taken");
  EXPECT_EQ(refusal(GgufBuilder::tiny_llama().set("llama.rope.scaling.factor", 1.0f)), "taken");
}

TEST(OpenModel, F16MatricesAreTheF32OnesRounded) {
  const auto exact = open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
  const auto half = open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-f16.gguf"));
  EXPECT_EQ(exact->spec().weights_dtype, "f32");
  EXPECT_EQ(half->spec().weights_dtype, "f16");
  const auto a = numbers_of(exact->weight(WeightRole::key, 2));
  const auto b = numbers_of(half->weight(WeightRole::key, 2));
  for (std::int64_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a.data()[i], b.data()[i], 1e-3 * std::abs(a.data()[i]) + 1e-7);
  }
}

TEST(OpenModel, ReadsSmolLm2) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const auto model = open_model(path);
  const ModelSpec& spec = model->spec();
  EXPECT_EQ(spec.shape.n_layers, 30);
  EXPECT_EQ(spec.shape.n_heads, 9);
  EXPECT_EQ(spec.shape.n_kv_heads, 3);
  EXPECT_EQ(spec.shape.head_dim, 64);
  EXPECT_EQ(spec.shape.hidden_size, 576);
  EXPECT_EQ(spec.shape.intermediate_size, 1536);
  EXPECT_EQ(spec.shape.vocab_size, 49152);
  EXPECT_EQ(spec.shape.context_length, 8192);
  EXPECT_EQ(spec.rope.theta, 100000.0);
  EXPECT_EQ(spec.rope.n_rotary_dim, 64);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_EQ(spec.weights_dtype, "q4_1");
  EXPECT_EQ(spec.end_token_ids, (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(weight_type_info(model->weight(WeightRole::embedding, 0).type).name, "q8_0");
}

}  // namespace
}  // namespace qaq
