// Results of recent requests: found again by what was asked, forgotten when there are too many.
#include "views/models/replay_cache.h"

#include <gtest/gtest.h>

#include "tests/views/views_fixture.h"

namespace qaq::views {
namespace {

using test::Planted;
using test::plantedCapture;
using test::smallCapture;

AnalysisRequest request(const SharedCapture& capture, double target, std::int64_t prefix = 0) {
  AnalysisRequest request{.capture = capture, .prefix = prefix};
  set_parameter(request.params, "target_quantization_error", target);
  return request;
}

TEST(ReplayCache, FindsWhatWasAskedBefore) {
  const SharedCapture capture = plantedCapture(), other = plantedCapture();
  ReplayCache cache;
  EXPECT_EQ(cache.find(request(capture, 1)), nullptr);
  const SharedAnalysis one = analyse(request(capture, 1)), three = analyse(request(capture, 3));
  cache.insert(one);
  cache.insert(three);
  EXPECT_EQ(cache.find(request(capture, 1)), one);
  EXPECT_EQ(cache.find(request(capture, 3)), three);
  EXPECT_EQ(cache.find(request(capture, 2)), nullptr);
  EXPECT_EQ(cache.find(request(other, 1)), nullptr) << "an equal capture is another";
  EXPECT_EQ(cache.find(request(capture, 1, 30)), nullptr) << "fewer tokens";
  EXPECT_EQ(cache.find(request(capture, 1, Planted::kTokens)), one) << "0 means all of them";
}

TEST(ReplayCache, TellsParametersOfViolationsApart) {
  const SharedCapture capture = plantedCapture();
  ReplayCache cache;
  cache.insert(analyse({.capture = capture}));
  AnalysisRequest stricter{.capture = capture};
  set_parameter(stricter.params, "violation_ratio", 2.0);
  EXPECT_EQ(cache.find(stricter), nullptr);
}

TEST(ReplayCache, KeepsWithinItsBytesAndForgetsTheLongestUnused) {
  const SharedCapture capture = smallCapture();
  const std::int64_t bytes = byteCountOf(*analyse(request(capture, 1)));
  // Bits, outliers (a byte for its 8 channels) and errors of K and V, and
  // two maps of bits: 12 tokens of one head.
  EXPECT_GE(bytes, 2 * (12 + 12 + 4 * 12) + 2 * 4 * 12);
  ReplayCache cache(2 * bytes + bytes / 2);
  for (const double target : {1.0, 2.0}) cache.insert(analyse(request(capture, target)));
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_NE(cache.find(request(capture, 1)), nullptr);  // 2 is the longest unused now
  cache.insert(analyse(request(capture, 3)));
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_LE(cache.byteCount(), 2 * bytes + bytes / 2);
  EXPECT_EQ(cache.find(request(capture, 2)), nullptr);
  EXPECT_NE(cache.find(request(capture, 1)), nullptr);
  EXPECT_NE(cache.find(request(capture, 3)), nullptr);
}

TEST(ReplayCache, KeepsTheNewestWhateverItTakes) {
  const SharedCapture capture = smallCapture();
  ReplayCache cache(1);
  cache.insert(analyse(request(capture, 1)));
  cache.insert(analyse(request(capture, 2)));
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_NE(cache.find(request(capture, 2)), nullptr);
}

TEST(ReplayCache, TheSameAgainTakesNoMoreRoom) {
  const SharedCapture capture = smallCapture();
  ReplayCache cache;
  cache.insert(analyse(request(capture, 1)));
  const std::int64_t bytes = cache.byteCount();
  const SharedAnalysis again = analyse(request(capture, 1));
  cache.insert(again);
  EXPECT_EQ(cache.byteCount(), bytes);
  EXPECT_EQ(cache.find(request(capture, 1)), again) << "the newer one";
}

TEST(ReplayCache, ForgetsClosedCaptures) {
  const SharedCapture first = smallCapture(), second = smallCapture();
  ReplayCache cache;
  cache.insert(analyse(request(first, 1)));
  cache.insert(analyse(request(second, 1)));
  cache.keepOnly(second);
  EXPECT_EQ(cache.find(request(first, 1)), nullptr);
  EXPECT_NE(cache.find(request(second, 1)), nullptr);
  cache.keepOnly(nullptr);
  EXPECT_EQ(cache.byteCount(), 0);
}

}  // namespace
}  // namespace qaq::views
