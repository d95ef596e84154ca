// Where a tokenizer is found, and what the files beside it say.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "data/models/gguf_file.h"
#include "data/tokenizers/tokenizer.h"
#include "data/tokenizers/tokenizer_config.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

using test::refusal;

bool says(const std::string& line, const std::string& words) {
  return line.find(words) != std::string::npos;
}

class OpenTokenizer : public testing::Test {
 protected:
  void copy(const std::string& name) {
    fs::copy_file(test::test_data_path("tokenizer_files/" + name),
                  folder_.path() / fs::path(name).filename(), fs::copy_options::overwrite_existing);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  std::string folder() const { return folder_.path().string(); }

  test::TemporaryFolder folder_;
};

TEST_F(OpenTokenizer, AFolderOrAnyFileInIt) {
  copy("llama2/tokenizer.json");
  copy("sentencepiece/tokenizer.model");
  write("model.safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10));
  const std::string expected = open_tokenizer(folder())->sha256();
  for (const char* name : {"tokenizer.json", "tokenizer.model", "model.safetensors"}) {
    EXPECT_EQ(open_tokenizer(folder_.file(name))->sha256(), expected) << name;
  }
  EXPECT_EQ(open_tokenizer(folder())->kind(), "bpe");  // tokenizer.json goes first
  fs::remove(folder_.path() / "tokenizer.json");
  EXPECT_EQ(open_tokenizer(folder())->kind(), "sentencepiece-bpe");
}

TEST_F(OpenTokenizer, AGgufFileWhateverItsName) {
  fs::copy_file(test::test_data_path("tokenizer_files/llama3/tokenizer.gguf"),
                folder_.path() / "weights.bin");
  EXPECT_EQ(open_tokenizer(folder_.file("weights.bin"))->kind(), "byte-level-bpe");
}

TEST_F(OpenTokenizer, WhatIsMissingIsNamedWithTheCure) {
  EXPECT_TRUE(says(refusal([&] { open_tokenizer(folder()); }),
                   "neither tokenizer.json nor tokenizer.model; download the model's tokenizer"));
  EXPECT_TRUE(says(refusal([&] { open_tokenizer(folder_.file("no")); }), "cannot be opened"));
  write("page.gguf", "<html>");
  EXPECT_TRUE(says(refusal([&] { open_tokenizer(folder_.file("page.gguf")); }), "web page"));
}

TEST_F(OpenTokenizer, TheTemplateOrTheConfigSaysWhetherThereIsABeginningToken) {
  copy("llama3/tokenizer.json");  // its template has <|begin_of_text|>, token 0
  EXPECT_EQ(open_tokenizer(folder())->beginning_id(), 0);
  write("tokenizer_config.json", R"({"add_bos_token": false})");
  EXPECT_EQ(open_tokenizer(folder())->beginning_id(), std::nullopt);
  write("tokenizer_config.json", R"({"add_bos_token": true, "bos_token": "<|eot_id|>"})");
  EXPECT_EQ(open_tokenizer(folder())->beginning_id(), 1);
  write("tokenizer_config.json", R"({"add_bos_token": true, "bos_token": "<none>"})");
  EXPECT_TRUE(says(refusal([&] { open_tokenizer(folder()); }), "'<none>', which is no token"));
  copy("smollm/tokenizer.json");  // has no template
  fs::remove(folder_.path() / "tokenizer_config.json");
  EXPECT_EQ(open_tokenizer(folder())->beginning_id(), std::nullopt);
}

TEST_F(OpenTokenizer, SentencePieceAddsItsBeginningTokenUnlessToldNotTo) {
  copy("sentencepiece/tokenizer.model");
  EXPECT_EQ(open_tokenizer(folder())->beginning_id(), 1);
  write("tokenizer_config.json", R"({"add_bos_token": false, "bos_token": "<s>"})");
  EXPECT_EQ(open_tokenizer(folder())->beginning_id(), std::nullopt);
}

TEST_F(OpenTokenizer, TokensAddedToSentencePieceComeAfterItsPieces) {
  copy("sentencepiece/tokenizer.model");
  write("added_tokens.json", R"({"<|im_start|>": 520, "<|im_end|>": 521})");
  write("tokenizer_config.json",
        R"({"added_tokens_decoder": {"1": {"content": "<s>", "special": true},
                                     "520": {"content": "<|im_start|>", "special": true},
                                     "522": {"content": "word", "special": false}}})");
  const auto tokenizer = open_tokenizer(folder());
  EXPECT_EQ(tokenizer->vocab_size(), 523);
  EXPECT_EQ(tokenizer->encode("<|im_start|><|im_end|>word<s>"), (Ids{520, 521, 522, 1}));
  EXPECT_EQ(tokenizer->decode({520, 522}), "<|im_start|>word");
  EXPECT_EQ(tokenizer->encode("<|im_start|>", false)[0],
            open_tokenizer(test::test_data_path("tokenizer_files/sentencepiece/tokenizer.model"))
                ->encode("<|im_start|>")[0]);
  write("added_tokens.json", R"({"gap": 540})");
  EXPECT_TRUE(says(refusal([&] { open_tokenizer(folder()); }), "token 521 is missing"));
  write("added_tokens.json", R"({"other": 2})");
  EXPECT_TRUE(says(refusal([&] { open_tokenizer(folder()); }), "token 2 is '</s>'"));
}

