#include "core/analysis/head_facts.h"

#include <algorithm>
#include <vector>

#include "core/analysis/jump_rows.h"
#include "core/base/parallel.h"
#include "core/policy/query_norms.h"
#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

using AllSums = std::vector<AttentionSums>;  // by KV head

// Mass and entropy of the rows before the end of the scope.
void add_rows(const CaptureView& capture, std::int64_t layer, const HeadScope& scope, AllSums& sums,
              const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t group = info.shape.group_size(), window = info.attention_window(layer);
  const std::int64_t end = first_row_behind(info, scope.n_tokens), block = rows_at_a_time(info);
  for (std::int64_t first = 0; first < end; first += block) {
    work.throw_if_stopped();
    const std::int64_t n = std::min(block, end - first);
    const auto scores = capture.attention(layer, first, n);
    parallel_for(info.shape.n_kv_heads, [&](std::int64_t kv_head) {
      for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t step = info.query_token[static_cast<std::size_t>(first + i)];
          sums[static_cast<std::size_t>(kv_head)].add_row(
              scores->sub(head, i).span(), step,
              window > 0 ? std::min(step + 1, window) : step + 1);
        }
      }
    });
  }
}

void add_violations(const CaptureView& capture, std::int64_t layer, const HeadScope& scope,
                    AllSums& sums, const Work& work) {
  const ModelShape& s = capture.info().shape;
  const std::int64_t n = scope.violation.violation_window > 0 ? scope.violation.violation_window
                                                              : scope.default_window;
  const auto count = [&](const NdView<const float, 3>& scores, std::int64_t position) {
    const std::int64_t n_rows = std::min(scores.shape(1), scope.n_tokens - position);
    if (n_rows <= 0) return;
    parallel_for(s.n_kv_heads, [&](std::int64_t kv_head) {
      ViolationReport found;
      found.window = n;
      for (std::int64_t i = 0; i < s.group_size(); ++i) {
        const std::int64_t head = kv_head * s.group_size() + i;
        const NdView<const float, 2> rows(scores.sub(head).data(), {n_rows, scores.shape(2)});
        find_violations(rows, position, static_cast<std::int32_t>(layer),
                        static_cast<std::int32_t>(head), scope.violation, found);
      }
      AttentionSums& of = sums[static_cast<std::size_t>(kv_head)];
      of.n_violations += std::ssize(found.violations);
      of.n_eligible += found.n_eligible;
    });
  };
  for_each_score_block(capture, layer, n, count, work);
}

}  // namespace

NdArray<double, 3> measure_heads(const CaptureView& capture, const HeadScope& scope,
                                 const Work& work) {
  const CaptureInfo& info = capture.info();
  const ModelShape& s = info.shape;
  const std::int64_t n_layers = info.n_captured_layers(), n_tokens = scope.n_tokens;
  const auto all = head_statistics();
  NdArray<double, 3> out({std::ssize(all), n_layers, s.n_kv_heads});
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"statistics", layer, n_layers, "layers"});
    const auto key = capture.key(layer), value = capture.value(layer);
    NdArray<double, 2> norms;
    if (info.has_queries) norms = squared_norms(capture.query(layer)->view(), n_tokens);
    AllSums sums(static_cast<std::size_t>(s.n_kv_heads));
    if (info.profile != AttentionProfile::none) {
      add_rows(capture, layer, scope, sums, work);
      add_violations(capture, layer, scope, sums, work);
    }
    parallel_for(s.n_kv_heads, [&](std::int64_t kv_head) {
      HeadFacts head{.key = {key->sub(kv_head).data(), {n_tokens, s.head_dim}},
                     .value = {value->sub(kv_head).data(), {n_tokens, s.head_dim}},
                     .query_norm = {},
                     .attention = sums[static_cast<std::size_t>(kv_head)]};
      if (!norms.empty()) {
        head.query_norm = {norms.sub(kv_head * s.group_size()).data(), {s.group_size(), n_tokens}};
      }
      for (std::size_t i = 0; i < all.size(); ++i) {
        out(static_cast<std::int64_t>(i), layer, kv_head) = all[i].of(head);
      }
    });
  }
  work.report({"statistics", n_layers, n_layers, "layers"});
  return out;
}

}  // namespace qaq
