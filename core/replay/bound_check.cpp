#include "core/replay/bound_check.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/model/attention_window.h"
#include "core/policy/query_norms.h"
#include "core/replay/bound_rows.h"
#include "core/replay/bound_sums.h"
#include "core/replay/capture_rows.h"
#include "core/replay/planner.h"
#include "core/replay/rounding_noise.h"
#include "core/tensor/product_check.h"

namespace qaq {
namespace {

constexpr std::int64_t kBlockRows = 64;

std::size_t index_of(Promise promise) { return static_cast<std::size_t>(promise); }

// What one query head did under one promise, in sums.
struct HeadSums {
  AchievedSums replayed, drawn;
  std::array<ConditionCount, kBoundConditions> conditions{};
  std::int64_t n_over_unbroken = 0;
  RatioCounts ratios;

  void add(const HeadSums& other) {
    replayed.add(other.replayed);
    drawn.add(other.drawn);
    for (std::size_t i = 0; i < kBoundConditions; ++i) {
      conditions[i].n_rows += other.conditions[i].n_rows;
      conditions[i].n_over += other.conditions[i].n_over;
    }
    n_over_unbroken += other.n_over_unbroken;
    ratios.add(other.ratios);
  }
  void count(bool over, const BrokenConditions& broken) {
    for (std::size_t i = 0; i < kBoundConditions; ++i) {
      conditions[i].n_rows += broken[i] ? 1 : 0;
      conditions[i].n_over += over && broken[i] ? 1 : 0;
    }
    n_over_unbroken += over && broken.none() ? 1 : 0;
  }
  BoundCell cell(std::int32_t layer, std::int32_t head, bool has_draws) const {
    BoundCell out{.layer = layer, .head = head, .replayed = replayed.achieved()};
    if (has_draws) out.drawn = drawn.achieved();
    out.conditions = conditions;
    out.n_over_unbroken = n_over_unbroken;
    return out;
  }
};
using PromiseSums = std::array<HeadSums, kPromises>;

void require_rows(const CaptureInfo& info) {
  if (!info.has_queries) {
    refuse_input({.file = info.name,
                  .place = "/entry/query",
                  .what = "holds no queries to compute scores of the quantized keys with",
                  .cure = "capture again without --no-queries"});
  }
  if (info.profile == AttentionProfile::none || info.n_query_rows() == 0) {
    refuse_input({.file = info.name,
                  .place = "/entry/attention",
                  .what = "holds no attention rows to check a promise on",
                  .cure = "capture again with --attention derive"});
  }
}

class Checker {
 public:
  Checker(const CaptureView& capture, const BoundCheckOptions& options, const Work& work)
      : capture_(capture), options_(options), work_(work) {
    require_all_keys(options.replay.params, "no promise covers the scores that it leaves out");
    require_rows(capture.info());
    prefix_ = checked_prefix(capture.info(), options.replay.prefix);
    refuse_eviction(options.replay.params, "--check-bound");
    refuse_plan_stride(options.replay.params, "--check-bound");
    Planner planner(capture,
                    options.see_future ? ImportanceRows::replayed : ImportanceRows::window);
    const QaqPolicy policy(options.replay.params);
    key_ = promising_cache(policy, planner.view(policy, CacheSide::key, prefix_, work));
    value_ = promising_cache(policy, planner.view(policy, CacheSide::value, prefix_, work));
    // The statistics outlive the planner.
    key_stats_.assign(key_.planned.stats.begin(), key_.planned.stats.end());
    value_stats_.assign(value_.planned.stats.begin(), value_.planned.stats.end());
    key_.planned.stats = key_stats_;
    value_.planned.stats = value_stats_;
    choose_promises();
  }

