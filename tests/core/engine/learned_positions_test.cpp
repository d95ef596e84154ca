#include <gtest/gtest.h>
#include <numeric>

#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/support/refusal.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

// Each has a table of 128 positions, OPT with two rows before them.
TEST(LearnedPositions, EndWhereTheirTableDoes) {
  for (const char* name : {"oracle/tiny_gpt2", "oracle/tiny_opt"}) {
    const auto model = open_model(test::test_data_path(name));
    const auto engine = make_cpu_backend()->open(model, {.max_tokens = 140, .max_batch = 140});
    std::vector<std::int32_t> ids(129);
    std::iota(ids.begin(), ids.end(), 5);
    const std::string words = "129 tokens, but the model has learned 128 positions";
    const auto refused = [&](std::span<const std::int32_t> tokens) {
      return test::refusal([&] { engine->run(tokens); }, ErrorKind::usage);
    };
    EXPECT_NE(refused(ids).find(words), std::string::npos);
    engine->run(std::span(ids).first(128));
    EXPECT_NE(refused({ids.data(), 1}).find(words), std::string::npos);
  }
}

// A run in pieces gives what one run gives: rows of the table go by position, not by row.
TEST(LearnedPositions, GoOnWhereTheLastRunEnded) {
  for (const char* name : {"oracle/tiny_gpt2", "oracle/tiny_opt", "oracle/tiny_bloom"}) {
    const auto model = open_model(test::test_data_path(name));
    const std::vector<std::int32_t> ids{5, 9, 200, 17, 42, 3, 77, 120};
    const auto whole = make_cpu_backend()->open(model, {.max_tokens = 8, .max_batch = 8});
    const auto pieces = make_cpu_backend()->open(model, {.max_tokens = 8, .max_batch = 8});
    whole->run(ids);
    pieces->run(std::span(ids).first(5));
    pieces->run(std::span(ids).subspan(5));
    for (std::size_t i = 0; i < whole->logits().size(); ++i) {
      ASSERT_NEAR(pieces->logits()[i], whole->logits()[i], 2e-5f) << name;
    }
  }
}

}  // namespace
}  // namespace qaq
