// Sinks and newest tokens against mit-han-lab/streaming-llm's own cache.
#include "core/policy/streaming_llm_policy.h"

#include <gtest/gtest.h>

#include "tests/support/narrative_layer.h"
#include "tests/support/refusal.h"

namespace qaq {
namespace {

using test::rival_retention;

TEST(StreamingLlmPolicy, MakesRoomAsItsOwnCacheDoes) {
  int n = 0;
  const auto tables = test::test_data_json("rivals/retention.json");
  for (const auto& row : tables.at("streaming_llm_evict")) {
    const StreamingLlmParams params{.start_size = row.at("start_size"),
                                    .recent_size = row.at("recent_size")};
    std::vector<std::uint8_t> cached(row.at("cached").get<std::size_t>(), 1);
    make_room(params, row.at("coming"), cached);
    std::vector<std::size_t> kept;
    for (std::size_t token = 0; token < cached.size(); ++token) {
      if (cached[token]) kept.push_back(token);
    }
    EXPECT_EQ(kept, row.at("kept").get<std::vector<std::size_t>>()) << row;
    ++n;
  }
  EXPECT_EQ(n, 8);
}

TEST(StreamingLlmPolicy, PlacesAreThoseOfCachedTokens) {
  // Cached: 0, 2, 3, 5, 6, 7; 1 + 3 and one to come.
  std::vector<std::uint8_t> kept{1, 0, 1, 1, 0, 1, 1, 1};
  make_room({.start_size = 1, .recent_size = 3}, 1, kept);
  EXPECT_EQ(kept, (std::vector<std::uint8_t>{1, 0, 0, 0, 0, 0, 1, 1}));
}

TEST(StreamingLlmPolicy, KeepsWhatItsOwnCacheKeepsStepByStep) {
  for (const std::string config : {"0", "1"}) {
    const std::string group = "streaming_llm/" + config;
    const auto number = [&](const char* name) {
      return static_cast<std::int64_t>(rival_retention().number_attribute(group, name));
    };
    const auto expected = rival_retention().integers(group + "/kept");
    const auto shape = rival_retention().shape(group + "/kept");
    const auto input = test::narrative_layer("14");
    const StreamingLlmPolicy policy(
        {.start_size = number("start_size"), .recent_size = number("recent_size")});
    test::RetentionRun run(input, number("prompt"), policy);
    auto row = expected.begin();
    for (std::int64_t step = 0; step < shape.at(0); ++step, row += shape.at(1)) {
      for (std::int64_t head = 0; head < 3; ++head) {
        ASSERT_EQ(run.kept_tokens(head), (std::vector<std::int64_t>(row, row + shape.at(1))))
            << group << ", step " << step;
      }
      ASSERT_TRUE(run.step());
    }
    EXPECT_FALSE(run.step());
  }
}

TEST(StreamingLlmPolicy, KvpressKeepsTheSameOfAPrompt) {
  int n = 0;
  for (const std::string layer : {"01", "14"}) {
    for (const std::string index : {"0", "1", "2"}) {
      const std::string name = "kvpress/streaming_llm/layer" + layer + "/kept_" + index;
      const auto expected = rival_retention().integers(name);
      const auto n_kept = rival_retention().shape(name).at(1);
      const auto input = test::narrative_layer(layer);
      // Ours has made room for one to come.
      const StreamingLlmPolicy policy({.start_size = 4, .recent_size = n_kept - 4 + 1});
      const test::RetentionRun run(input, 95, policy);
      for (std::int64_t head = 0; head < 3; ++head) {
        const auto row = expected.begin() + head * n_kept;
        EXPECT_EQ(run.kept_tokens(head), (std::vector<std::int64_t>(row, row + n_kept)));
        ++n;
      }
    }
  }
  EXPECT_EQ(n, 18);
}

TEST(StreamingLlmPolicy, RefusesWhatItCannotCarryOut) {
  const auto line = [](const StreamingLlmParams& params) {
    return test::refusal([&] { StreamingLlmPolicy{params}; }, ErrorKind::usage);
  };
  EXPECT_NE(line({.reposition = Reposition::cache}).find("reposition"), std::string::npos);
  EXPECT_NE(line({.start_size = 0, .recent_size = 1}).find("recent_size"), std::string::npos);
  EXPECT_EQ(line({.start_size = 1, .recent_size = 1}), "taken");
  EXPECT_EQ(line({.start_size = 0, .recent_size = 2}), "taken");
}

}  // namespace
}  // namespace qaq