  BoundCheck run() {
    const CaptureInfo& info = capture_.info();
    BoundCheck out;
    out.prefix = prefix_;
    out.in_sample = first_row_behind(info, prefix_) == info.n_query_rows();
    out.see_future = options_.see_future;
    out.n_draws = options_.n_draws;
    out.seed = options_.seed;
    out.key_mean_bits = key_.planned.plan.mean_bits();
    out.value_mean_bits = value_.planned.plan.mean_bits();
    out.promises = reports_;
    PromiseSums all;
    for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
      work_.report({"promises", layer, info.n_captured_layers(), "layers"});
      const std::vector<PromiseSums> heads = check_layer(layer);
      for (std::size_t head = 0; head < heads.size(); ++head) {
        for (PromiseReport& report : out.promises) {
          const HeadSums& sums = heads[head][index_of(report.promise)];
          all[index_of(report.promise)].add(sums);
          report.cells.push_back(sums.cell(info.layers[static_cast<std::size_t>(layer)],
                                           static_cast<std::int32_t>(head), options_.n_draws > 0));
        }
      }
    }
    // Entries are averaged within a head, so the largest of all is that of the worst head.
    for (PromiseReport& report : out.promises) {
      report.all = all[index_of(report.promise)].cell(0, 0, options_.n_draws > 0);
      report.ratios = all[index_of(report.promise)].ratios;
      report.all.replayed.entry_rms = 0;
      for (const BoundCell& cell : report.cells) {
        report.all.replayed.entry_rms =
            std::max(report.all.replayed.entry_rms, cell.replayed.entry_rms);
      }
    }
    work_.report({"promises", info.n_captured_layers(), info.n_captured_layers(), "layers"});
    return out;
  }

 private:
  void choose_promises() {
    const double key_e = key_.params.target_quantization_error;
    const double value_e = value_.params.target_quantization_error;
    const bool of_outputs =
        key_.params.variant == Variant::bound && key_.params.bound_target == BoundTarget::output;
    const auto want = [&](Promise promise, double e, BrokenConditions rests_on) {
      wanted_[index_of(promise)] = true;
      reports_.push_back({.promise = promise, .e = e, .rests_on = rests_on});
    };
    if (key_.promises()) {
      want(of_outputs ? Promise::key_outputs : Promise::scores, key_e, key_.relevant());
    }
    if (value_.promises()) want(Promise::value_outputs, value_e, value_.relevant());
    if (key_.promises() && value_.promises()) {
      want(Promise::outputs, of_outputs ? std::hypot(key_e, value_e) : value_e,
           key_.relevant() | value_.relevant());
      reports_.back().promised = of_outputs;
    }
    if (reports_.empty()) {
      refuse_usage({.place = "--check-bound",
                    .what = "neither cache promises anything: its bits are fixed, or it is exact",
                    .cure = "set use_attentions=true and a level other than no-quantization"});
    }
  }

  // Sums of each query head of a layer.
  std::vector<PromiseSums> check_layer(std::int64_t layer) const {
    const CaptureInfo& info = capture_.info();
    const std::int64_t n_heads = info.shape.n_heads, n_rows = info.n_query_rows();
    const SharedArray<float, 3> query = capture_.query(layer);
    const SharedArray<float, 3> key = capture_.key(layer), value = capture_.value(layer);
    const SharedArray<float, 3> new_key = quantized_layer(capture_, key_.planned, layer);
    const SharedArray<float, 3> new_value = quantized_layer(capture_, value_.planned, layer);
    std::vector<PromiseSums> heads(static_cast<std::size_t>(n_heads));
    const std::int64_t step = rows_at_a_time(info);
    for (std::int64_t first = first_replayed_row(info, prefix_); first < n_rows; first += step) {
      work_.throw_if_stopped();
      const std::int64_t count = std::min(step, n_rows - first);
      const SharedArray<float, 3> scores = capture_.attention(layer, first, count);
      const std::int64_t n_blocks = (count + kBlockRows - 1) / kBlockRows;
      std::vector<PromiseSums> pieces(static_cast<std::size_t>(n_heads * n_blocks));
      parallel_for(n_heads * n_blocks, [&](std::int64_t task) {
        const std::int64_t head = task / n_blocks, row = task % n_blocks * kBlockRows;
        const std::int64_t kv_head = head / info.shape.group_size();
        const std::int64_t n = std::min(kBlockRows, count - row);
        const auto positions =
            std::span(info.query_token)
                .subspan(static_cast<std::size_t>(first + row), static_cast<std::size_t>(n));
        const Shape<2> keys{positions.back() + 1, info.shape.head_dim};
        BoundBlock block;
        block.query = query->sub(head);
        block.scores = {scores->sub(head, row).data(), {n, scores->shape(2)}};
        block.key = {key->sub(kv_head).data(), keys};
        block.value = {value->sub(kv_head).data(), keys};
        block.new_key = {new_key->sub(kv_head).data(), keys};
        block.new_value = {new_value->sub(kv_head).data(), keys};
        block.positions = positions;
        block.rule = info.score_rule(layer).of_head(head);
        pieces[static_cast<std::size_t>(task)] = check_block(layer, kv_head, block);
      });
      for (std::size_t task = 0; task < pieces.size(); ++task) {
        PromiseSums& sums = heads[task / static_cast<std::size_t>(n_blocks)];
        for (std::size_t p = 0; p < kPromises; ++p) sums[p].add(pieces[task][p]);
      }
    }
    return heads;
  }

