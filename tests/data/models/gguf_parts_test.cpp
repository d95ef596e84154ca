// GGUF models in several files.
#include "data/models/gguf_parts.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "data/models/model_file.h"
#include "data/models/model_listing.h"
#include "tests/data/models/decode_all.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using test::GgufBuilder;

// The tiny model with its second layer's norms in a second and third file.
class GgufPartsTest : public testing::Test {
 protected:
  GgufPartsTest() {
    GgufBuilder first = GgufBuilder::tiny_llama();
    first.erase_tensor("blk.1.attn_norm.weight").erase_tensor("blk.1.ffn_norm.weight");
    write(0, first.set("split.tensors.count", 20u));
    write(1, GgufBuilder().tensor("blk.1.attn_norm.weight", {24}));
    write(2, GgufBuilder().tensor("blk.1.ffn_norm.weight", {24}));
  }

  std::string path(std::uint32_t no) const {
    return folder_.file("tiny-0000" + std::to_string(no + 1) + "-of-00003.gguf");
  }
  void write(std::uint32_t no, GgufBuilder builder) {
    builder.set("split.no", no).set("split.count", 3u).write(path(no));
  }
  std::string refusal(const std::string& file) {
    try {
      open_model(file);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_FALSE(error.text().cure.empty());
      return error.what();
    }
    return "taken";
  }
  void expect_says(const std::string& line, const std::string& words) {
    EXPECT_NE(line.find(words), std::string::npos) << line << "\nlacks: " << words;
  }

  test::TemporaryFolder folder_;
};

TEST_F(GgufPartsTest, AnyPartOpensAll) {
  for (const std::uint32_t no : {0u, 1u, 2u}) {
    SCOPED_TRACE(no);
    const auto model = open_model(path(no));
    EXPECT_EQ(model->file(), path(no));
    EXPECT_EQ(model->gguf()->file(), path(0)) << "the part with the tokenizer";
    EXPECT_EQ(model->spec().shape.n_layers, 2);
    EXPECT_EQ(model->weight(WeightRole::attention_norm, 1).name, "blk.1.attn_norm.weight");
    test::decode_all_weights(*model);
  }
}

TEST_F(GgufPartsTest, AreListedTogether) {
  const ModelListing listing = list_model(path(1));
  EXPECT_EQ(listing.format, "GGUF version 3, 3 files");
  EXPECT_EQ(listing.files, (std::vector<std::string>{path(0), path(1), path(2)}));
  EXPECT_EQ(listing.tensors.size(), 20u);
  EXPECT_TRUE(listing.spec.has_value()) << listing.refusal;
}

TEST_F(GgufPartsTest, TheHashIsThatOfTheirHashes) {
  EXPECT_EQ(
      open_model(path(2))->sha256(),
      sha256_hex(sha256_of_file(path(0)) + sha256_of_file(path(1)) + sha256_of_file(path(2))));
}

TEST_F(GgufPartsTest, AMissingPartIsNamed) {
  std::filesystem::remove(path(1));
  expect_says(refusal(path(0)), "tiny-00002-of-00003.gguf: part 2 of 3 is missing");
  expect_says(refusal(path(2)), "tiny-00002-of-00003.gguf: part 2 of 3 is missing");
}

TEST_F(GgufPartsTest, PartsAreToldByTheirNumbersNotOnlyTheirNames) {
  std::filesystem::copy_file(path(1), path(2), std::filesystem::copy_options::overwrite_existing);
  expect_says(refusal(path(0)), "split.no: the file is no part 3 of 3");
  std::filesystem::rename(path(0), folder_.file("tiny.gguf"));
  expect_says(refusal(folder_.file("tiny.gguf")), "does not end in -00001-of-00003.gguf");
}

TEST_F(GgufPartsTest, TheCountOfTensorsIsHeld) {
  write(2, GgufBuilder().tensor("blk.1.ffn_norm.weight", {24}).tensor("more.weight", {24}));
  expect_says(refusal(path(0)), "split.tensors.count: the parts hold 21 tensors instead of 20");
  write(1, GgufBuilder().tensor("blk.1.attn_norm.weight", {24}));
  write(2, GgufBuilder().tensor("blk.1.attn_norm.weight", {24}));
  expect_says(refusal(path(0)), "blk.1.attn_norm.weight: two tensors have this name");
}

TEST_F(GgufPartsTest, NumbersOutOfRangeAreRefused) {
  GgufBuilder().set("split.no", 3u).set("split.count", 3u).write(folder_.file("a.gguf"));
  expect_says(refusal(folder_.file("a.gguf")), "split.no: part 3 of 3 is out of range");
  GgufBuilder().set("split.no", 3u).set("split.count", 4000000000u).write(folder_.file("b.gguf"));
  expect_says(refusal(folder_.file("b.gguf")), "split.no: part 3 of 4000000000 is out of range");
}

}  // namespace
}  // namespace qaq
