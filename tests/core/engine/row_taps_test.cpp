// A sink that wants the last rows of attention alone: the others are made untapped.
#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

constexpr std::int64_t kTokens = 100;

// Keeps the last row of each block's last head.
struct RowSink : TapSink {
  explicit RowSink(std::int64_t first) : first_wanted(first) {}
  bool wants(TapKind what, std::int64_t, std::int64_t first, std::int64_t n) const override {
    return what == TapKind::attention && first + n > first_wanted;
  }
  void put(const TapBlock& block) override {
    first_seen = std::min(first_seen, block.first_row);
    const auto numbers = block.floats();
    scores.insert(scores.end(), numbers.end() - block.n_cols, numbers.end());
  }
  std::int64_t first_wanted;
  std::int64_t first_seen = kTokens;
  std::vector<float> scores;
};

TEST(RowTaps, RowsThatNobodyWantsAreNotMade) {
  std::mt19937 random(3);
  std::vector<std::int32_t> ids(kTokens);
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random() % 256);
  for (const char* name : {"tiny_llama/tiny_llama-f32.gguf", "tiny_mistral"}) {
    const auto model = open_model(test::test_data_path(std::string("oracle/") + name));
    const auto engine = make_cpu_backend()->open(model, {kTokens, kTokens});
    engine->run(ids);
    const std::vector<float> untapped(engine->logits().begin(), engine->logits().end());
    RowSink all(0);
    engine->keep(0);
    engine->run(ids, &all);
    EXPECT_EQ(all.first_seen, 0);
    // Rows go in pieces of 24.
    for (const auto& [wanted, seen] : {std::pair{97, 96}, {96, 96}, {95, 72}, {1, 0}}) {
      RowSink last(wanted);
      engine->keep(0);
      engine->run(ids, &last);
      EXPECT_EQ(last.first_seen, seen) << wanted;
      EXPECT_EQ(last.scores, all.scores) << wanted;
      EXPECT_TRUE(std::ranges::equal(engine->logits(), untapped)) << wanted;
    }
  }
}

}  // namespace
}  // namespace qaq
