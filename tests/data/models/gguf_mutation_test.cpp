// Damaged copies of a good file: whatever the damage, the file is read or refused. Run under the
// sanitizers, this finds reads beyond the map and arithmetic that overflows.
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/tensor/nd_array.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

class GgufMutation : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream in(test::test_data_path("badinputs/gguf/ok_minimal.gguf"), std::ios::binary);
    good_.assign(std::istreambuf_iterator<char>(in), {});
    ASSERT_EQ(good_.size(), 16064u);
    // A file in memory: thousands of copies on a disk would take longer than reading them.
    descriptor_ = ::memfd_create("mutated.gguf", MFD_CLOEXEC);
    ASSERT_GE(descriptor_, 0);
  }
  void TearDown() override { ::close(descriptor_); }

  // Whether the bytes are taken as a model; an error of another kind than Error fails the test.
  bool taken(const std::string& bytes) {
    EXPECT_EQ(::ftruncate(descriptor_, 0), 0);
    EXPECT_EQ(::pwrite(descriptor_, bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    try {
      const auto model = open_model(cat("/proc/self/fd/", descriptor_));
      for (std::int64_t layer = 0; layer < model->spec().shape.n_layers; ++layer) {
        const WeightView key = model->weight(WeightRole::key, layer);
        NdArray<float, 2> numbers({key.rows, key.cols});
        decode_matrix(key, numbers.view());
      }
      make_tokenizer(*model)->encode("the ab");
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
      return false;
    }
  }

  std::string good_;
  int descriptor_ = -1;
};

TEST_F(GgufMutation, FlippedBitsNeverCrash) {
  int n_taken = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(cat("seed ", seed));
    std::mt19937 random(seed);
    std::string bytes = good_;
    // Most of what a parser believes lies in the first third, before the weights.
    for (unsigned n = 0; n <= seed % 4; ++n) {
      bytes[random() % (seed % 2 ? 5216 : bytes.size())] ^= static_cast<char>(1u << random() % 8);
    }
    n_taken += taken(bytes) ? 1 : 0;
  }
  // Both outcomes occur: flips in weights and names of tokens are harmless, others are not.
  EXPECT_GT(n_taken, 100);
  EXPECT_LT(n_taken, 1400);
}

TEST_F(GgufMutation, HugeNumbersNeverCrash) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(cat("seed ", seed));
    std::mt19937 random(seed);
    std::string bytes = good_;
    const std::size_t at = random() % 5200;
    for (std::size_t i = 0; i < 8; ++i) bytes[at + i] = static_cast<char>(0xff);
    if (seed % 2) bytes[at + 7] = 0x7f;
    taken(bytes);
  }
}

TEST_F(GgufMutation, ATruncatedFileIsRefused) {
  for (std::size_t size = 0; size < good_.size(); size += 79) {
    EXPECT_FALSE(taken(good_.substr(0, size))) << size << " bytes";
  }
  EXPECT_TRUE(taken(good_));
}

}  // namespace
}  // namespace qaq
