#include "core/base/text.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace qaq {
namespace {

TEST(Cat, WritesOneAfterTheOtherWithoutSeparators) {
  EXPECT_EQ(cat("a", 1, ' ', 2.5, std::string("b")), "a1 2.5b");
  EXPECT_EQ(cat(1234567), "1234567");
}

TEST(InvalidUtf8Offset, FindsNothingInValidText) {
  for (const char* text :
       {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xea\xb0\x80z"}) {
    EXPECT_EQ(invalid_utf8_offset(text), std::nullopt) << text;
  }
  EXPECT_EQ(invalid_utf8_offset(std::string_view("\0", 1)), std::nullopt);
}

TEST(InvalidUtf8Offset, FindsTheFirstBadCharacter) {
  EXPECT_EQ(invalid_utf8_offset("ab\xff"), 2u);
  EXPECT_EQ(invalid_utf8_offset("\x80"), 0u);              // a continuation without a lead
  EXPECT_EQ(invalid_utf8_offset("ok\xe2\x82"), 2u);        // cut off
  EXPECT_EQ(invalid_utf8_offset("\xe2\x82z"), 0u);         // broken off
  EXPECT_EQ(invalid_utf8_offset("\xc0\x80"), 0u);          // overlong
  EXPECT_EQ(invalid_utf8_offset("\xe0\x9f\xbf"), 0u);      // overlong
  EXPECT_EQ(invalid_utf8_offset("\xf0\x8f\xbf\xbf"), 0u);  // overlong
  EXPECT_EQ(invalid_utf8_offset("\xed\xa0\x80"), 0u);      // a surrogate
  EXPECT_EQ(invalid_utf8_offset("\xf4\x90\x80\x80"), 0u);  // above U+10FFFF
  EXPECT_EQ(invalid_utf8_offset("\xf5\x80\x80\x80"), 0u);
}

TEST(NearestName, TakesTheLeastEditsIfFew) {
  const std::vector<std::string> names{"level", "n_bits_min", "n_bits_max", "q_norm"};
  EXPECT_EQ(nearest_name("levl", names), "level");
  EXPECT_EQ(nearest_name("n_bit_max", names), "n_bits_max");
  EXPECT_EQ(nearest_name("q_norm", names), "q_norm");
  EXPECT_EQ(nearest_name("temperature", names), std::nullopt);
  EXPECT_EQ(nearest_name("x", {}), std::nullopt);
}

TEST(NumberText, ReadsBackAsTheSameDouble) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(3), "3");
  EXPECT_EQ(number_text(-0.25), "-0.25");
  for (const double x : {1.0 / 3, 1e300, 5e-324, 123456789.123})
    EXPECT_EQ(std::strtod(number_text(x).c_str(), nullptr), x);
}

TEST(FixedText, HasSoManyDecimals) {
  EXPECT_EQ(fixed_text(2.0 / 3, 3), "0.667");
  EXPECT_EQ(fixed_text(-0.5, 0), "-0");  // half to even, as printf
  EXPECT_EQ(fixed_text(1e308, 1).size(), 311u);
}

TEST(ShortText, HasSoManyDigitsInAll) {
  EXPECT_EQ(short_text(1234567), "1.235e+06");
  EXPECT_EQ(short_text(0.25), "0.25");
  EXPECT_EQ(short_text(2.0 / 3, 2), "0.67");
}

TEST(ByteText, UsesDecimalUnitsAndThreeDigits) {
  EXPECT_EQ(byte_text(0), "0 B");
  EXPECT_EQ(byte_text(999), "999 B");
  EXPECT_EQ(byte_text(1000), "1.00 kB");
  EXPECT_EQ(byte_text(98362432), "98.4 MB");
  EXPECT_EQ(byte_text(999499), "999 kB");
  EXPECT_EQ(byte_text(999500), "1.00 MB");
  EXPECT_EQ(byte_text(9995000), "10.0 MB");
  EXPECT_EQ(byte_text(2100000000), "2.10 GB");
}

}  // namespace
}  // namespace qaq
