// What a tokenizer.json may say: every step that is not known is refused by name and place, and
// damage is never more than a refusal.
#include <fstream>
#include <gtest/gtest.h>
#include <random>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using Ids = std::vector<std::int32_t>;
using nlohmann::json;

class JsonTokenizerFile : public testing::Test {
 protected:
  std::shared_ptr<const Tokenizer> open(const std::string& text) {
    std::ofstream(folder_.path() / "tokenizer.json", std::ios::binary) << text;
    return open_tokenizer(folder_.path().string());
  }
  std::shared_ptr<const Tokenizer> open(const json& document) { return open(document.dump()); }
  std::string refusal(const json& document) {
    try {
      open(document);
      return "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_FALSE(error.text().cure.empty());
      return error.text().place + ": " + error.text().what;
    }
  }

  // Characters a to c, no bytes; the merges ab, then abc.
  static json tiny() {
    return json::parse(R"({
      "added_tokens": [{"id": 5, "content": "<s>", "special": true}],
      "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4},
                "merges": [["a", "b"], "ab c"]}})");
  }

  test::TemporaryFolder folder_;
};

TEST_F(JsonTokenizerFile, MergesArePairsOrTexts) {
  const auto tokenizer = open(tiny());
  EXPECT_EQ(tokenizer->encode("abcab<s>b"), (Ids{4, 3, 5, 1}));
  EXPECT_EQ(tokenizer->kind(), "bpe");
  EXPECT_EQ(tokenizer->special_ids(), Ids{5});
}

TEST_F(JsonTokenizerFile, UnknownCharactersAreLeftOutOrOneTokenEachOrOneForAll) {
  json document = tiny();
  EXPECT_EQ(open(document)->encode("axyb"), Ids{3});  // as if they were not there
  document["model"]["unk_token"] = "c";
  EXPECT_EQ(open(document)->encode("axyb"), (Ids{0, 2, 2, 1}));
  document["model"]["fuse_unk"] = true;
  EXPECT_EQ(open(document)->encode("axyb"), (Ids{0, 2, 1}));
}

TEST_F(JsonTokenizerFile, ACharacterWithoutATokenIsItsBytes) {
  json document = tiny();
  document["model"]["byte_fallback"] = true;
  document["model"]["unk_token"] = "c";
  document["model"]["vocab"]["<0xC3>"] = 6;
  document["model"]["vocab"]["<0xA9>"] = 7;
  document["decoder"] = {{"type", "ByteFallback"}};
  const auto tokenizer = open(document);
  EXPECT_EQ(tokenizer->encode("a\u00e9b"), (Ids{0, 6, 7, 1}));
  EXPECT_EQ(tokenizer->encode("a\u00eab"), (Ids{0, 2, 1}));  // <0xAA> is no token
  EXPECT_EQ(tokenizer->decode({0, 6, 7}), "a\u00e9");
  EXPECT_EQ(tokenizer->piece(6), "<0xC3>");
}

TEST_F(JsonTokenizerFile, UnknownStepsAreRefusedByName) {
  const auto with = [](const char* part, const char* text) {
    json document = tiny();
    document[part] = json::parse(text);
    return document;
  };
  EXPECT_EQ(refusal(with("normalizer", R"({"type": "Lowercase"})")),
            "normalizer: the normalizer 'Lowercase' is unknown");
  EXPECT_EQ(refusal(with("normalizer", R"({"type": "Sequence", "normalizers":
                                           [{"type": "NFC"}, {"type": "Precompiled"}]})")),
            "normalizer.normalizers[1]: the normalizer 'Precompiled' is unknown");
  EXPECT_EQ(refusal(with("pre_tokenizer", R"({"type": "BertPreTokenizer"})")),
            "pre_tokenizer: the pre-tokenizer 'BertPreTokenizer' is unknown");
  EXPECT_EQ(refusal(with("decoder", R"({"type": "WordPiece"})")),
            "decoder: the decoder 'WordPiece' is unknown");
  EXPECT_EQ(refusal(with("decoder", R"({"type": "Strip", "content": " ", "start": 1, "stop": 0})")),
            "decoder: a Strip before Fuse is not supported");
  EXPECT_EQ(refusal(with("post_processor", R"({"type": "BertProcessing"})")),
            "post_processor: the post-processor 'BertProcessing' is unknown");
  EXPECT_EQ(
      refusal(with("pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "\\bx"},
                                              "behavior": "Isolated"})")),
      "pre_tokenizer.pattern.Regex: the regular expression uses '\\b', which is not supported "
      "(byte 0 of the pattern)");
  EXPECT_EQ(refusal(with("pre_tokenizer", R"({"type": "Split", "pattern": {"String": "x"},
                                              "behavior": "Sideways"})")),
            "pre_tokenizer.behavior: the behavior 'Sideways' is unknown");
}

