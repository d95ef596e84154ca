#include "core/replay/streaming.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/qaq_policy.h"
#include "core/quant/cache_codec.h"
#include "core/replay/cache_replay.h"
#include "core/replay/cache_stream.h"
#include "core/replay/capture_rows.h"
#include "core/replay/row_errors.h"
#include "core/tensor/product_check.h"

namespace qaq {
namespace {

std::int64_t checked_prefill(const CaptureInfo& info, std::int64_t prefill) {
  const std::int64_t n = info.n_tokens;
  if (n < 2 || info.layers.empty()) {
    refuse_input(
        {.file = info.name,
         .what = cat("holds ", n, n == 1 ? " token" : " tokens", ", which leaves none to decode"),
         .cure = "capture at least 2"});
  }
  if (prefill < 0 || prefill >= n) {
    refuse_usage({.place = "--prefill",
                  .what = cat(prefill, " leaves nothing to decode of ", n, " tokens"),
                  .cure = cat("give 1 to ", n - 1)});
  }
  if (prefill > 0) return prefill;
  return info.n_prompt > 0 && info.n_prompt < n ? info.n_prompt : n / 2;
}

// What asks for no more than the newest rows.
std::string window_settings(const CachePolicy& policy, const StreamingParams& params) {
  if (params.importance != ImportanceRule::window_max) return "importance=window_max";
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto importance = policy.needs(side).importance;
    if (!importance || !importance->follows_all_rows()) continue;
    return cat(name_of(side), importance->adaptive ? ".window_rule=fixed" : ".sensitivity=window");
  }
  return {};
}

void require_rows(const CaptureInfo& info, const CachePolicy& policy, const StreamingParams& params,
                  std::int64_t first, std::int64_t prefill) {
  if (info.profile == AttentionProfile::none || info.query_token.empty()) {
    refuse_input({.file = info.name,
                  .place = "/entry/attention",
                  .what = "holds no attention, which streaming follows row by row",
                  .cure = "capture again with --attention derive"});
  }
  const std::int64_t captured = info.query_token.front();
  if (captured <= first && info.n_query_rows() == info.n_tokens - captured) return;
  const std::string window = window_settings(policy, params);
  const std::int64_t enough = prefill + captured - first;
  refuse_input({.file = info.name,
                .place = "/entry/attention",
                .what = cat("lacks the attention rows ", first, " to ", captured - 1,
                            " that the prompt's bits follow from"),
                .cure = cat("capture again with --attention derive, or ",
                            window.empty() && enough < info.n_tokens ? cat("--prefill ", enough)
                                                                     : cat("--set ", window))});
}

// Keys, values and queries of all layers.
class HeldCapture {
 public:
  HeldCapture(const CaptureView& capture, const Work& work) {
    const CaptureInfo& info = capture.info();
    layers_.shape = {info.n_captured_layers(), info.shape.n_kv_heads, info.n_tokens,
                     info.shape.head_dim};
    for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
      work.report({"read", layer, info.n_captured_layers(), "layers"});
      work.throw_if_stopped();
      layers_.key.push_back(hold(capture.key(layer)));
      layers_.value.push_back(hold(capture.value(layer)));
      if (info.has_queries) layers_.query.push_back(hold(capture.query(layer)));
    }
  }
  const StreamedLayers& layers() const { return layers_; }

 private:
  NdView<const float, 3> hold(SharedArray<float, 3> array) {
    held_.push_back(std::move(array));
    return held_.back()->view();
  }
  std::vector<SharedArray<float, 3>> held_;
  StreamedLayers layers_;
};

// Gives the rows of all layers position by position, from blocks of rows: some 64 MB of scores.
class RowReader {
 public:
  explicit RowReader(const CaptureView& capture) : capture_(capture) {
    const CaptureInfo& info = capture.info();
    constexpr std::int64_t kScores = 16 << 20;
    const std::int64_t a_row = info.shape.n_heads * info.n_tokens * info.n_captured_layers();
    n_block_ = std::clamp<std::int64_t>(kScores / a_row, 1, 64);
    for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
      rows_.emplace_back(Shape<3>{info.shape.n_heads, 1, info.n_tokens});
    }
  }
  /// By layer: (n_heads, 1, T). Positions ascend.
  std::span<const NdArray<float, 3>> at(std::int64_t position) {
    const CaptureInfo& info = capture_.info();
    const std::int64_t row = first_row_behind(info, position);
    if (block_.empty() || row >= first_ + n_block_) {
      first_ = row;
      block_.clear();
      const std::int64_t count = std::min(n_block_, info.n_query_rows() - row);
      for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
        block_.push_back(capture_.attention(layer, row, count));
      }
    }
    parallel_for(info.n_captured_layers(), [&](std::int64_t layer) {
      const auto i = static_cast<std::size_t>(layer);
      for (std::int64_t head = 0; head < info.shape.n_heads; ++head) {
        const auto from = block_[i]->view().sub(head, row - first_).span();
        std::copy(from.begin(), from.end(), rows_[i].sub(head).data());
      }
    });
    return rows_;
  }

 private:
  const CaptureView& capture_;
  std::int64_t n_block_ = 1;
  std::int64_t first_ = 0;
  std::vector<SharedArray<float, 3>> block_;
  std::vector<NdArray<float, 3>> rows_;
};

