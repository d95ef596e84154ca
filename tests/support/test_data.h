#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace qaq::test {

/// Path of a file in tests/data.
inline std::string test_data_path(const std::string& name) {
  return QAQ_TEST_DATA "/" + name;
}

/// A JSON file in tests/data.
inline nlohmann::json test_data_json(const std::string& name) {
  std::ifstream in(test_data_path(name));
  if (!in) throw std::runtime_error("cannot open " + test_data_path(name));
  return nlohmann::json::parse(in);
}

}  // namespace qaq::test
