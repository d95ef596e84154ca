#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/qaq_program.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::run_json;

TEST(Doctor, SaysWhatItRunsOnAndFindsTheProductsRight) {
  const json health = run_json({"doctor"});
  for (const char* part : {"version", "commit", "compiler", "processor", "simd", "hdf5"}) {
    EXPECT_FALSE(health[part].get<std::string>().empty()) << part;
  }
  EXPECT_GE(health["threads"], 1);
  EXPECT_GT(health["available_bytes"], 0);
  EXPECT_EQ(health["products"].size(), 2u);  // the engine's and the library's
  for (const json& product : health["products"]) {
    EXPECT_EQ(product["right"], true) << product;
    EXPECT_GT(product["error"].get<double>(), 0) << "float32 rounds: " << product;
    EXPECT_LE(product["error"].get<double>(), 1) << product;
  }
  EXPECT_TRUE(health["models"]["folder"].get<std::string>().ends_with("qaq-scope/models"));
}

TEST(Doctor, SpeaksToPeopleToo) {
  const auto result = test::run_qaq({"doctor"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* words :
       {"SIMD", "memory", "products", "PASS", "HDF5", "CUDA", "; this build has "}) {
    EXPECT_NE(result.out.find(words), std::string::npos) << words << " is not in\n" << result.out;
  }
}

TEST(Doctor, SeesTheCacheFolderOfTheEnvironment) {
  const auto result = test::run_qaq({"doctor", "--json"}, {.environment = {"XDG_CACHE_HOME=/x/y"}});
  EXPECT_EQ(json::parse(result.out)["models"]["folder"], "/x/y/qaq-scope/models");
  EXPECT_TRUE(json::parse(result.out)["models"]["fetched"].empty());
}

}  // namespace
}  // namespace qaq
