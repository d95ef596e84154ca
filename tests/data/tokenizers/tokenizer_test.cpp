// Token ids and decoded text held against the reference vectors of llama.cpp and of the library
// `tokenizers`; see tests/data/oracle/README.md.
#include "data/tokenizers/tokenizer.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/gguf_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/chat_template.h"
#include "tests/support/model_fixture.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using Ids = std::vector<std::int32_t>;

std::string bytes_of_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

std::shared_ptr<const Tokenizer> tiny_tokenizer() {
  return make_tokenizer(GgufFile(test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf")));
}

TEST(SmolLm2Tokenizer, EveryReferenceVectorGivesItsIdsAndItsText) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const auto tokenizer = make_tokenizer(GgufFile(path));
  const auto vectors = test::test_data_json("oracle/tokenizer_vectors.json").at("vectors");
  ASSERT_EQ(vectors.size(), 258u);
  for (const auto& vector : vectors) {
    SCOPED_TRACE(cat("vector ", vector.at("id").get<int>()));
    const std::string text = bytes_of_hex(vector.at("utf8_hex"));
    const Ids ids = tokenizer->encode(text, true);
    EXPECT_EQ(ids, vector.at("ids_special").get<Ids>());
    EXPECT_EQ(tokenizer->encode(text, false), vector.at("ids_plain").get<Ids>());
    const std::string decoded = vector.at("decoded").is_null()
                                    ? bytes_of_hex(vector.at("decoded_hex"))
                                    : vector.at("decoded").get<std::string>();
    EXPECT_EQ(tokenizer->decode(ids), decoded);
    EXPECT_EQ(tokenizer->decode(ids) == text, vector.at("roundtrip").get<bool>());
  }
}

TEST(SmolLm2Tokenizer, SaysWhatItIs) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const auto tokenizer = make_tokenizer(GgufFile(path));
  EXPECT_EQ(tokenizer->vocab_size(), 49152);
  EXPECT_EQ(tokenizer->beginning_id(), std::nullopt);  // add_bos_token is false
  EXPECT_EQ(tokenizer->kind(), "byte-level-bpe");
  EXPECT_EQ(tokenizer->special_ids().size(), 17u);
  EXPECT_EQ(tokenizer->bytes(2), "<|im_end|>");
  EXPECT_EQ(tokenizer->piece(2), "<|im_end|>");
}

TEST(SmolLm2Tokenizer, ItsChatTemplateIsChatMlWithASystemMessageOfItsOwn) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const auto model = open_model(path);
  const std::string text = render_chat(chat_template_of(*model), {{"user", "Hi"}});
  EXPECT_EQ(text,
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
            "Face<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  // Its marks are tokens, and no beginning token is doubled: there is none to add.
  const auto tokenizer = make_tokenizer(*model);
  EXPECT_EQ(tokenizer->encode(text)[0], 1);
  EXPECT_FALSE(begins_with_beginning(*tokenizer, tokenizer->encode(text)));
}

TEST(TinyTokenizer, EveryReferenceVectorGivesItsIdsAndItsText) {
  const auto vectors =
      test::test_data_json("oracle/tiny_llama/tokenizer_vectors.json").at("vectors");
  ASSERT_EQ(vectors.size(), 55u);
  // The same vocabulary in GGUF metadata and as tokenizer.json, with merges as pairs and as texts.
  for (const char* name : {"tiny_llama-f32.gguf", "tiny_llama-f16.gguf", "", "bf16_sharded"}) {
    const auto tokenizer = open_tokenizer(test::test_data_path(cat("oracle/tiny_llama/", name)));
    for (const auto& vector : vectors) {
      const auto text = vector.at("text").get<std::string>();
      SCOPED_TRACE(cat(name, ": ", text));
      const Ids ids = tokenizer->encode(text);
      EXPECT_EQ(ids, vector.at("ids").get<Ids>());
      EXPECT_EQ(tokenizer->decode(ids), vector.at("decoded").get<std::string>());
    }
  }
}

TEST(TinyTokenizer, DecodingIsTheConcatenationOfTheTokensBytes) {
  const auto tokenizer = tiny_tokenizer();
  const Ids ids = tokenizer->encode("every evening<|stop|> the \xea\xb0\x80");
  std::string joined;
  for (const std::int32_t id : ids) joined += tokenizer->bytes(id);
  EXPECT_EQ(tokenizer->decode(ids), joined);
  EXPECT_EQ(joined, "every evening<|stop|> the \xea\xb0\x80");
}

TEST(TinyTokenizer, PiecesAreValidUtf8AndShowLoneBytes) {
  const auto tokenizer = tiny_tokenizer();
  for (std::int32_t id = 0; id < tokenizer->vocab_size(); ++id) {
    EXPECT_EQ(invalid_utf8_offset(tokenizer->piece(id)), std::nullopt) << id;
  }
  const Ids ids = tokenizer->encode("\xea\xb0\x80");  // a Hangul syllable, no merge
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(tokenizer->piece(ids[0]), "<0xEA>");
  EXPECT_EQ(tokenizer->piece(ids[1]), "<0xB0>");
}

TEST(TinyTokenizer, TheHashDependsOnTheVocabularyAlone) {
  const auto other =
      make_tokenizer(GgufFile(test::test_data_path("oracle/tiny_llama/tiny_llama-f16.gguf")));
  EXPECT_EQ(tiny_tokenizer()->sha256(), other->sha256());
  const auto unlike =
      make_tokenizer(GgufFile(test::test_data_path("badinputs/gguf/ok_minimal.gguf")));
  EXPECT_NE(tiny_tokenizer()->sha256(), unlike->sha256());
  EXPECT_EQ(unlike->sha256().size(), 64u);
}

TEST(TinyTokenizer, TextThatIsNoUtf8IsRefusedWithItsPlace) {
  try {
    tiny_tokenizer()->encode("ab\xff");
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.text().place, "byte 2");
  }
}

TEST(TinyTokenizer, AnIdOutOfRangeIsRefused) {
  const auto tokenizer = tiny_tokenizer();
  EXPECT_THROW(tokenizer->decode({5, 288}), Error);
  EXPECT_THROW(tokenizer->bytes(-1), Error);
}

// Quadratic merging or splitting would take minutes here.
TEST(TinyTokenizer, LongWordsAndLongRunsOfSpacesAreNoTrouble) {
  const auto tokenizer = tiny_tokenizer();
  for (const std::string& text :
       {std::string(1000000, 'e'), std::string(1000000, ' ') + "x", std::string(1000000, '-')}) {
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

}  // namespace
}  // namespace qaq
