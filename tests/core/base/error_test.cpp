#include "core/base/error.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

std::string line(ErrorText text) { return Error(ErrorKind::input, std::move(text)).what(); }

TEST(Error, IsOneLineOfFilePlaceWhatAndCure) {
  EXPECT_EQ(
      line({.file = "m.gguf", .place = "byte 8", .what = "too short", .cure = "get it again"}),
      "m.gguf: byte 8: too short; get it again");
}

TEST(Error, EmptyPartsAreLeftOut) {
  EXPECT_EQ(line({.what = "interrupted"}), "interrupted");
  EXPECT_EQ(line({.file = "m.gguf", .what = "too short"}), "m.gguf: too short");
  EXPECT_EQ(line({.place = "--set", .cure = "write name=value"}), "--set; write name=value");
  EXPECT_EQ(line({.cure = "write name=value"}), "write name=value");
}

TEST(Error, StaysOneLineWhateverTheFileHolds) {
  EXPECT_EQ(line({.place = "a\nb\x1b[31m\x7f", .what = "odd\tkey"}),
            R"(a\x0ab\x1b[31m\x7f: odd\x09key)");
  EXPECT_EQ(line({.file = "\xe6\xa8\xa1\xe5\x9e\x8b.gguf", .what = "no"}),
            "\xe6\xa8\xa1\xe5\x9e\x8b.gguf: no");
}

TEST(Error, AFileIsAddedOnlyWhereThereIsNone) {
  const Error bare(ErrorKind::input, {.place = "blk.0", .what = "holds a NaN"});
  const Error named = bare.with_file("m.gguf");
  EXPECT_STREQ(named.what(), "m.gguf: blk.0: holds a NaN");
  EXPECT_STREQ(named.with_file("other.gguf").what(), "m.gguf: blk.0: holds a NaN");
  EXPECT_EQ(named.kind(), ErrorKind::input);
}

TEST(Error, KindsAreTheExitCodes) {
  EXPECT_EQ(static_cast<int>(ErrorKind::work), 1);
  EXPECT_EQ(static_cast<int>(ErrorKind::usage), 2);
  EXPECT_EQ(static_cast<int>(ErrorKind::input), 3);
}

TEST(Error, RefusingThrowsTheKindOfItsName) {
  try {
    refuse_input({.what = "x"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
  try {
    refuse_usage({.what = "x"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  }
}

}  // namespace
}  // namespace qaq
