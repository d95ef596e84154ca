// Folders in Hugging Face's form: which files are opened, which tensors are taken.
#include "data/models/hf_model.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "tests/data/models/decode_all.h"
#include "tests/data/models/safetensors_writer.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string good_folder() { return test::test_data_path("badinputs/hf/ok_single_file"); }

// A copy of a small good model, to be changed.
class HfModelTest : public testing::Test {
 protected:
  HfModelTest()
      : source_(good_folder() + "/model.safetensors"),
        tensors_(source_.tensors()),
        config_(JsonObject::read(good_folder() + "/config.json").json()) {}

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
  }
  std::shared_ptr<const ModelFile> open() {
    write("config.json", config_.dump());
    test::write_safetensors(folder_.file("model.safetensors"), tensors_);
    return open_model(folder_.path().string());
  }
  std::string refusal(const std::string& path) {
    try {
      open_model(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_FALSE(error.text().cure.empty());
      return error.what();
    }
    return "taken";
  }
  std::string refusal() {
    try {
      open();
    } catch (const Error&) {
    }
    return refusal(folder_.path().string());
  }
  StoredTensor& tensor(const std::string& name) {
    return *std::ranges::find(tensors_, name, &StoredTensor::name);
  }

  test::TemporaryFolder folder_;
  SafetensorsFile source_;
  std::vector<StoredTensor> tensors_;
  ordered_json config_;
};

void expect_says(const std::string& line, const std::string& words) {
  EXPECT_NE(line.find(words), std::string::npos) << line << "\nlacks: " << words;
}

TEST_F(HfModelTest, AFolderIsAModel) {
  const auto model = open_model(good_folder());
  EXPECT_EQ(model->gguf(), nullptr);
  EXPECT_EQ(model->folder(), good_folder());
  EXPECT_EQ(model->file(), good_folder());
  EXPECT_EQ(model->spec().name, "ok_single_file");
  EXPECT_EQ(model->spec().weights_dtype, "f32");
  EXPECT_EQ(ordered_json::parse(model->spec().config_json), config_);
  EXPECT_EQ(model->sha256(), sha256_of_file(good_folder() + "/model.safetensors"));
  EXPECT_EQ(open_model(good_folder() + "/")->spec().name, "ok_single_file");
}

TEST_F(HfModelTest, ASafetensorsFileInAFolderIsTheSameModel) {
  const auto model = open_model(good_folder() + "/model.safetensors");
  EXPECT_EQ(model->folder(), good_folder());
  EXPECT_EQ(model->sha256(), open_model(good_folder())->sha256());
  const std::string sharded = test::test_data_path("oracle/tiny_llama/bf16_sharded");
  const auto shard = open_model(sharded + "/model-00002-of-00002.safetensors");
  EXPECT_EQ(shard->spec().shape.n_layers, 3) << "with its neighbours";
  EXPECT_EQ(shard->weight(WeightRole::query, 0).type, WeightType::bf16);
}

TEST_F(HfModelTest, TheHashOfShardsIsThatOfTheirHashesByName) {
  const std::string folder = test::test_data_path("oracle/tiny_llama/bf16_sharded");
  EXPECT_EQ(open_model(folder)->sha256(),
            sha256_hex(sha256_of_file(folder + "/model-00001-of-00002.safetensors") +
                       sha256_of_file(folder + "/model-00002-of-00002.safetensors")));
}

TEST_F(HfModelTest, NamesMayLackTheLeadingModel) {
  for (StoredTensor& each : tensors_) {
    if (each.name.starts_with("model.")) each.name.erase(0, 6);
  }
  test::decode_all_weights(*open());
}

// Checkpoints of each family with and without what transformers' models with a head put before.
TEST_F(HfModelTest, NamesOfOtherFamiliesMayLackTheirPrefix) {
  for (const auto& [family, prefix] :
       {std::pair{"gpt2", "transformer."}, std::pair{"opt", "model."},
        std::pair{"bloom", "transformer."}, std::pair{"gpt_neox", "gpt_neox."}}) {
    const std::string folder = test::test_data_path(std::string("oracle/tiny_") + family);
    const SafetensorsFile source(folder + "/model.safetensors");
    config_ = JsonObject::read(folder + "/config.json").json();
    tensors_ = source.tensors();
    for (StoredTensor& each : tensors_) {
      if (each.name.starts_with(prefix)) each.name.erase(0, std::string(prefix).size());
    }
    const auto bare = open(), whole = open_model(folder);
    test::decode_all_weights(*bare);
    for (const WeightRole role :
         {WeightRole::query, WeightRole::down, WeightRole::final_norm_bias}) {
      const auto ours = bare->weight(role, 1).bytes, theirs = whole->weight(role, 1).bytes;
      EXPECT_TRUE(std::ranges::equal(ours, theirs)) << family;
    }
  }
}

// Old checkpoints of GPT-2 and GPT-NeoX hold their causal masks; other tensors are not skipped.
TEST_F(HfModelTest, SavedMasksAreSkipped) {
  const std::string folder = test::test_data_path("oracle/tiny_gpt_neox");
  const SafetensorsFile source(folder + "/model.safetensors");
  config_ = JsonObject::read(folder + "/config.json").json();
  tensors_ = source.tensors();
  StoredTensor mask = tensor("gpt_neox.final_layer_norm.bias");
  for (const char* name : {"bias", "masked_bias", "rotary_emb.inv_freq"}) {
    mask.name = std::string("gpt_neox.layers.0.attention.") + name;
    tensors_.push_back(mask);
  }
  test::decode_all_weights(*open());
  tensors_.back().name = "gpt_neox.layers.0.attention.gate.bias";
  expect_says(refusal(), "attention.gate.bias: the tensor is unknown in a model of the gpt_neox");
}

