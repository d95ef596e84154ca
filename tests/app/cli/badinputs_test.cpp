// Every hostile or odd file of tests/data/badinputs that this program reads, through the command
// that its manifest names: accepted ones are used like any other; refused ones get exit code 3, one
// line on standard error that says what is wrong, and nothing is written.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::ProgramResult;

const std::string kFolder = test::test_data_path("badinputs/");
const std::string kGoodModel = kFolder + "gguf/ok_minimal.gguf";
const std::string kGoodCapture = kFolder + "h5/ok_full_f32.h5";

// Entries whose command exists; the others belong to commands that are not there yet.
bool is_ours(const json& entry) {
  static const std::set<std::string> kFormats{"gguf",       "safetensors", "hf folder",
                                              "capture",    "preset",      "prompt file",
                                              "token file", "task JSONL",  "grid"};
  return kFormats.contains(entry["format"].get<std::string>());
}

std::vector<json> entries() {
  const json manifest = test::test_data_json("badinputs/manifest.json");
  std::vector<json> out;
  for (const json& entry : manifest["entries"]) {
    if (is_ours(entry)) out.push_back(entry);
  }
  return out;
}

std::vector<std::string> command(const std::string& run, const std::string& file,
                                 const std::string& text, const std::string& out) {
  if (run == "info" || run == "open") return {"info", file};
  if (run == "load") return {"capture", "--model", file, "--prompt", text, "-o", out};
  if (run == "tokenize") return {"tokenize", "--model", file, "--text", text, "--json"};
  if (run == "grid") return {"sweep", kGoodCapture, "--grid", file, "-o", out};
  if (run == "preset") return {"replay", kGoodCapture, "--preset", file, "--json"};
  if (run == "tokens") return {"capture", "--model", kGoodModel, "--tokens", file, "-o", out};
  if (run == "prompt") return {"capture", "--model", kGoodModel, "--prompt-file", file, "-o", out};
  if (run == "task") {
    return {"evaluate", "--model", kGoodModel, "--task", file, "--limit", "2", "--json"};
  }
  throw std::runtime_error("no command for run " + run);
}

// Of a file, or of all files in a folder.
std::map<std::string, std::string> bytes_of(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return {{path, test::bytes_of_file(path)}};
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) out[entry.path().string()] = test::bytes_of_file(entry.path());
  }
  return out;
}

// The name that an error has to hold: the file's; of a folder its own or that of a file in it.
bool names_input(const std::string& line, const std::string& path) {
  const auto named = [&](const std::filesystem::path& one) {
    return line.find(one.filename().string()) != std::string::npos;
  };
  if (named(path)) return true;
  return std::filesystem::is_directory(path) &&
         std::ranges::any_of(bytes_of(path), [&](const auto& file) { return named(file.first); });
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

ProgramResult run_quietly(std::vector<std::string> words) {
  words.emplace_back("--quiet");
  return test::run_qaq(std::move(words));
}

class BadInputs : public testing::TestWithParam<json> {};

TEST_P(BadInputs, BehavesAsTheManifestSays) {
  const json& entry = GetParam();
  const std::string file = kFolder + entry["file"].get<std::string>();
  ASSERT_TRUE(std::filesystem::exists(file));
  const auto before = bytes_of(file);
  const test::TemporaryFolder folder;
  const std::string out = folder.file("out.h5");
  const auto words = command(entry["run"], file, entry.value("text", "ab"), out);
  const ProgramResult result = run_quietly(words);

  EXPECT_EQ(bytes_of(file), before) << "the input was changed";
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LE(result.max_resident_bytes, 512L << 20);
#endif
  if (entry["expect"] == "accept") {
    EXPECT_EQ(result.exit_code, 0) << result.err;
    if (words[0] == "capture") {
      EXPECT_TRUE(std::filesystem::exists(out));
      const ProgramResult replayed = run_quietly({"replay", out, "--json"});
      EXPECT_EQ(replayed.exit_code, 0) << replayed.err;
    }
    if (entry["run"] == "task") {
      EXPECT_EQ(json::parse(result.out)["n_questions"], 2);
    }
    if (entry["run"] == "open") {
      const ProgramResult replayed = run_quietly({"replay", file, "--json"});
      EXPECT_EQ(replayed.exit_code, 0) << replayed.err;
      EXPECT_TRUE(json::parse(replayed.out)["metrics"].contains("key_average_n_bits"));
      EXPECT_EQ(bytes_of(file), before) << "replaying changed the capture";
    }
    return;
  }
  EXPECT_EQ(result.exit_code, entry["exit"].get<int>()) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_TRUE(names_input(result.err, file)) << result.err;
  for (const auto& group : entry["words"]) {
    const bool said = std::ranges::any_of(group, [&](const json& word) {
      return lower(result.err).find(lower(word.get<std::string>())) != std::string::npos;
    });
    EXPECT_TRUE(said) << "none of " << group << " in: " << result.err;
  }
  EXPECT_TRUE(folder.names().empty()) << folder.names().front() << " was left behind";
}

std::string test_name(const testing::TestParamInfo<json>& named) {
  std::string name = named.param["file"].get<std::string>();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Manifest, BadInputs, testing::ValuesIn(entries()), test_name);

}  // namespace
}  // namespace qaq
