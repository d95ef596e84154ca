#pragma once

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace qaq::test {

/// Runs the command line that was built with the tests.
inline ProgramResult run_qaq(std::vector<std::string> words, const ProgramOptions& options = {}) {
  words.insert(words.begin(), QAQ_PROGRAM);
  return run_program(words, options);
}

/// The JSON document of a command that has to succeed and to say nothing else.
inline nlohmann::json run_json(std::vector<std::string> words) {
  words.emplace_back("--json");
  words.emplace_back("--quiet");
  const ProgramResult result = run_qaq(words);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return nlohmann::json::parse(result.out);
}

}  // namespace qaq::test
