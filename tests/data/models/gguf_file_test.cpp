#include "data/models/gguf_file.h"

#include <cstring>
#include <gtest/gtest.h>
#include <set>

#include "core/base/error.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/model_fixture.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

std::string good(const std::string& name) { return test::test_data_path("badinputs/gguf/" + name); }

using test::refusal;

TEST(GgufFile, ReadsMetadataAndTensors) {
  const GgufFile file(good("ok_minimal.gguf"));
  EXPECT_EQ(file.version(), 3u);
  EXPECT_EQ(file.alignment(), 32u);
  EXPECT_EQ(file.n_bytes(), 16064u);
  const GgufMetadata& metadata = file.metadata();
  EXPECT_EQ(metadata.entries().size(), 20u);
  EXPECT_EQ(metadata.entries().front().key, "general.architecture");
  EXPECT_EQ(metadata.text("general.name"), "tiny test model");
  EXPECT_EQ(metadata.count("llama.vocab_size"), 264);
  EXPECT_EQ(metadata.real("llama.attention.layer_norm_rms_epsilon"), double{1e-5f});
  EXPECT_FALSE(metadata.flag_or("tokenizer.ggml.add_bos_token", true));
  EXPECT_EQ(metadata.texts("tokenizer.ggml.merges").back(), "a b");
  EXPECT_EQ(metadata.integers("tokenizer.ggml.token_type").size(), 264u);
  ASSERT_EQ(file.tensors().size(), 11u);
  const GgufTensor* down = file.find_tensor("blk.0.ffn_down.weight");
  ASSERT_NE(down, nullptr);
  EXPECT_EQ(down->extents, (std::array<std::int64_t, 4>{16, 8, 1, 1}));
  EXPECT_EQ(down->type->name, "F32");
  EXPECT_EQ(down->bytes.size(), 16u * 8 * 4);
  EXPECT_EQ(file.find_tensor("output.weight"), nullptr);
}

TEST(GgufFile, HashesTheWholeFile) {
  // The manifest says what the file's SHA-256 is.
  const auto manifest = test::test_data_json("badinputs/manifest.json");
  for (const auto& entry : manifest.at("entries")) {
    if (entry.at("file") != "gguf/ok_minimal.gguf") continue;
    EXPECT_EQ(GgufFile(good("ok_minimal.gguf")).sha256(), entry.at("sha256").get<std::string>());
    return;
  }
  FAIL() << "no such entry";
}

TEST(GgufFile, ListsTensorTypesThatCannotBeRun) {
  const GgufFile file(good("tensor_type_q2_k.gguf"));
  bool seen = false;
  for (const GgufTensor& tensor : file.tensors()) seen |= tensor.type->name == "Q2_K";
  EXPECT_TRUE(seen);
}

TEST(GgufMetadata, CountsAreTakenInAnyWholeType) {
  EXPECT_EQ(GgufFile(good("ok_u64_hparams.gguf")).metadata().count("llama.block_count"), 1);
  const std::int64_t thirty = 30;
  const std::uint32_t minus = static_cast<std::uint32_t>(-30);
  const auto bytes = [](const auto& number) { return reinterpret_cast<const std::byte*>(&number); };
  const GgufMetadata metadata("F", {{"u8", gguf_scalar(GgufType::u8, bytes(thirty))},
                                    {"i64", gguf_scalar(GgufType::i64, bytes(thirty))},
                                    {"u16", gguf_scalar(GgufType::u16, bytes(thirty))},
                                    {"i32", gguf_scalar(GgufType::i32, bytes(minus))}});
  EXPECT_EQ(metadata.count("u8"), 30);
  EXPECT_EQ(metadata.count("i64"), 30);
  EXPECT_EQ(metadata.count("u16"), 30);
  EXPECT_EQ(metadata.real("u16"), 30.0);
  EXPECT_EQ(refusal([&] { metadata.count("i32"); }),
            "F: i32: -30 is out of range; convert the model again or get another file");
}

