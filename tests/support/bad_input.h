#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/support/test_data.h"

namespace qaq::test {

/// Entries of tests/data/badinputs/manifest.json with that `format` whose `run` is one of `runs`
/// (empty: any). To add an input: put it into its folder and describe it there.
inline std::vector<nlohmann::json> bad_inputs(const std::string& format,
                                              const std::vector<std::string>& runs = {}) {
  std::vector<nlohmann::json> out;
  const nlohmann::json manifest = test_data_json("badinputs/manifest.json");
  for (const auto& entry : manifest.at("entries")) {
    const bool wanted =
        runs.empty() || std::ranges::find(runs, entry.at("run").get<std::string>()) != runs.end();
    if (entry.at("format") == format && wanted) out.push_back(entry);
  }
  return out;
}

inline std::string bad_input_path(const nlohmann::json& entry) {
  return test_data_path("badinputs/" + entry.at("file").get<std::string>());
}

/// A name for INSTANTIATE_TEST_SUITE_P.
inline std::string bad_input_name(const testing::TestParamInfo<nlohmann::json>& entry) {
  std::string name = std::filesystem::path(entry.param.at("file").get<std::string>()).stem();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

inline std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Runs read(path) and holds what happens against the entry: taken without an error, or refused in
/// one line that names the file, gives a cure and says a word of every group.
template <class Read>
void expect_as_manifest(const nlohmann::json& entry, Read read) {
  const std::string path = bad_input_path(entry);
  const bool taken = entry.at("expect") == "accept";
  try {
    read(path);
    EXPECT_TRUE(taken) << "was taken: " << entry.at("what");
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_FALSE(taken) << message;
    EXPECT_EQ(error.kind(), ErrorKind::input) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_FALSE(error.text().cure.empty()) << message;
    EXPECT_NE(message.find(std::filesystem::path(path).filename().string()), std::string::npos)
        << message;
    if (taken) return;
    for (const auto& group : entry.at("words")) {
      const bool said = std::ranges::any_of(group, [&](const nlohmann::json& word) {
        return lower_case(message).find(lower_case(word.get<std::string>())) != std::string::npos;
      });
      EXPECT_TRUE(said) << message << "\nsays none of " << group;
    }
  }
}

}  // namespace qaq::test
