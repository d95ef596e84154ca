// Each model folder and file of tests/data/oracle through the commands that take a model. To add a
// family: copy its folder there and name it below.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/qaq_program.h"
#include "tests/support/reference_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::run_json;

struct TinyModel {
  std::string path;       ///< below tests/data/oracle: a folder or a file
  std::string family;     ///< its name of the architecture
  std::string reference;  ///< the forward pass of the same weights
  std::string rope = "default";
  std::string positions = "rope";
};

// Shown by name where a test fails.
void PrintTo(const TinyModel& model, std::ostream* out) { *out << model.path; }

const std::vector<TinyModel> kModels{
    {"tiny_llama", "llama", "tiny_llama_forward.h5"},
    {"tiny_llama/model.safetensors", "llama", "tiny_llama_forward.h5"},
    {"tiny_llama/tiny_llama-f32.gguf", "llama", "tiny_llama_forward.h5"},
    {"tiny_llama/bf16_sharded", "llama", "tiny_llama_forward_bf16.h5"},
    {"tiny_llama/variant_rope_llama3", "llama", "tiny_llama/variant_rope_llama3/forward.h5",
     "llama3"},
    {"tiny_llama/variant_rope_linear", "llama", "tiny_llama/variant_rope_linear/forward.h5",
     "linear"},
    {"tiny_llama/variant_rope_parameters", "llama", "tiny_llama/variant_rope_parameters/forward.h5",
     "llama3"},
    {"tiny_llama/variant_tied", "llama", "tiny_llama/variant_tied/forward.h5"},
    {"tiny_llama/variant_attention_bias", "llama", "tiny_llama/variant_attention_bias/forward.h5"},
    {"tiny_llama_head_dim", "llama", "tiny_llama_head_dim_forward.h5"},
    {"tiny_mistral", "mistral", "tiny_mistral_forward.h5"},
    {"tiny_qwen2", "qwen2", "tiny_qwen2_forward.h5"},
    {"tiny_qwen3", "qwen3", "tiny_qwen3_forward.h5"},
    {"tiny_gpt2", "gpt2", "tiny_gpt2_forward.h5", "", "learned"},
    {"tiny_opt", "opt", "tiny_opt_forward.h5", "", "learned"},
    {"tiny_bloom", "bloom", "tiny_bloom_forward.h5", "", "alibi"},
    {"tiny_gpt_neox", "gpt_neox", "tiny_gpt_neox_forward.h5"},
};

class TinyModels : public testing::TestWithParam<TinyModel> {
 protected:
  std::string path() const { return test::test_data_path("oracle/" + GetParam().path); }
  test::ReferenceFile reference() const {
    return test::ReferenceFile(test::test_data_path("oracle/" + GetParam().reference));
  }
  std::string prompt_file() const {
    const std::string name = folder_.file("ids.json");
    std::ofstream(name) << json(reference().integers("token_ids"));
    return name;
  }

  test::TemporaryFolder folder_;
};

TEST_P(TinyModels, InfoTellsWhatItIsAndWhatItCosts) {
  const json info = run_json({"info", path(), "--tokens", "100"});
  EXPECT_EQ(info["kind"], "model");
  EXPECT_EQ(info["architecture"], GetParam().family);
  EXPECT_EQ(info["position_embedding"], GetParam().positions);
  EXPECT_EQ(info.contains("rope"), GetParam().positions == "rope");
  if (info.contains("rope")) {
    EXPECT_EQ(info["rope"]["kind"], GetParam().rope);
  }
  EXPECT_EQ(info["shape"]["vocab_size"], 288);
  EXPECT_FALSE(info["tokenizer"].get<std::string>().empty());
  std::int64_t bytes = 0;
  for (const json& tensor : info["tensors"]) bytes += tensor["bytes"].get<std::int64_t>();
  EXPECT_LE(bytes, info["bytes"].get<std::int64_t>());
  const json& operations = info["operations_per_token"];
  EXPECT_GT(operations["decode"]["total"], operations["prefill"]["total"]);
  const json& captures = info["capture_bytes"];
  EXPECT_GT(captures["full"], captures["window:64"]);
  EXPECT_GT(captures["window:64"], captures["derive"]);
  EXPECT_GE(captures["derive"], captures["none"]);
}