TEST_F(OpenTokenizer, TheConfigHoldsTheChatTemplateInOneOfThreeForms) {
  write("tokenizer_config.json", R"({"chat_template": "one", "bos_token": {"content": "<s>"}})");
  EXPECT_EQ(read_tokenizer_config(folder()).chat_template, "one");
  EXPECT_EQ(read_tokenizer_config(folder()).beginning, "<s>");
  write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "two"},
                                                       {"name": "default", "template": "three"}]})");
  EXPECT_EQ(read_tokenizer_config(folder()).chat_template, "three");
  write("chat_template.jinja", "four\n");
  EXPECT_EQ(read_tokenizer_config(folder()).chat_template, "four\n");
}

TEST_F(OpenTokenizer, GgufSaysWhetherThereIsABeginningTokenOrItsKindDoes) {
  const auto beginning = [](const std::string& name) {
    return open_tokenizer(test::test_data_path("tokenizer_files/" + name))->beginning_id();
  };
  EXPECT_EQ(beginning("llama3/tokenizer.gguf"), 0);         // llama-bpe adds one
  EXPECT_EQ(beginning("sentencepiece/tokenizer.gguf"), 1);  // so does llama
  EXPECT_EQ(beginning("qwen2/tokenizer.gguf"), std::nullopt);
}

TEST_F(OpenTokenizer, ALaterPartOfASplitGgufNamesTheFirst) {
  test::GgufBuilder builder;
  const std::string part = folder_.file("m-00002-of-00003.gguf");
  builder.set("split.no", 1u).set("split.count", 3u).write(part);
  EXPECT_TRUE(says(refusal([&] { make_tokenizer(GgufFile(part)); }), "m-00001-of-00003.gguf"));
}

TEST(BeginningToken, IsNoticedWhereTheTextHasItAlready) {
  const auto tokenizer = open_tokenizer(test::test_data_path("tokenizer_files/llama3"));
  EXPECT_TRUE(begins_with_beginning(*tokenizer, tokenizer->encode("<|begin_of_text|>a")));
  EXPECT_FALSE(begins_with_beginning(*tokenizer, tokenizer->encode("a<|begin_of_text|>")));
  EXPECT_FALSE(begins_with_beginning(*tokenizer, {}));
  const auto without = open_tokenizer(test::test_data_path("tokenizer_files/smollm"));
  EXPECT_FALSE(begins_with_beginning(*without, {0}));
}

}  // namespace
}  // namespace qaq
