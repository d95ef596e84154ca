#include "data/models/model_listing.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/model_fixture.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using Names = std::vector<std::string>;

std::string oracle(const std::string& name) { return test::test_data_path("oracle/" + name); }

const ListedTensor& tensor(const ModelListing& listing, const std::string& name) {
  const auto at = std::ranges::find(listing.tensors, name, &ListedTensor::name);
  if (at == listing.tensors.end()) throw std::runtime_error("no tensor " + name);
  return *at;
}

std::string value(const ModelListing& listing, const std::string& key) {
  for (const auto& [each, text] : listing.metadata) {
    if (each == key) return text;
  }
  return "absent";
}

TEST(ListModel, OfAGgufFile) {
  const std::string path = oracle("tiny_llama/tiny_llama-f16.gguf");
  const ModelListing listing = list_model(path);
  EXPECT_EQ(listing.format, "GGUF version 3");
  EXPECT_EQ(listing.files, Names{path});
  EXPECT_EQ(listing.n_bytes, static_cast<std::int64_t>(std::filesystem::file_size(path)));
  EXPECT_EQ(value(listing, "llama.block_count"), "3");
  EXPECT_EQ(value(listing, "general.architecture"), "llama");
  const ListedTensor& down = tensor(listing, "blk.0.ffn_down.weight");
  EXPECT_EQ(down.type, "F16");
  EXPECT_EQ(down.shape, (std::vector<std::int64_t>{64, 176})) << "row-major";
  EXPECT_EQ(down.bytes, 64 * 176 * 2);
  EXPECT_NE(listing.tokenizer.find("288 tokens"), std::string::npos) << listing.tokenizer;
  ASSERT_TRUE(listing.spec.has_value()) << listing.refusal;
  EXPECT_EQ(listing.spec->shape.n_layers, 3);
  EXPECT_TRUE(listing.refusal.empty());
}

TEST(ListModel, OfAFolderWithShards) {
  const std::string folder = oracle("tiny_llama/bf16_sharded");
  const ModelListing listing = list_model(folder);
  EXPECT_EQ(listing.format, "safetensors, 2 files");
  EXPECT_EQ(listing.files, (Names{folder + "/config.json", folder + "/tokenizer.json",
                                  folder + "/model.safetensors.index.json",
                                  folder + "/model-00001-of-00002.safetensors",
                                  folder + "/model-00002-of-00002.safetensors"}));
  EXPECT_EQ(value(listing, "hidden_size"), "64");
  EXPECT_EQ(value(listing, "model_type"), "llama");
  EXPECT_EQ(tensor(listing, "lm_head.weight").type, "BF16");
  EXPECT_EQ(tensor(listing, "lm_head.weight").shape, (std::vector<std::int64_t>{288, 64}));
  EXPECT_EQ(listing.tokenizer, "tokenizer.json");
  EXPECT_EQ(listing.spec.value().weights_dtype, "bf16");
}

TEST(ListModel, OfASafetensorsFileAlone) {
  const ModelListing listing =
      list_model(test::test_data_path("badinputs/st/ok_metadata_and_unsorted.safetensors"));
  EXPECT_EQ(listing.format, "safetensors");
  EXPECT_EQ(listing.tensors.size(), 2u);
  EXPECT_FALSE(listing.metadata.empty());
  EXPECT_FALSE(listing.spec.has_value());
  EXPECT_NE(listing.refusal.find("config.json: the file is missing"), std::string::npos)
      << listing.refusal;
}

TEST(ListModel, WhatCannotBeRunIsListedWithTheReason) {
  const ModelListing listing =
      list_model(test::test_data_path("badinputs/gguf/tensor_type_q2_k.gguf"));
  EXPECT_FALSE(listing.spec.has_value());
  EXPECT_NE(listing.refusal.find("Q2_K"), std::string::npos) << listing.refusal;
  EXPECT_TRUE(std::ranges::any_of(listing.tensors,
                                  [](const ListedTensor& each) { return each.type == "Q2_K"; }));
}

TEST(ListModel, OfSmolLm2) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const ModelListing listing = list_model(path);
  EXPECT_EQ(listing.tensors.size(), 272u);
  EXPECT_EQ(listing.n_bytes, 98'362'432);
  EXPECT_EQ(listing.tokenizer, "gpt2 (smollm), 49152 tokens");
  EXPECT_EQ(tensor(listing, "token_embd.weight").type, "Q8_0");
  EXPECT_TRUE(listing.spec.has_value());
}

TEST(ListModel, DamagedContainersAreRefused) {
  EXPECT_THROW(list_model(test::test_data_path("badinputs/gguf/cut_in_metadata.gguf")), Error);
  EXPECT_THROW(list_model(test::test_data_path("badinputs/hf/shard_missing")), Error);
  EXPECT_THROW(list_model(test::test_data_path("badinputs/json/ok_task.jsonl")), Error);
  EXPECT_THROW(list_model("no/such/model"), Error);
}

}  // namespace
}  // namespace qaq
