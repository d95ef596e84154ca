// The safetensors files and Hugging Face folders of tests/data/badinputs. Those about tokenizers
// are held where tokenizers are.
#include <gtest/gtest.h>

#include "data/models/model_file.h"
#include "data/models/model_listing.h"
#include "tests/data/models/decode_all.h"
#include "tests/support/bad_input.h"

namespace qaq {
namespace {

using nlohmann::json;

class SafetensorsBadInput : public testing::TestWithParam<json> {};

TEST_P(SafetensorsBadInput, BehavesAsTheManifestSays) {
  test::expect_as_manifest(
      GetParam(), [](const std::string& path) { EXPECT_FALSE(list_model(path).tensors.empty()); });
}

INSTANTIATE_TEST_SUITE_P(Manifest, SafetensorsBadInput,
                         testing::ValuesIn(test::bad_inputs("safetensors")), test::bad_input_name);

class HfBadInput : public testing::TestWithParam<json> {};

TEST_P(HfBadInput, BehavesAsTheManifestSays) {
  test::expect_as_manifest(
      GetParam(), [](const std::string& path) { test::decode_all_weights(*open_model(path)); });
}

INSTANTIATE_TEST_SUITE_P(Manifest, HfBadInput,
                         testing::ValuesIn(test::bad_inputs("hf folder", {"load"})),
                         test::bad_input_name);

TEST(HfBadInputs, TheManifestNamesEverythingInItsFolders) {
  const auto n_entries = [](const std::string& folder) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(test::test_data_path(folder)), {}));
  };
  EXPECT_EQ(test::bad_inputs("safetensors").size(), n_entries("badinputs/st"));
  EXPECT_EQ(test::bad_inputs("hf folder").size(), n_entries("badinputs/hf"));
}

// What cannot be run can be listed, with the reason.
TEST(HfBadInputs, AFolderOfAnUnknownFamilyIsListed) {
  const ModelListing listing =
      list_model(test::test_data_path("badinputs/hf/config_other_model_type"));
  EXPECT_FALSE(listing.spec.has_value());
  EXPECT_NE(listing.refusal.find("'mamba'"), std::string::npos) << listing.refusal;
  EXPECT_EQ(listing.tensors.size(), 11u);
}

}  // namespace
}  // namespace qaq