TEST_P(TinyModels, TokenizeGivesIdsAndPieces) {
  const json tokens = run_json({"tokenize", "--model", path(), "--text", "The query"});
  EXPECT_GT(tokens["n_tokens"], 1);
  EXPECT_EQ(tokens["ids"].size(), tokens["pieces"].size());
}

TEST_P(TinyModels, RunGoesOnAsTheReferenceDoes) {
  const auto whole = run_json({"run", "--model", path(), "--prompt", "The query meets every key",
                               "--generate", "4", "--ignore-eos"});
  EXPECT_EQ(whole["generated_tokens"], 4);
  if (!reference().has("greedy_token")) return;
  const auto greedy = reference().integers("greedy_token");
  const json document = run_json({"run", "--model", path(), "--tokens", prompt_file(), "--generate",
                                  std::to_string(greedy.size()), "--ignore-eos"});
  EXPECT_EQ(document["ids"], json(greedy));
}

TEST_P(TinyModels, CaptureCanBeReplayed) {
  const std::string capture = folder_.file("tiny.h5");
  const json made = run_json({"capture", "--model", path(), "--tokens", prompt_file(), "--generate",
                              "4", "--ignore-eos", "-o", capture});
  EXPECT_EQ(made["generated_tokens"], 4);
  EXPECT_EQ(made["bytes"], std::filesystem::file_size(capture));
  EXPECT_GT(run_json({"replay", capture})["metrics"]["key_average_n_bits"], 0);
}

// Bits by attention, which a prefix's queries and keys give: 8 bits change little, 1 bit does more.
TEST_P(TinyModels, EvaluateMeasuresWhatAQuantizedCacheChanges) {
  const std::string text = folder_.file("text.txt");
  std::ofstream(text) << "A capture holds what a run did, and a replay quantizes it.";
  std::vector<double> kl;
  for (const std::string bits : {"8", "1"}) {
    const json metrics = run_json({"evaluate", "--model", path(), "--text", text, "--prefix", "10",
                                   "--set", "n_bits_min=" + bits, "n_bits_max=" + bits})["metrics"];
    kl.push_back(metrics["kl_mean"]);
    EXPECT_GT(metrics["attention_error"], 0.0);
  }
  EXPECT_GT(kl[0], 0.0);
  EXPECT_GT(kl[1], 3 * kl[0]);
}

// A capture without RoPE says so, in the file and to people; one with it is as it ever was.
TEST_P(TinyModels, ACaptureSaysWhetherItsKeysTurn) {
  const std::string capture = folder_.file("tiny.h5");
  run_json({"capture", "--model", path(), "--tokens", prompt_file(), "-o", capture});
  const json model = run_json({"info", capture})["model"];
  const bool turned = GetParam().positions == "rope";
  EXPECT_EQ(model["position_embedding"], GetParam().positions);
  EXPECT_EQ(model.contains("rope_theta"), turned);
  const std::string text = test::run_qaq({"info", capture}).out;
  EXPECT_EQ(text.find("without RoPE") == std::string::npos, turned) << text;
  const test::ReferenceFile file(capture);
  EXPECT_EQ(file.has_attribute("/entry/model", "position_embedding"), !turned);
  EXPECT_EQ(file.has_attribute("/entry/model", "alibi_slopes"), GetParam().positions == "alibi");
  const std::string key = file.text_attribute("/entry/kv/key", "long_name");
  EXPECT_EQ(key, turned ? "Keys after RoPE, half-split convention" : "Keys, without RoPE");
}

// A model's window and its slopes have to be known to the replay, too.
TEST_P(TinyModels, DerivedAttentionReplaysAsStoredAttentionDoes) {
  std::vector<double> errors;
  for (const char* profile : {"full", "derive"}) {
    const std::string capture = folder_.file(std::string(profile) + ".h5");
    run_json({"capture", "--model", path(), "--tokens", prompt_file(), "--attention", profile, "-o",
              capture});
    errors.push_back(run_json({"replay", capture})["metrics"]["output_error"]);
    EXPECT_EQ(run_json({"info", capture})["model"].contains("attention_windows"),
              GetParam().family == "mistral");
  }
  EXPECT_GT(errors[0], 0.0);
  EXPECT_NEAR(errors[1], errors[0], 1e-5 * errors[0]);
}

std::string test_name(const testing::TestParamInfo<TinyModel>& named) {
  std::string name = named.param.path;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Oracle, TinyModels, testing::ValuesIn(kModels), test_name);

}  // namespace
}  // namespace qaq
