#include "core/base/sha256.h"

#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

// Vectors of FIPS 180-4 and NIST's examples.
TEST(Sha256, GivesTheStandardsDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                       "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Lengths around a block and around the room that the length field needs.
TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  for (std::size_t n = 0; n <= 200; ++n) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) text += static_cast<char>(i * 7 + 1);
    const std::string whole = sha256_hex(text);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{64}}) {
      Sha256 hash;
      for (std::size_t at = 0; at < n; at += piece)
        hash.update(std::string_view(text).substr(at, piece));
      EXPECT_EQ(hash.finish(), whole) << n << " bytes in pieces of " << piece;
    }
  }
}

TEST(Sha256, OfAFile) {
  const test::TemporaryFolder folder;
  const std::string path = (folder.path() / "a").string();
  std::ofstream(path) << std::string(3000000, 'a');
  EXPECT_EQ(sha256_of_file(path), sha256_hex(std::string(3000000, 'a')));
  EXPECT_THROW(sha256_of_file(path + "-not-there"), Error);
}

}  // namespace
}  // namespace qaq
