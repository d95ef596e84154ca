// Damaged copies of a good safetensors file and of its config.json: whatever the damage, the model
// is read or refused.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/models/model_file.h"
#include "tests/data/models/decode_all.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

class SafetensorsMutation : public testing::Test {
 protected:
  void SetUp() override {
    const std::string good = test::test_data_path("badinputs/hf/ok_single_file/");
    for (const char* name : {"config.json", "model.safetensors"}) {
      std::ifstream in(good + name, std::ios::binary);
      good_[name].assign(std::istreambuf_iterator<char>(in), {});
      write(name, good_[name]);
    }
  }
  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_.file(name), std::ios::binary) << bytes;
  }
  // Whether the folder is taken as a model; an error of another kind than Error fails the test.
  bool taken() {
    try {
      test::decode_all_weights(*open_model(folder_.path().string()));
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      return false;
    }
  }
  // Flips bits in copies of the file; how many of them were taken.
  int n_taken_of(const std::string& name, std::size_t first_bytes, unsigned n_seeds) {
    int n_taken = 0;
    for (unsigned seed = 0; seed < n_seeds; ++seed) {
      SCOPED_TRACE(cat("seed ", seed));
      std::mt19937 random(seed);
      std::string bytes = good_[name];
      for (unsigned n = 0; n <= seed % 3; ++n) {
        bytes[random() % first_bytes] ^= static_cast<char>(1u << random() % 8);
      }
      write(name, bytes);
      n_taken += taken() ? 1 : 0;
    }
    write(name, good_[name]);
    return n_taken;
  }

  test::TemporaryFolder folder_;
  std::map<std::string, std::string> good_;
};

TEST_F(SafetensorsMutation, FlippedBitsNeverCrash) {
  ASSERT_TRUE(taken());
  const std::size_t size = good_["model.safetensors"].size();
  EXPECT_LT(n_taken_of("model.safetensors", 1200, 150), 50) << "in the header";
  EXPECT_GT(n_taken_of("model.safetensors", size, 60), 3) << "in header and weights";
}

TEST_F(SafetensorsMutation, FlippedBitsInTheConfigNeverCrash) {
  const int n_taken = n_taken_of("config.json", good_["config.json"].size(), 150);
  // Some keys are unknown here, so damage to them is harmless.
  EXPECT_GT(n_taken, 5);
  EXPECT_LT(n_taken, 145);
}

TEST_F(SafetensorsMutation, ATruncatedFileIsRefused) {
  const std::string& bytes = good_["model.safetensors"];
  for (std::size_t size = 0; size < bytes.size(); size += 397) {
    write("model.safetensors", bytes.substr(0, size));
    EXPECT_FALSE(taken()) << size << " bytes";
  }
  write("model.safetensors", bytes);
  for (std::size_t size = 0; size + 2 < good_["config.json"].size(); size += 29) {
    write("config.json", good_["config.json"].substr(0, size));
    EXPECT_FALSE(taken()) << size << " bytes";
  }
}

TEST_F(SafetensorsMutation, DeepNestingIsRefused) {
  write("config.json", std::string(200000, '['));
  EXPECT_FALSE(taken());
  write("config.json", "{\"a\":" + std::string(200000, '[') + std::string(200000, ']') + "}");
  EXPECT_FALSE(taken());
}

}  // namespace
}  // namespace qaq
