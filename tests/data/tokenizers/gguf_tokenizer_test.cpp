// What GGUF metadata may say about a tokenizer, and damage to it.
#include <fstream>
#include <gtest/gtest.h>
#include <random>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/gguf_file.h"
#include "data/tokenizers/json_value.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using test::GgufBuilder;
using Texts = std::vector<std::string>;

class GgufTokenizer : public testing::Test {
 protected:
  std::string refusal(const GgufBuilder& builder) {
    builder.write(folder_.file("m.gguf"));
    try {
      make_tokenizer(GgufFile(folder_.file("m.gguf")));
      return "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_FALSE(error.text().cure.empty());
      return error.text().place + ": " + error.text().what;
    }
  }
  static GgufBuilder with(const std::string& model) {
    return GgufBuilder()
        .set("tokenizer.ggml.model", model)
        .set("tokenizer.ggml.pre", std::string("llama-bpe"))
        .set("tokenizer.ggml.tokens", Texts{"<unk>", "a"})
        .set("tokenizer.ggml.merges", Texts{});
  }

  test::TemporaryFolder folder_;
};

TEST_F(GgufTokenizer, AnotherKindIsRefusedByName) {
  EXPECT_EQ(refusal(with("bert")), "tokenizer.ggml.model: the tokenizer 'bert' is not read");
}

TEST_F(GgufTokenizer, SentencePieceNeedsAScoreForEachToken) {
  EXPECT_EQ(refusal(with("llama")), "tokenizer.ggml.scores: the key is missing");
  EXPECT_EQ(refusal(with("llama").set("tokenizer.ggml.scores", std::vector<std::int32_t>{0, 0})),
            "tokenizer.ggml.scores: is no array of f32");
}

TEST_F(GgufTokenizer, ABeginningTokenIsOneOfTheTokens) {
  EXPECT_EQ(refusal(with("gpt2").set("tokenizer.ggml.bos_token_id", 2u)),
            "tokenizer.ggml.bos_token_id: 2 is out of range: the vocabulary has 2 tokens");
  EXPECT_EQ(refusal(with("gpt2").set("tokenizer.ggml.bos_token_id", 1u)), "taken");
  EXPECT_EQ(refusal(with("gpt2").set("tokenizer.ggml.add_bos_token", true)),
            "tokenizer.ggml.bos_token_id: the key is missing");
}

TEST_F(GgufTokenizer, DamagedFilesAreTakenOrRefused) {
  for (const char* name : {"llama3", "sentencepiece"}) {
    const std::string good =
        read_file(test::test_data_path(cat("tokenizer_files/", name, "/tokenizer.gguf")));
    const std::string path = folder_.file("damaged.gguf");
    int n_refused = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
      std::mt19937 random(seed);
      std::string damaged = good;
      for (unsigned n = 1 + static_cast<unsigned>(random() % 4); n > 0; --n) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      std::ofstream(path, std::ios::binary) << damaged;
      try {
        make_tokenizer(GgufFile(path))->encode("the light <s> \u00e9");
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        ++n_refused;
      }
    }
    EXPECT_GT(n_refused, 20) << name;
    EXPECT_LT(n_refused, 300) << name;
  }
}

}  // namespace
}  // namespace qaq
