// What a policy is shown of a capture, and what is refused where the capture lacks it.
#include "core/replay/planner.h"

#include <array>
#include <gtest/gtest.h>
#include <memory>

#include "core/policy/qaq_policy.h"
#include "core/policy/query_norms.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

QaqParams bound_params(BoundTarget target) {
  QaqParams params;
  for (QaqSideParams* side : {&params.key, &params.value}) {
    side->variant = Variant::bound;
    side->last_n_attentions = 3;
  }
  params.key.bound_target = target;
  params.key.q_norm = RealOrAuto::automatic();
  return params;
}

class PlannerViews : public ::testing::Test {
 protected:
  PolicyView view_of(const CaptureView& capture, const QaqParams& params, CacheSide side,
                     std::int64_t prefix = 12) {
    planners_.push_back(std::make_unique<Planner>(capture));
    return planners_.back()->view(QaqPolicy(params), side, prefix, {});
  }

 private:
  std::vector<std::unique_ptr<Planner>> planners_;  // they own what the views show
};

TEST_F(PlannerViews, ShowsWhatEachTargetAsksForAndNoMore) {
  const MemoryCapture capture = synthetic_capture();
  const PolicyView row = view_of(capture, bound_params(BoundTarget::row), CacheSide::key);
  EXPECT_FALSE(row.importance.empty());
  EXPECT_FALSE(row.q_norm.empty());
  EXPECT_TRUE(row.distance.empty());
  EXPECT_TRUE(row.errors.empty());
  const PolicyView entry = view_of(capture, bound_params(BoundTarget::entry), CacheSide::key);
  EXPECT_TRUE(entry.importance.empty());
  EXPECT_FALSE(entry.q_norm.empty());
  const PolicyView output = view_of(capture, bound_params(BoundTarget::output), CacheSide::key);
  EXPECT_FALSE(output.importance.empty());
  EXPECT_FALSE(output.distance.empty());
  const PolicyView value = view_of(capture, bound_params(BoundTarget::output), CacheSide::value);
  EXPECT_FALSE(value.importance.empty());
  EXPECT_TRUE(value.q_norm.empty());
  const PolicyView reference = view_of(capture, QaqParams{}, CacheSide::key);
  EXPECT_TRUE(reference.importance.empty());
  EXPECT_TRUE(reference.q_norm.empty());
}

TEST_F(PlannerViews, NormsAndDistancesAreThoseOfThePrefix) {
  const MemoryCapture capture = synthetic_capture();
  const PolicyView view = view_of(capture, bound_params(BoundTarget::output), CacheSide::key);
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    std::array<float, 2> norms{};
    query_norm_quantiles(capture.query(layer)->view(), 12, 0.9, norms);
    for (std::int64_t head = 0; head < 2; ++head) {
      EXPECT_EQ(view.q_norm(layer, head), norms[static_cast<std::size_t>(head)]);
      // From the row of the prefix's last token, the larger of the group's two heads.
      for (const std::int64_t t : {0, 11}) {
        double largest = 0;
        for (const std::int64_t h : {2 * head, 2 * head + 1}) {
          const auto scores = capture.attention(layer, 11, 1);
          double distance = 0;
          for (std::int64_t d = 0; d < 8; ++d) {
            double x = 0;
            for (std::int64_t i = 0; i < 12; ++i) {
              x += double{scores->view()(h, 0, i)} * capture.value(layer)->view()(head, i, d);
            }
            const double v = capture.value(layer)->view()(head, t, d);
            distance += (v - x) * (v - x);
          }
          largest = std::max(largest, distance);
        }
        EXPECT_NEAR(view.distance(layer, head, t), largest, 1e-5 * largest);
      }
    }
  }
}

TEST_F(PlannerViews, TheFuturesImportanceIsOfTheRowsBehindThePrefix) {
  const MemoryCapture capture = synthetic_capture();
  Planner planner(capture, ImportanceRows::replayed);
  const QaqPolicy policy(bound_params(BoundTarget::row));
  const PolicyView view = planner.view(policy, CacheSide::value, 12, {});
  const auto scores = capture.attention(1, 0, 24);
  for (const std::int64_t t : {0, 5, 11}) {
    float largest = 0;
    for (const std::int64_t head : {2, 3}) {
      for (std::int64_t s = 12; s < 24; ++s) {
        largest = std::max(largest, scores->view()(head, s, t));
      }
    }
    EXPECT_EQ(view.importance(1, 1, t), largest);
  }
}

TEST_F(PlannerViews, WhatTheCaptureLacksIsRefusedWithTheCure) {
  const SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  info.has_queries = false;
  arrays.query.clear();
  const MemoryCapture no_queries(std::move(info), std::move(arrays));
  QaqParams params = bound_params(BoundTarget::row);
  EXPECT_EQ(refusal([&] { view_of(no_queries, params, CacheSide::key); }),
            "synthetic.h5: /entry/query: holds no queries, which key.q_norm=auto is measured on; "
            "capture again without --no-queries, or --set key.q_norm=300");
  params.key.q_norm = 300;
  EXPECT_EQ(refusal([&] { view_of(no_queries, params, CacheSide::key); }), "taken");

  info = synthetic_info(shape);
  arrays = synthetic_arrays(shape, 1);
  info.profile = AttentionProfile::none;
  info.query_token.clear();
  arrays.attention.clear();
  const MemoryCapture no_attention(std::move(info), std::move(arrays));
  params = bound_params(BoundTarget::row);
  EXPECT_EQ(refusal([&] { view_of(no_attention, params, CacheSide::key); }),
            "synthetic.h5: /entry/attention: lacks the attention rows 9 to 11 that the keys' bits "
            "follow from; capture again with --attention derive, or --set key.bound_target=entry");
  params.key.bound_target = BoundTarget::entry;
  EXPECT_EQ(refusal([&] { view_of(no_attention, params, CacheSide::key); }), "taken");
  EXPECT_NE(refusal([&] {
              view_of(no_attention, params, CacheSide::value);
            }).find("value.use_attentions=false"),
            std::string::npos);
}

}  // namespace
}  // namespace qaq::test