TEST_F(HfModelTest, WeightsStoredTogetherAreHeldAgainstTheConfig) {
  const std::string folder = test::test_data_path("oracle/tiny_gpt2");
  const SafetensorsFile source(folder + "/model.safetensors");
  config_ = JsonObject::read(folder + "/config.json").json();
  tensors_ = source.tensors();
  std::swap(tensor("transformer.h.1.attn.c_attn.weight").shape[0],
            tensor("transformer.h.1.attn.c_attn.weight").shape[1]);
  expect_says(refusal(), "attn.c_attn.weight: the shape is (192, 64), and (64, 192) is expected");
}

TEST_F(HfModelTest, ATiedModelDoesNotUseAHeadOfItsOwn) {
  StoredTensor head = tensor("model.embed_tokens.weight");
  head.name = "lm_head.weight";
  if (std::ranges::find(tensors_, head.name, &StoredTensor::name) == tensors_.end()) {
    tensors_.push_back(head);
  }
  config_["tie_word_embeddings"] = true;
  EXPECT_EQ(open()->weight(WeightRole::head, 0).name, "model.embed_tokens.weight");
  config_["tie_word_embeddings"] = false;
  EXPECT_EQ(open()->weight(WeightRole::head, 0).name, "lm_head.weight");
}

TEST_F(HfModelTest, SavedRotationFrequenciesAreSkippedAndOtherTensorsAreNot) {
  StoredTensor extra = tensor("model.norm.weight");
  extra.name = "model.layers.0.self_attn.rotary_emb.inv_freq";
  tensors_.push_back(extra);
  test::decode_all_weights(*open());
  tensors_.back().name = "model.layers.0.self_attn.q_proj.bias";
  expect_says(refusal(), "model.layers.0.self_attn.q_proj.bias: the tensor is unknown");
  tensors_.back().name = "vision_tower.weight";
  expect_says(refusal(), "model.safetensors: vision_tower.weight: the tensor is unknown");
}

TEST_F(HfModelTest, TensorsAreHeldAgainstTheConfig) {
  config_["attention_bias"] = true;
  expect_says(refusal(), "self_attn.q_proj.bias: the tensor is missing");
  config_["attention_bias"] = false;
  config_["intermediate_size"] = 1000;
  expect_says(refusal(), "mlp.gate_proj.weight: the shape is (");
  config_["num_hidden_layers"] = 1000000000;
  expect_says(refusal(), "num_hidden_layers: 1000000000 layers are more than any model has");
}

TEST_F(HfModelTest, NumbersOfATypeThatCannotBeRunAreRefused) {
  StoredTensor& norm = tensor("model.norm.weight");
  norm.type_name = "I32";
  expect_says(refusal(), "model.norm.weight: tensor type I32 cannot be run");
}

TEST_F(HfModelTest, GenerationConfigAddsEndTokens) {
  config_["eos_token_id"] = 3;
  write("generation_config.json", R"({"eos_token_id": [5, 3]})");
  EXPECT_EQ(open()->spec().end_token_ids, (std::vector<std::int32_t>{3, 5}));
  write("generation_config.json", "{\"eos_token_id\": [5,\n 3}");
  expect_says(refusal(), "generation_config.json: line 2, column 3: no JSON");
}

TEST_F(HfModelTest, ShardsAreNamedPlainly) {
  open();
  for (const char* name : {"../model.safetensors", "/etc/passwd", "a\\\\b", "..", ""}) {
    write("model.safetensors.index.json",
          std::string(R"({"weight_map": {"model.norm.weight": ")") + name + "\"}}");
    expect_says(refusal(folder_.path().string()), "is no name of a file in the model's folder");
  }
}

TEST_F(HfModelTest, WhatIsMissingIsNamed) {
  expect_says(refusal(folder_.path().string()), "config.json: the file is missing");
  write("config.json", config_.dump());
  expect_says(refusal(folder_.path().string()), "model.safetensors: the file is missing");
  expect_says(refusal(folder_.file("no.gguf")), "cannot be opened");
}

TEST_F(HfModelTest, PytorchWeightsAreNeverReadAndTheCureIsGiven) {
  write("config.json", config_.dump());
  write("pytorch_model.bin", "PK\x03\x04 not looked at");
  expect_says(refusal(folder_.path().string()), "PyTorch weights");
  expect_says(refusal(folder_.path().string()), "save_pretrained");
  write("zip.gguf", "PK\x03\x04 and more");
  write("pickle.safetensors", "\x80\x02}q\x01");
  expect_says(refusal(folder_.file("zip.gguf")), "PyTorch weights");
  expect_says(refusal(folder_.file("pickle.safetensors")), "save_pretrained");
}

TEST_F(HfModelTest, ACaptureIsNoModel) {
  expect_says(refusal(test::test_data_path("badinputs/h5/ok_full_f32.h5")),
              "an HDF5 file, as captures are, not a model");
}

}  // namespace
}  // namespace qaq