TEST_F(JsonTokenizerFile, AModelThatCannotBeIsRefusedWithItsPlace) {
  const auto with = [](const char* patch) {
    json document = tiny();
    document["model"].merge_patch(json::parse(patch));
    return document;
  };
  EXPECT_EQ(refusal(with(R"({"type": "WordPiece"})")),
            "model: the tokenizer model 'WordPiece' is not supported");
  EXPECT_EQ(refusal(with(R"({"dropout": 0.1})")), "model.dropout: dropout is not supported");
  EXPECT_EQ(refusal(with(R"({"merges": [["a", "x"]]})")),
            "model.merges: merge 0 ('a' and 'x'): 'x' is no token");
  EXPECT_EQ(refusal(with(R"({"merges": [["b", "c"]]})")),
            "model.merges: merge 0 ('b' and 'c'): 'bc' is no token");
  EXPECT_EQ(refusal(with(R"({"merges": ["a b c"]})")),
            "model.merges: merge 0 is no pair of texts: \"a b c\"");
  EXPECT_EQ(refusal(with(R"({"vocab": {"d": 1}})")), "model.vocab: 'b' and 'd' have the same id 1");
  EXPECT_EQ(refusal(with(R"({"vocab": {"d": 4000000000}})")),
            "model.vocab: the id 4000000000 of 'd' is out of range");
  EXPECT_EQ(refusal(with(R"({"unk_token": "<unk>"})")), "model.unk_token: '<unk>' is no token");
  json document = tiny();
  document["added_tokens"][0]["content"] = "a";
  EXPECT_EQ(refusal(document), "added_tokens[0]: 'a' has the id 5, but 0 in the vocabulary");
}

TEST_F(JsonTokenizerFile, StepsNestedWithoutEndAreRefused) {
  json part = {{"type", "NFC"}};
  for (int i = 0; i < 1000; ++i) part = {{"type", "Sequence"}, {"normalizers", {part}}};
  json document = tiny();
  document["normalizer"] = part;
  EXPECT_NE(refusal(document).find("nested more than 8 deep"), std::string::npos);
}

TEST_F(JsonTokenizerFile, TextThatIsNoJsonIsRefusedWithLineAndColumn) {
  try {
    open(std::string("{\n  \"model\": {,}\n}"));
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.text().place, "line 2, column 13");
  }
}

// Values of every place replaced by others, one at a time: taken or refused, and nothing else.
TEST_F(JsonTokenizerFile, AnyValueInAnyPlaceIsTakenOrRefused) {
  const json good = test::test_data_json("tokenizer_files/llama3/tokenizer.json");
  json small = good;
  small["model"]["merges"] = json::array({json::array({"a", "t"})});
  small["model"]["vocab"] = {{"a", 2}, {"t", 3}, {"at", 4}};
  const json places = small.flatten();
  const json values =
      json::parse(R"([null, true, -1, 1e300, "", "x", [], {}, [[]], [{"type": "x"}]])");
  int n_refused = 0;
  for (const auto& place : places.items()) {
    for (const json& value : values) {
      json document = small;
      document[json::json_pointer(place.key())] = value;
      try {
        open(document)->encode("at <|eot_id|> x");
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        ++n_refused;
      }
    }
  }
  EXPECT_GT(n_refused, 200);
}

}  // namespace
}  // namespace qaq
