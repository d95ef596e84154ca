// SentencePiece models: what is refused before the library sees them, and damage.
#include <gtest/gtest.h>
#include <random>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/json_value.h"
#include "data/tokenizers/sentence_piece_tokenizer.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

std::string good() {
  return read_file(test::test_data_path("tokenizer_files/sentencepiece/tokenizer.model"));
}

std::string refusal(const std::string& bytes) {
  try {
    parse_sentence_piece(bytes, "tokenizer.model");
    return "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
}

TEST(SentencePieceModel, HoldsWhatTheFileSays) {
  const SentencePieceModel model = parse_sentence_piece(good(), "tokenizer.model");
  ASSERT_EQ(model.pieces.size(), 520u);
  EXPECT_EQ(model.pieces[0].text, "<unk>");
  EXPECT_EQ(model.pieces[0].type, SentencePieceModel::Type::unknown);
  EXPECT_EQ(model.pieces[1].text, "<s>");
  EXPECT_EQ(model.pieces[3].text, "<0x00>");
  EXPECT_EQ(model.pieces[3].type, SentencePieceModel::Type::byte);
  EXPECT_LT(model.pieces[300].score, model.pieces[299].score);
  EXPECT_TRUE(model.byte_fallback);
  EXPECT_TRUE(model.add_dummy_prefix);
  EXPECT_FALSE(model.remove_extra_whitespaces);
  EXPECT_EQ(model.beginning, 1);
  // What is written is what is read.
  EXPECT_EQ(parse_sentence_piece(model.serialized(), "").serialized(), model.serialized());
}

// A trainer field (2) with one entry: model type 1, Unigram.
TEST(SentencePieceModel, OtherTypesAndNormalizationAreRefusedByName) {
  EXPECT_NE(refusal(good() + std::string("\x12\x02\x18\x01", 4)).find("Unigram, not BPE"),
            std::string::npos);
  // A normalizer field (3): name "nfkc", rules of one byte.
  EXPECT_NE(refusal(good() + "\x1a\x09\x0a\x04nfkc\x12\x01x").find("'nfkc' is not supported"),
            std::string::npos);
  EXPECT_NE(refusal("{\"model\": 1}").find("tokenizer.model: byte"), std::string::npos);
  EXPECT_NE(refusal("").find("no SentencePiece model"), std::string::npos);
}

TEST(SentencePieceModel, ACutFileIsRefusedAtTheCut) {
  const std::string line = refusal(good().substr(0, 3000));
  EXPECT_NE(line.find("tokenizer.model: byte "), std::string::npos) << line;
  EXPECT_NE(line.find("cut off or damaged"), std::string::npos) << line;
}

// The library would write to standard error and, of some damage, not return.
TEST(SentencePieceModel, DamagedFilesAreTakenOrRefusedInSilence) {
  const std::string bytes = good();
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  int n_refused = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    std::string damaged = bytes;
    for (unsigned n = 1 + static_cast<unsigned>(random() % 4); n > 0; --n) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    try {
      SentencePieceParts parts;
      parts.model = parse_sentence_piece(damaged, "tokenizer.model");
      SentencePieceTokenizer(parts).encode("the light <s> \u00e9", true);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
      ++n_refused;
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_GT(n_refused, 20);
  EXPECT_LT(n_refused, 400);
}

}  // namespace
}  // namespace qaq
