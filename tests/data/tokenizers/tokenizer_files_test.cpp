// Small tokenizers in the style of model families, held against what the libraries `tokenizers`,
// `sentencepiece` and llama.cpp make of hard texts. To add one: tests/data/tokenizer_files/make.py.
#include <filesystem>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/stream_decoder.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/data/tokenizers/random_text.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using Ids = std::vector<std::int32_t>;
using nlohmann::json;

struct Case {
  std::string folder;
  std::string file;     ///< what is opened; empty: the folder
  std::string vectors;  ///< the references beside it
};

const Case kCases[] = {
    {"llama2", "", "vectors.json"},
    {"llama2_metaspace", "", "vectors.json"},
    {"llama3", "", "vectors.json"},
    {"llama3", "tokenizer.gguf", "gguf_vectors.json"},
    {"qwen2", "", "vectors.json"},
    {"qwen2", "tokenizer.gguf", "gguf_vectors.json"},
    {"tekken", "", "vectors.json"},
    {"tekken", "tokenizer.gguf", "gguf_vectors.json"},
    {"smollm", "", "vectors.json"},
    {"smollm", "tokenizer.gguf", "gguf_vectors.json"},
    {"added", "", "vectors.json"},
    {"sentencepiece", "", "vectors.json"},
    {"sentencepiece", "tokenizer.gguf", "gguf_vectors.json"},
};

class TokenizerFile : public testing::TestWithParam<Case> {
 protected:
  std::string path(const std::string& name) const {
    return test::test_data_path("tokenizer_files/" + GetParam().folder + "/" + name);
  }
  std::shared_ptr<const Tokenizer> tokenizer() const {
    return open_tokenizer(path(GetParam().file));
  }
  json vectors(const std::string& name) const {
    return test::test_data_json("tokenizer_files/" + GetParam().folder + "/" + name);
  }
  static std::vector<std::string> texts() {
    return test::test_data_json("tokenizer_files/texts.json").get<std::vector<std::string>>();
  }
};

TEST_P(TokenizerFile, GivesTheIdsOfTheReference) {
  const auto tokenizer = this->tokenizer();
  const json vectors = this->vectors(GetParam().vectors);
  const auto texts = this->texts();
  ASSERT_GE(texts.size(), 269u);
  // The SentencePiece library itself knows no special tokens in a text.
  for (std::size_t i = 0; i < texts.size(); ++i) {
    SCOPED_TRACE(cat("text ", i, ": ", json(texts[i]).dump()));
    EXPECT_EQ(tokenizer->encode(texts[i], false), vectors.at("ids_plain").at(i).get<Ids>());
    if (!vectors.contains("ids")) continue;
    EXPECT_EQ(tokenizer->encode(texts[i], true), vectors.at("ids").at(i).get<Ids>());
  }
}

TEST_P(TokenizerFile, DecodesAsTheReference) {
  const auto tokenizer = this->tokenizer();
  const json vectors = this->vectors("vectors.json");  // llama.cpp has the same vocabulary
  const json& all_ids = vectors.at(vectors.contains("ids") ? "ids" : "ids_plain");
  for (std::size_t i = 0; i < all_ids.size(); ++i) {
    SCOPED_TRACE(cat("text ", i));
    EXPECT_EQ(tokenizer->decode(all_ids.at(i).get<Ids>()), vectors.at("decoded").at(i));
  }
}

TEST_P(TokenizerFile, StreamedTextIsTheDecodedText) {
  const auto tokenizer = this->tokenizer();
  for (const std::string& text : texts()) {
    const Ids ids = tokenizer->encode(text);
    StreamDecoder stream(*tokenizer);
    std::string joined;
    for (const std::int32_t id : ids) {
      const std::string more = stream.push(id);
      EXPECT_EQ(invalid_utf8_offset(more), std::nullopt);
      joined += more;
    }
    EXPECT_EQ(joined + stream.finish(), tokenizer->decode(ids));
  }
}

TEST_P(TokenizerFile, EveryIdHasAPieceOfValidUtf8) {
  const auto tokenizer = this->tokenizer();
  for (std::int32_t id = 0; id < tokenizer->vocab_size(); ++id) {
    EXPECT_EQ(invalid_utf8_offset(tokenizer->piece(id)), std::nullopt) << id;
  }
  EXPECT_EQ(tokenizer->sha256().size(), 64u);
}

TEST_P(TokenizerFile, TextThatIsNoUtf8IsRefusedWithItsPlace) {
  for (const char* text : {"ab\xff", "ab\xed\xa0\x80", "ab\xc0\x80", "ab\xe0\x80"}) {
    try {
      tokenizer()->encode(text);
      FAIL() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_EQ(error.text().place, "byte 2");
    }
  }
}

TEST_P(TokenizerFile, LongTextsAreNoTrouble) {
  const auto tokenizer = this->tokenizer();
  const std::size_t n = 200000;
  for (const std::string& text :
       {std::string(n, 'e'), "x" + std::string(n, ' ') + "x", std::string(n, 'A'),
        std::string(n, '-'), std::string(n, '\n'), std::string(n, '<')}) {
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.folder + (info.param.file.empty() ? "" : "_gguf");
}

INSTANTIATE_TEST_SUITE_P(Families, TokenizerFile, testing::ValuesIn(kCases), case_name);

// What text comes back as. Byte-level BPE gives every text back; NFC makes canonically equal text
// of it; SentencePiece writes spaces as U+2581 and cannot tell the two apart; Metaspace puts a
// space in front only where there is none.
TEST(RoundTrip, ByteLevelBpeGivesEveryTextBack) {
  for (const char* path :
       {"llama3", "tekken", "smollm", "llama3/tokenizer.gguf", "qwen2/tokenizer.gguf",
        "tekken/tokenizer.gguf", "smollm/tokenizer.gguf"}) {
    const auto tokenizer = open_tokenizer(test::test_data_path(cat("tokenizer_files/", path)));
    for (unsigned seed = 0; seed < 300; ++seed) {
      const std::string text = test::random_text(seed);
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text) << path << ", seed " << seed;
    }
  }
}

TEST(RoundTrip, SentencePieceGivesEveryTextBackButItsOwnSpace) {
  for (const char* path : {"llama2", "sentencepiece", "sentencepiece/tokenizer.gguf"}) {
    const auto tokenizer = open_tokenizer(test::test_data_path(cat("tokenizer_files/", path)));
    for (unsigned seed = 0; seed < 300; ++seed) {
      std::string text = test::random_text(seed);
      for (std::size_t at; (at = text.find("\u2581")) != std::string::npos;)
        text.replace(at, 3, " ");
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, false)), text)
          << path << ", seed " << seed;
    }
  }
}

TEST(RoundTrip, WhatNfcMakesOfATextStaysAsItIs) {
  const auto tokenizer = open_tokenizer(test::test_data_path("tokenizer_files/qwen2"));
  for (unsigned seed = 0; seed < 300; ++seed) {
    const Ids ids = tokenizer->encode(test::random_text(seed));
    EXPECT_EQ(tokenizer->encode(tokenizer->decode(ids)), ids) << "seed " << seed;
  }
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("e\u0301")), "\u00e9");
}

}  // namespace
}  // namespace qaq
