// What several threads pack is, byte for byte, what the library's own filters make.
#include "data/capture/h5_packed.h"

#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "data/capture/h5_thread.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

class PackedArray : public testing::Test {
 protected:
  template <class T>
  void expect_same_file(const h5::Extents& extents, const std::vector<T>& values) {
    h5::thread().run([&] {
      h5::Extents chunk = extents;
      chunk.front() = 1;
      h5::File ours(folder_.file("ours.h5"), h5::Access::create);
      h5::PackedArray::of<T>("/a", extents, values).write(ours);
      h5::File theirs(folder_.file("theirs.h5"), h5::Access::create);
      h5::write_array<T>(theirs, "/a", extents, values, {.chunk = chunk, .deflate = 1});
      EXPECT_EQ(h5::read_array<T>(ours, "/a"), values);
      ours.close();
      theirs.close();
    });
    EXPECT_TRUE(bytes_of_file(folder_.file("ours.h5")) == bytes_of_file(folder_.file("theirs.h5")));
  }
  TemporaryFolder folder_;
};

TEST_F(PackedArray, OfNumbersIsAsTheLibraryPacksIt) {
  std::mt19937 random(1);
  std::vector<float> values(7 * 3 * 500);
  for (float& x : values) x = static_cast<float>(random() % 1000) / 64.0f;
  expect_same_file<float>({7, 3, 500}, values);
}

TEST_F(PackedArray, OfSmallBytesIsAsTheLibraryPacksIt) {
  std::vector<std::uint8_t> values(2 * 900);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i % 5);
  expect_same_file<std::uint8_t>({2, 900}, values);
}

}  // namespace
}  // namespace qaq::test
