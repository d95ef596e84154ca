// Programs that share no code with this one read a capture: h5py with numpy, and h5dump.
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string_view>

#include "data/capture/capture_writer.h"
#include "tests/data/capture/synthetic_run.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

constexpr const char* kPython = "/usr/bin/python3";

bool succeeds(const std::string& command) { return std::system(command.c_str()) == 0; }

bool required() {
  const char* value = std::getenv("QAQ_REQUIRE_H5PY");
  return value && std::string_view(value) == "1";
}

struct Case {
  AttentionProfile profile = AttentionProfile::full;
  DType dtype = DType::f32;
  bool may_end_early = false;
  bool has_queries = true;
};

void PrintTo(const Case& c, std::ostream* out) {
  static constexpr const char* kProfiles[] = {"full", "window", "derive", "none"};
  *out << kProfiles[static_cast<int>(c.profile)] << '_' << name_of(c.dtype)
       << (c.may_end_early ? "_early" : "") << (c.has_queries ? "" : "_no_queries");
}

class OtherReaders : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    plan_ = plan_of(run_, {0, 2});
    plan_.info.profile = GetParam().profile;
    plan_.info.dtype = GetParam().dtype;
    plan_.info.has_queries = GetParam().has_queries;
    plan_.attention_window = 6;
    plan_.may_end_early = GetParam().may_end_early;
    if (plan_.may_end_early) plan_.max_tokens += 9;
    const auto writer = CaptureWriter::create(capture_, plan_);
    put_run(run_, *writer);
    writer->finish(run_.tokens, R"({"seed": 3})");
  }

  template <std::size_t Rank>
  void dump(const std::string& name, const NdArray<float, Rank>& numbers) {
    std::ofstream out(folder_.file(name + ".f32"), std::ios::binary);
    out.write(reinterpret_cast<const char*>(numbers.data()),
              static_cast<std::streamsize>(numbers.size() * 4));
    description_["shapes"][name] = numbers.shape();
  }

  void describe() {
    const CaptureInfo& info = plan_.info;
    static constexpr const char* kProfiles[] = {"full", "window", "derive", "none"};
    description_["profile"] = kProfiles[static_cast<int>(info.profile)];
    description_["dtype"] = name_of(info.dtype);
    description_["has_queries"] = info.has_queries;
    description_["window"] = plan_.attention_window;
    description_["layers"] = info.layers;
    description_["creator"] = info.creator;
    description_["provenance"] = {{"seed", 3}};
    description_["prompt_text"] = info.prompt_text;
    description_["n_prompt"] = info.n_prompt;
    description_["special_ids"] = info.special_ids;
    description_["token_ids"] = run_.tokens.ids;
    description_["token_text"] = run_.tokens.text;
    for (const std::string& bytes : run_.tokens.bytes) {
      description_["token_bytes"].push_back(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
    }
    description_["model"] = {{"name", info.model_name},
                             {"architecture", info.architecture},
                             {"n_layers", info.shape.n_layers},
                             {"n_heads", info.shape.n_heads},
                             {"n_kv_heads", info.shape.n_kv_heads},
                             {"head_dim", info.shape.head_dim},
                             {"hidden_size", info.shape.hidden_size},
                             {"vocab_size", info.shape.vocab_size},
                             {"rope_theta", info.rope_theta},
                             {"weights_dtype", info.weights_dtype},
                             {"sha256", info.model_sha256},
                             {"config_json", info.config_json}};
    dump("query", run_.query);
    dump("key", run_.key);
    dump("value", run_.value);
    dump("attention", run_.attention);
    dump("logits", run_.logits);
    std::ofstream(folder_.file("run.json")) << description_.dump();
  }

  const SyntheticRun run_ = make_run(small_shape(), 13, 20);
  TemporaryFolder folder_;
  const std::string capture_ = folder_.file("a.h5");
  CapturePlan plan_;
  nlohmann::json description_;
};

TEST_P(OtherReaders, H5pyFindsEveryNameShapeAttributeScaleAndNumber) {
  if (!succeeds(std::string(kPython) + " -c 'import h5py, numpy' 2>/dev/null")) {
    ASSERT_FALSE(required()) << "python3-h5py is not installed";
    GTEST_SKIP() << "python3-h5py is not installed";
  }
  describe();
  EXPECT_TRUE(succeeds(std::string(kPython) + " -B " + QAQ_SOURCE_DIR +
                       "/tests/data/capture/read_back.py " + capture_ + " " + folder_.file("") +
                       " > /dev/null"));
}

TEST_P(OtherReaders, H5dumpReadsTheHeadAndTheData) {
  if (!succeeds("h5dump --version > /dev/null 2>&1")) {
    ASSERT_FALSE(required()) << "hdf5-tools is not installed";
    GTEST_SKIP() << "hdf5-tools is not installed";
  }
  EXPECT_TRUE(succeeds("h5dump -H " + capture_ + " > " + folder_.file("head.txt")));
  EXPECT_TRUE(succeeds("h5dump " + capture_ + " > " + folder_.file("all.txt")));
  std::ifstream in(folder_.file("head.txt"));
  const std::string head{std::istreambuf_iterator<char>(in), {}};
  EXPECT_NE(head.find("DATASET \"token_bytes\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Captures, OtherReaders,
    testing::Values(
        Case{}, Case{.dtype = DType::f16}, Case{.dtype = DType::bf16}, Case{.may_end_early = true},
        Case{.has_queries = false},
        Case{.profile = AttentionProfile::window, .dtype = DType::f16, .may_end_early = true},
        Case{.profile = AttentionProfile::window},
        Case{.profile = AttentionProfile::derive, .dtype = DType::bf16},
        Case{.profile = AttentionProfile::none, .may_end_early = true}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace qaq::test