class Stream {
 public:
  Stream(const CaptureView& capture, const StreamingOptions& options, const CachePolicy& policy,
         const Work& work)
      : info_(capture.info()),
        params_(options.streaming),
        sparse_top_k_(options.params.sparse_top_k),
        held_(capture, work),
        caches_({policy, held_.layers(), params_, info_.name}) {
    caches_.append(info_.n_tokens);  // plans see the first of them
  }

  // The rows as they are over what is left of the tokens before.
  std::span<const NdArray<float, 3>> attended(std::span<const NdArray<float, 3>> rows) {
    const SharedArray<std::uint8_t, 3>& kept = caches_.kept();
    if (!kept) return rows;
    attended_.resize(rows.size());
    parallel_for(n_layers(), [&](std::int64_t layer) {
      const auto i = static_cast<std::size_t>(layer);
      attended_[i] = rows[i].copy();
      leave_out_evicted(kept->sub(layer), attended_[i].view());
    });
    return attended_;
  }

  void push(std::int64_t position, std::span<const NdArray<float, 3>> rows) {
    parallel_for(n_layers(), [&](std::int64_t layer) {
      caches_.push(layer, position, rows[static_cast<std::size_t>(layer)].view());
    });
  }
  CacheStream& caches() { return caches_; }

  // Errors of the step's row, which is row `index` of the result's.
  void measure(std::int64_t index, std::span<const NdArray<float, 3>> rows, StreamingStep& step,
               StreamingResult& result) const {
    const StreamedLayers& layers = held_.layers();
    const auto position = static_cast<std::int32_t>(step.token);
    parallel_for(n_layers(), [&](std::int64_t layer) {
      const auto i = static_cast<std::size_t>(layer);
      const LayerCaches caches{
          layers.query[i],
          caches_.cache(CacheSide::key).layer(layer),
          layers.value[i],
          caches_.cache(CacheSide::value).layer(layer),
          info_.n_tokens,
          info_.score_rule(layer).with_top_k(sparse_top_k_),
          caches_.kept() ? caches_.kept()->sub(layer) : NdView<const std::uint8_t, 2>{}};
      const RowErrors errors = row_errors(caches, rows[i].view(), std::span(&position, 1));
      for (std::int64_t head = 0; head < info_.shape.n_heads; ++head) {
        result.attention_error(layer, head, index) = static_cast<float>(errors.attention(head, 0));
        result.output_error(layer, head, index) = static_cast<float>(errors.output(head, 0));
      }
    });
    for (std::int64_t layer = 0; layer < n_layers(); ++layer) {
      for (std::int64_t head = 0; head < info_.shape.n_heads; ++head) {
        step.attention_error += result.attention_error(layer, head, index);
        step.output_error += result.output_error(layer, head, index);
      }
    }
    const auto n_rows = static_cast<double>(n_layers() * info_.shape.n_heads);
    step.attention_error /= n_rows * static_cast<double>(step.token + 1);
    step.output_error /= n_rows;
  }

  StreamedFinal last(CacheSide side, int dtype_bits) const;

 private:
  std::int64_t n_layers() const { return info_.n_captured_layers(); }

  const CaptureInfo& info_;
  const StreamingParams& params_;
  std::int64_t sparse_top_k_;
  HeldCapture held_;
  CacheStream caches_;
  std::vector<NdArray<float, 3>> attended_;
};

void mark_outliers(const UnitStats& stats, std::span<const float> exact,
                   std::span<std::uint8_t> mask) {
  for (std::size_t d = 0; d < exact.size(); ++d) {
    if (stats.is_outlier(exact[d], static_cast<std::int64_t>(d))) {
      mask[d / 8] = static_cast<std::uint8_t>(mask[d / 8] | (0x80u >> (d % 8)));
    }
  }
}

double squared_error(std::span<const float> held, std::span<const float> exact) {
  double sum = 0;
  for (std::size_t d = 0; d < held.size(); ++d) {
    const auto error = static_cast<double>(held[d] - exact[d]);  // as quantize_layer() has it
    sum += error * error;
  }
  return sum;
}

