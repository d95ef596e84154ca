#pragma once

#include <string>
#include <vector>

#include "tests/support/test_data.h"

namespace qaq::test {

/// Words of a command line.
using Words = std::vector<std::string>;

/// A model of a few layers, and nine questions that take no time on it.
inline const std::string kTiny = test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");
inline const std::string kTask = test_data_path("tasks/example_expected.jsonl");

}  // namespace qaq::test
