#include "data/tokenizers/stream_decoder.h"

#include <gtest/gtest.h>

#include "data/tokenizers/token_table.h"

namespace qaq {
namespace {

// Tokens that are the bytes they are made of, and no way to encode.
class Spelled final : public TableTokenizer {
 public:
  explicit Spelled(std::vector<std::string> bytes, bool drops_leading_space = false)
      : TableTokenizer({std::move(bytes), {}, drops_leading_space, {}, "", ""}) {}
  std::vector<std::int32_t> encode(std::string_view, bool) const override { return {}; }
};

TEST(StreamDecoder, ACharacterComesOutWhenItIsWhole) {
  const Spelled tokenizer({"a\xf0", "\x9f\x99", "\x82z"});
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(0), "a");
  EXPECT_EQ(stream.push(1), "");
  EXPECT_EQ(stream.push(2), "\U0001f642z");
  EXPECT_EQ(stream.finish(), "");
}

TEST(StreamDecoder, BytesOfNoCharacterAreReplaced) {
  // A lone continuation, an overlong form, a surrogate, a lead that another character follows.
  const Spelled tokenizer({"\x80", "\xc0\x80", "\xed\xa0\x80", "\xe2", "x", "\xf4\x90"});
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(0), "\ufffd");
  EXPECT_EQ(stream.push(1), "\ufffd\ufffd");
  EXPECT_EQ(stream.push(2), "\ufffd\ufffd\ufffd");
  EXPECT_EQ(stream.push(3), "");
  EXPECT_EQ(stream.push(4), "\ufffdx");
  EXPECT_EQ(stream.push(5), "\ufffd\ufffd");
}

TEST(StreamDecoder, WhatIsHeldBackAtTheEndIsReplaced) {
  const Spelled tokenizer({"\xf0\x9f"});
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(0), "");
  EXPECT_EQ(stream.finish(), "\ufffd\ufffd");
  EXPECT_EQ(stream.finish(), "");
}

TEST(StreamDecoder, TheSpaceInFrontOfATextIsLeftOutOnce) {
  const Spelled tokenizer({" a", "", " b"}, true);
  StreamDecoder from_beginning(tokenizer);
  EXPECT_EQ(from_beginning.push(1), "");  // an empty token begins nothing
  EXPECT_EQ(from_beginning.push(0), "a");
  EXPECT_EQ(from_beginning.push(2), " b");
  StreamDecoder going_on(tokenizer, false);
  EXPECT_EQ(going_on.push(0), " a");
}

}  // namespace
}  // namespace qaq