StreamedFinal Stream::last(CacheSide side, int dtype_bits) const {
  const StreamedCache& cache = caches_.cache(side);
  const std::span<const UnitStats> stats = caches_.planner(side).stats();
  const CacheShape& shape = held_.layers().shape;
  const Plan& plan = cache.held();
  const Shape<3> cells{shape.n_layers, shape.n_kv_heads, shape.n_tokens};
  StreamedFinal out;
  out.bits = NdArray<std::uint8_t, 3>(cells, static_cast<std::uint8_t>(dtype_bits));
  out.outliers = NdArray<std::uint8_t, 4>(
      {shape.n_layers, shape.n_kv_heads, shape.n_tokens, (shape.head_dim + 7) / 8});
  out.values =
      NdArray<float, 4>({shape.n_layers, shape.n_kv_heads, shape.n_tokens, shape.head_dim});
  out.error = NdArray<float, 3>(cells);
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    const auto held = cache.layer(layer);
    const CacheLayer exact = held_.layers().of(side)[static_cast<std::size_t>(layer)];
    std::ranges::copy(held.span(), out.values.sub(layer).data());
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      for (std::int64_t token = 0; token < plan.layout.shape().n_tokens; ++token) {
        std::uint8_t& bits = out.bits(layer, head, token);
        if (!plan.is_kept(layer, head, token)) {
          bits = CacheReplay::kEvicted;
          out.error(layer, head, token) = std::numeric_limits<float>::quiet_NaN();
          continue;
        }
        if (plan.keeps_all()) continue;
        const auto row = exact.sub(head, token).span();
        if (plan.codec) {
          bits = static_cast<std::uint8_t>(
              plan.codec->n_bits(layer, head, token).value_or(dtype_bits));
        } else {
          const auto unit = static_cast<std::size_t>(plan.layout.unit(layer, head, token));
          bits = plan.n_bits[unit];
          mark_outliers(stats[unit].behind(plan.layout.first_in_unit(layer, head)), row,
                        out.outliers.sub(layer, head, token).span());
        }
        out.error(layer, head, token) = static_cast<float>(
            squared_error(held.sub(head, token).span(), row) / static_cast<double>(shape.head_dim));
      }
    }
  }
  return out;
}

}  // namespace

std::int64_t token_bytes(const CacheShape& shape) {
  return 2 * shape.n_layers * shape.n_kv_heads * shape.head_dim * kStreamedBytes;
}

SharedStreaming stream(const CaptureView& capture, const StreamingOptions& options,
                       const Work& work) {
  require_right_products();
  const CaptureInfo& info = capture.info();
  validate(options.streaming);
  refuse_eviction(options.params, "a replay step by step");
  const auto planning = planning_policy(options.policy, options.params, options.streaming);
  const CachePolicy& policy = *planning;
  const std::int64_t prefill = checked_prefill(info, options.prefill);
  const std::int64_t first = first_row_needed(policy, options.streaming, prefill);
  require_rows(info, policy, options.streaming, first, prefill);

  const auto result = std::make_shared<StreamingResult>();
  result->policy = policy.name();
  result->parameters =
      options.policy ? options.policy->parameters() : list_parameters(options.params);
  for (Parameter& parameter : list_parameters(options.streaming)) {
    result->parameters.push_back(std::move(parameter));
  }
  result->n_tokens = info.n_tokens;
  result->prefill = prefill;
  result->has_errors = info.has_queries;
  const std::int64_t n_steps = info.n_tokens - prefill;
  if (result->has_errors) {
    const Shape<3> shape{info.n_captured_layers(), info.shape.n_heads, n_steps};
    result->attention_error = NdArray<float, 3>(shape);
    result->output_error = NdArray<float, 3>(shape);
  }

  Stream stream(capture, options, policy, work);
  if (const TokenRetention* retention = policy.retention()) {
    stream.caches().keep(keep_prompt(capture, *retention, prefill, work));
  }
  RowReader reader(capture);
  for (std::int64_t s = first; s < info.n_tokens; ++s) {
    work.report({"decode", s, info.n_tokens, "tokens"});
    work.throw_if_stopped();
    const auto rows = reader.at(s);
    StreamingStep step;
    step.token = s;
    if (s >= prefill && result->has_errors) stream.measure(s - prefill, rows, step, *result);
    const auto attended = s < prefill ? rows : stream.attended(rows);
    stream.push(s, attended);
    if (s + 1 < prefill) continue;
    stream.caches().follow(prefill, attended, step);
    if (s + 1 == prefill) {
      result->prefill_step = step;
    } else {
      result->unit_steps += stream.caches().n_units();
      result->steps.push_back(step);
    }
  }
  work.report({"decode", info.n_tokens, info.n_tokens, "tokens"});
  result->key = stream.last(CacheSide::key, policy.dtype_bits());
  result->value = stream.last(CacheSide::value, policy.dtype_bits());
  result->full_bytes = result->steps.back().full_bytes;
  return result;
}

}  // namespace qaq
