#include "core/base/shell.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

TEST(ShellWord, StaysPlainWhereThatIsSafe) {
  EXPECT_EQ(shell_word("key.level=head"), "key.level=head");
  EXPECT_EQ(shell_word("0-3,14"), "0-3,14");
}

TEST(ShellWord, IsQuotedWhereAShellWouldReadIt) {
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("two words"), "'two words'");
  EXPECT_EQ(shell_word("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace qaq