  PromiseSums check_block(std::int64_t layer, std::int64_t kv_head, const BoundBlock& block) const {
    const auto width = static_cast<double>(block.key.shape(1));
    const auto divisor = [&](Promise p) { return p == Promise::scores ? 1.0 : width; };
    const BlockMeter meter(block);
    PromiseErrors errors, drawn;
    meter.add(block.new_key, block.new_value, wanted_, errors);
    draw_block(layer, kv_head, block, meter, drawn);
    PromiseSums sums;
    for (const PromiseReport& report : reports_) {
      const std::size_t p = index_of(report.promise);
      sums[p].replayed.add(errors[p], divisor(report.promise), report.e, false);
      if (!drawn[p].empty()) {
        sums[p].drawn.add(drawn[p], divisor(report.promise), report.e, true);
      }
    }
    for (std::int64_t row = 0; row < block.scores.shape(0); ++row) {
      const BoundRow at = bound_row(layer, kv_head, block, row);
      const BrokenConditions of_key =
          key_.promises() ? broken_conditions(key_, at) : BrokenConditions();
      const BrokenConditions of_value =
          value_.promises() ? broken_conditions(value_, at) : BrokenConditions();
      for (const PromiseReport& report : reports_) {
        const std::size_t p = index_of(report.promise);
        BrokenConditions broken = of_key | of_value;
        if (report.promise == Promise::value_outputs) broken = of_value;
        if (report.promise == Promise::scores || report.promise == Promise::key_outputs) {
          broken = of_key;
        }
        const double error = row_error(errors[p], row, divisor(report.promise));
        sums[p].count(error > report.e, broken);
        sums[p].ratios.add(error / report.e);
      }
    }
    return sums;
  }

  // The mean squares over draws of what evenly distributed rounding errors do.
  void draw_block(std::int64_t layer, std::int64_t kv_head, const BoundBlock& block,
                  const BlockMeter& meter, PromiseErrors& drawn) const {
    NdArray<float, 2> key(block.key.shape()), value(block.value.shape());
    const auto draw_one = [&](const PromisingCache& cache, std::int64_t draw,
                              const NdView<const float, 2>& exact,
                              const NdView<const float, 2>& quantized, NdArray<float, 2>& out) {
      if (!cache.promises()) return quantized;
      add_rounding_noise(cache.planned, cache.steps, {options_.seed, draw, layer, kv_head}, exact,
                         out.view());
      return NdView<const float, 2>(out.view());
    };
    for (std::int64_t draw = 0; draw < options_.n_draws; ++draw) {
      work_.throw_if_stopped();
      const auto k = draw_one(key_, draw, block.key, block.new_key, key);
      const auto v = draw_one(value_, draw, block.value, block.new_value, value);
      meter.add(k, v, wanted_, drawn);
    }
    for (SquaredErrors& squares : drawn) {
      for (double& square : squares.span()) square /= static_cast<double>(options_.n_draws);
    }
  }

  static BoundRow bound_row(std::int64_t layer, std::int64_t kv_head, const BoundBlock& block,
                            std::int64_t row) {
    const std::int64_t position = block.positions[static_cast<std::size_t>(row)];
    return {.layer = layer,
            .kv_head = kv_head,
            .first_key = first_key_seen(position + 1, block.rule.window),
            .position = position,
            .squared_norm = squared_norm(block.query.sub(position).span()),
            .scores = block.scores.sub(row).span()};
  }

  const CaptureView& capture_;
  const BoundCheckOptions& options_;
  const Work& work_;
  std::int64_t prefix_ = 0;
  PromisingCache key_, value_;
  std::vector<UnitStats> key_stats_, value_stats_;
  std::array<bool, kPromises> wanted_{};
  std::vector<PromiseReport> reports_;  // without cells
};

}  // namespace

std::shared_ptr<const BoundCheck> check_bound(const CaptureView& capture,
                                              const BoundCheckOptions& options, const Work& work) {
  require_right_products();
  return std::make_shared<const BoundCheck>(Checker(capture, options, work).run());
}

}  // namespace qaq
