#include "data/capture/capture_plan.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_stats.h"

namespace qaq {
namespace {

void require(bool good, const std::string& what, const std::string& cure) {
  if (!good) refuse_usage({.place = "capture", .what = what, .cure = cure});
}

}  // namespace

void validate(const CapturePlan& plan) {
  const CaptureInfo& info = plan.info;
  const ModelShape& shape = info.shape;
  require(shape.n_layers > 0 && shape.n_kv_heads > 0 && shape.head_dim > 0 &&
              shape.n_heads % shape.n_kv_heads == 0 && shape.vocab_size > 0,
          "the model has no layers, heads or vocabulary", "name a LLaMA model");
  require(!info.layers.empty(), "no layer is to be captured", "name at least one with --layers");
  require(std::ranges::is_sorted(info.layers) &&
              std::ranges::adjacent_find(info.layers) == info.layers.end() &&
              info.layers.front() >= 0 && info.layers.back() < shape.n_layers,
          "the layers are not ascending numbers of this model",
          cat("name layers from 0 to ", shape.n_layers - 1));
  require(info.n_prompt >= 1, "the prompt holds no token", "give a prompt");
  require(plan.max_tokens >= info.n_prompt &&
              plan.max_tokens <= std::numeric_limits<std::int32_t>::max(),
          cat("the prompt has ", info.n_prompt, " tokens, the capture room for ", plan.max_tokens),
          "shorten the prompt or make room");
  require(info.profile != AttentionProfile::derive || info.has_queries,
          "profile derive computes attention from queries, which are not captured",
          "leave out --no-queries, or choose --attention full");
  require(info.profile != AttentionProfile::window || plan.attention_window >= 1,
          "the attention window has no rows", "give it at least one: --attention window:5");
  require(plan.top_k >= 1, "no logit is to be kept", "keep at least one");
}

bool has_scores(const CapturePlan& plan) {
  return plan.info.profile == AttentionProfile::full ||
         plan.info.profile == AttentionProfile::window;
}

std::int64_t first_whole_row(const CapturePlan& plan) {
  if (plan.info.profile != AttentionProfile::window) return 0;
  const std::int64_t least_tokens = plan.may_end_early ? plan.info.n_prompt : plan.max_tokens;
  return std::max<std::int64_t>(
      0, least_tokens - std::max(plan.attention_window, CaptureStats::kImportanceRows));
}

std::vector<RowPlan> row_plans(const CapturePlan& plan) {
  const ModelShape& s = plan.info.shape;
  const std::int64_t n_layers = plan.info.n_captured_layers();
  const std::int64_t n_tokens = plan.max_tokens;
  const auto rows = [&](const char* path, std::int64_t n_heads) {
    return RowPlan{.path = path,
                   .dtype = plan.info.dtype,
                   .extents = {n_layers, n_heads, n_tokens, s.head_dim},
                   .grows = plan.may_end_early};
  };
  std::vector<RowPlan> plans{rows(capture_path::kKey, s.n_kv_heads),
                             rows(capture_path::kValue, s.n_kv_heads)};
  if (plan.info.has_queries) plans.push_back(rows(capture_path::kQueryValues, s.n_heads));
  if (has_scores(plan)) {
    RowPlan scores = rows(capture_path::kScores, s.n_heads);
    scores.dtype = DType::f32;  // in float16 a third of the scores would be subnormal
    const bool full = plan.info.profile == AttentionProfile::full;
    scores.extents[2] = full ? n_tokens : std::min(plan.attention_window, n_tokens);
    scores.extents[3] = n_tokens;
    plans.push_back(scores);
  }
  return plans;
}

}  // namespace qaq