TEST(GgufMetadata, GettersSayWhatIsMissingOrOfAnotherType) {
  const GgufFile file(good("ok_minimal.gguf"));
  const GgufMetadata& metadata = file.metadata();
  EXPECT_NE(refusal([&] { metadata.count("no.such"); }).find("no.such: the key is missing"),
            std::string::npos);
  EXPECT_NE(refusal([&] { metadata.count("general.name"); }).find("type string"),
            std::string::npos);
  EXPECT_NE(refusal([&] { metadata.text("llama.block_count"); }).find("type u32"),
            std::string::npos);
  EXPECT_NE(refusal([&] { metadata.texts("tokenizer.ggml.token_type"); }).find("array of i32"),
            std::string::npos);
  EXPECT_NE(refusal([&] { metadata.integers("tokenizer.ggml.tokens"); }).find("array of string"),
            std::string::npos);
  EXPECT_EQ(metadata.count_or("no.such", 7), 7);
  EXPECT_EQ(metadata.text_or("no.such", "x"), "x");
}

TEST(GgufValue, EveryTypeIsRead) {
  const GgufFile file(good("ok_unknown_keys.gguf"));
  std::set<GgufType> seen;
  for (const GgufEntry& entry : file.metadata().entries()) seen.insert(entry.value.type);
  EXPECT_EQ(seen.size(), 13u);
}

TEST(GgufValue, IsShownInShort) {
  const auto text = [](std::string_view value, std::size_t n) {
    return display_text({GgufType::string, value}, n);
  };
  EXPECT_EQ(text("llama", 120), "llama");
  EXPECT_EQ(text("abcdef", 3), "abc...");
  EXPECT_EQ(text("ab\xc3\xa9", 3), "ab...");  // not half a character
  EXPECT_EQ(text("a\xff z", 120), "a? z");
  const float third = 0.1f;
  EXPECT_EQ(display_text(gguf_scalar(GgufType::f32, reinterpret_cast<const std::byte*>(&third))),
            "0.1");
  EXPECT_EQ(display_text({GgufType::array, GgufArray{GgufType::string, 12, {}}}), "12 x string");
  EXPECT_EQ(display_text({GgufType::boolean, true}), "true");
}

TEST(GgufFile, ReadsSmolLm2) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const GgufFile file(path);
  EXPECT_EQ(file.metadata().entries().size(), 33u);
  EXPECT_EQ(file.tensors().size(), 272u);
  EXPECT_EQ(file.metadata().texts("tokenizer.ggml.tokens").size(), 49152u);
  EXPECT_EQ(file.metadata().texts("general.languages").front(), "en");
  EXPECT_EQ(file.sha256(), "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
}

TEST(GgufFile, TakesEveryAlignmentThatTheFormatAllows) {
  const test::TemporaryFolder folder;
  for (const std::uint32_t alignment : {8u, 16u, 24u, 32u, 64u, 4096u}) {
    const std::string path = folder.file("aligned.gguf");
    test::GgufBuilder::tiny_llama().set("general.alignment", alignment).write(path);
    const GgufFile file(path);
    EXPECT_EQ(file.alignment(), alignment);
    for (const GgufTensor& tensor : file.tensors()) {
      float third = 0;
      std::memcpy(&third, tensor.bytes.data() + 2 * sizeof third, sizeof third);
      EXPECT_EQ(third, 0.25f) << tensor.name << ", alignment " << alignment;
    }
  }
}

TEST(GgufFile, RefusesAnAlignmentThatTheFormatForbids) {
  const test::TemporaryFolder folder;
  for (const std::uint32_t alignment : {12u, 33u}) {
    const std::string path = folder.file("aligned.gguf");
    test::GgufBuilder::tiny_llama().set("general.alignment", alignment).write(path);
    EXPECT_NE(refusal([&] { const GgufFile file(path); }).find("is no multiple of 8"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace qaq
