#include "core/analysis/violations.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <tuple>

#include "core/base/parallel.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

std::vector<int> count_by_head(const ViolationReport& report, std::int32_t layer, int n_heads) {
  std::vector<int> count(static_cast<std::size_t>(n_heads), 0);
  for (const Violation& v : report.violations) {
    if (v.layer == layer) ++count[static_cast<std::size_t>(v.head)];
  }
  return count;
}

// The definition, pair by pair.
std::set<std::tuple<int, int, int>> by_definition(const NdView<const float, 3>& scores, int first,
                                                  int n, const ViolationParams& params) {
  std::set<std::tuple<int, int, int>> out;
  for (std::int64_t head = 0; head < scores.shape(0); ++head) {
    for (std::int64_t row = n; row < scores.shape(1); ++row) {
      const std::int64_t s = first + row;
      for (std::int64_t t = 0; t < s - n + 1; ++t) {
        float window = 0;
        for (std::int64_t i = row - n; i < row; ++i) window = std::max(window, scores(head, i, t));
        const double score = scores(head, row, t);
        if (score > params.violation_ratio * window &&
            score > params.violation_floor / static_cast<double>(s + 1)) {
          out.insert({static_cast<int>(head), static_cast<int>(s), static_cast<int>(t)});
        }
      }
    }
  }
  return out;
}

TEST(Violations, CountsOfTheNarrativePrompt) {
  const auto capture =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
  const ViolationReport report = find_violations(*capture, {}, 5);
  EXPECT_EQ(report.window, 5);
  EXPECT_EQ(count_by_head(report, 0, 9), (std::vector<int>{1, 3, 0, 12, 0, 3, 0, 0, 5}));
  EXPECT_EQ(count_by_head(report, 1, 9), (std::vector<int>{2, 0, 2, 6, 7, 1, 0, 0, 10}));
  EXPECT_EQ(count_by_head(report, 2, 9), (std::vector<int>{0, 5, 2, 15, 3, 5, 5, 2, 14}));
  EXPECT_EQ(count_by_head(report, 3, 9), (std::vector<int>{3, 3, 11, 0, 1, 5, 5, 9, 4}));
  EXPECT_EQ(report.n_eligible, 36 * 4095);
  EXPECT_DOUBLE_EQ(report.rate(), static_cast<double>(report.violations.size()) / (36 * 4095));
}

TEST(Violations, CountsOfTheGroupMaximum) {
  const auto capture =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
  const auto scores = capture->attention(2, 0, 95);
  ViolationReport report;
  report.window = 5;
  for (std::int64_t group = 0; group < 3; ++group) {
    NdArray<float, 2> largest({95, 95});
    for (std::int64_t head = 3 * group; head < 3 * group + 3; ++head) {
      const auto from = scores->sub(head).span();
      for (std::size_t i = 0; i < from.size(); ++i) {
        largest.span()[i] = std::max(largest.span()[i], from[i]);
      }
    }
    find_violations(largest.view(), 0, 14, static_cast<std::int32_t>(group), {}, report);
  }
  EXPECT_EQ(count_by_head(report, 14, 3), (std::vector<int>{4, 17, 9}));
}

TEST(Violations, AreTheDefinitionWhateverTheWindow) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 1, .n_tokens = 60});
  const auto scores = capture.attention(0, 0, 60);
  for (const int n : {1, 2, 3, 7, 20, 30, 59}) {
    const ViolationParams params{n, 2, 1.5};
    const ViolationReport report = find_violations(capture, params, 5);
    std::set<std::tuple<int, int, int>> found;
    for (const Violation& v : report.violations) {
      found.insert({v.head, v.step, v.token});
      EXPECT_EQ(v.score, (*scores)(v.head, v.step, v.token));
    }
    EXPECT_EQ(found, by_definition(scores->view(), 0, n, params)) << n;
    EXPECT_EQ(found.size(), report.violations.size());
    EXPECT_EQ(report.window, n);
    const int m = 60 - n;
    EXPECT_EQ(report.n_eligible, 4 * m * (m + 1) / 2);
    EXPECT_TRUE(n != 3 || !found.empty());
  }
  EXPECT_TRUE(find_violations(capture, {60, 2, 1}, 5).violations.empty());
  EXPECT_EQ(find_violations(capture, {1000000, 2, 1}, 5).n_eligible, 0);
}

TEST(Violations, AWindowCaptureCountsItsOwnRows) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 1, .n_tokens = 60}, 1, 20);
  const ViolationParams params{4, 2, 1.5};
  const ViolationReport report = find_violations(capture, params, 5);
  std::set<std::tuple<int, int, int>> found;
  for (const Violation& v : report.violations) found.insert({v.head, v.step, v.token});
  EXPECT_EQ(found, by_definition(capture.attention(0, 0, 20)->view(), 40, 4, params));
  std::int64_t eligible = 0;
  for (int s = 44; s < 60; ++s) eligible += s - 4 + 1;
  EXPECT_EQ(report.n_eligible, 4 * eligible);
}

TEST(Violations, AGapInTheRowsIsNoHistory) {
  const SyntheticShape shape{.n_layers = 1, .n_tokens = 30};
  CaptureInfo info = synthetic_info(shape);
  info.profile = AttentionProfile::derive;
  info.query_token = {5, 6, 7, 20, 21, 22};
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  arrays.attention.clear();
  const MemoryCapture capture(std::move(info), std::move(arrays));
  EXPECT_EQ(find_violations(capture, {2, 1, 0}, 5).n_eligible, 4 * (6 + 21))
      << "rows 7 and 22 alone have two rows before them";
}

TEST(Violations, AreInOrderWhateverTheThreads) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 3, .n_tokens = 50});
  const auto key = [](const Violation& v) { return std::tuple(v.layer, v.head, v.step, v.token); };
  std::vector<std::tuple<int, int, int, int>> first;
  for (const int n_threads : {1, 2, 5}) {
    set_thread_count(n_threads);
    std::vector<std::tuple<int, int, int, int>> found;
    for (const Violation& v : find_violations(capture, {3, 2, 1}, 5).violations) {
      found.push_back(key(v));
    }
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
    if (n_threads == 1) first = found;
    EXPECT_EQ(found, first);
  }
  set_thread_count(0);
  EXPECT_FALSE(first.empty());
}

}  // namespace
}  // namespace qaq::test
