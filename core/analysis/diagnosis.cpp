#include "core/analysis/diagnosis.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "core/analysis/diagnosis_limits.h"
#include "core/analysis/shortest_prefix.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/captured_layers.h"

namespace qaq {
namespace {

constexpr std::int64_t kUsualReplays = 40;
constexpr std::int64_t kMostNamed = 4;            // layers that a replay's label lists
constexpr std::uint8_t kSetting = 1, kOther = 2;  // sources of the mixed run

using Cells = std::vector<std::int64_t>;

/// Parts of a cache (layers, heads or single cells), strongest first.
struct Order {
  struct Part {
    double score = 0;
    Cells cells;
  };
  std::vector<Part> parts;

  Cells first(std::int64_t n) const {
    Cells out;
    for (std::int64_t i = 0; i < n; ++i) {
      const Cells& more = parts[static_cast<std::size_t>(i)].cells;
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }
};

Work silent(const Work& work) { return Work(nullptr, work.stop_token()); }

const char* plural_of(std::optional<CacheSide> side) {
  return !side ? "keys and values" : *side == CacheSide::key ? "keys" : "values";
}

class Search {
 public:
  Search(MixedRun& run, const DiagnosisOptions& options, const Work& work)
      : run_(run),
        options_(options),
        work_(work),
        quantizer_(run.capture(), run.n_prefix()),
        n_before_(run.n_replays()) {
    require_all_keys(options.params, "no cell is to blame for the keys that it leaves out");
  }

  Diagnosis diagnose() {
    quantize();
    what();
    if (out_.outcome == DiagnosisOutcome::unexplained) {
      where();
      why();
    }
    out_.n_replays = run_.n_replays() - n_before_;
    work_.report({"diagnose", out_.n_replays, out_.n_replays, "replays"});
    return std::move(out_);
  }

  NdArray<float, 2> heads(std::int64_t step, CacheSide side) {
    quantize();
    const ModelShape& s = run_.spec().shape;
    NdArray<float, 2> out({s.n_layers, s.n_kv_heads});
    std::int64_t done = 0;
    for (std::int64_t layer = 0; layer < s.n_layers; ++layer) {
      for (std::int64_t head = 0; head < s.n_kv_heads; ++head) {
        work_.throw_if_stopped();
        work_.report({"heads", done++, out.size(), "replays"});
        Mix mix = run_.mix(kSetting);
        std::ranges::fill(mix.sub(static_cast<std::int64_t>(side), layer, head).span(),
                          MixedRun::kExact);
        const MixedScore score = run_.replay(mix, step, silent(work_));
        out(layer, head) = static_cast<float>(score.score.kl);
      }
    }
    work_.report({"heads", done, done, "replays"});
    return out;
  }

 private:
  void quantize() {
    setting_ = quantizer_.quantize({.params = options_.params}, silent(work_), options_.fault);
    run_.set_source(kSetting, setting_.source);
  }

  // Step 1: which predictions broke, and is it quantization at all?
  void what() {
    out_.params = options_.params;
    out_.coin_flip_margin = options_.coin_flip_margin;
    out_.n_prefix = run_.n_prefix();
    const auto prefix = run_.ids().first(static_cast<std::size_t>(out_.n_prefix));
    out_.prefix_ids.assign(prefix.begin(), prefix.end());
    out_.own_text_parts = options_.own_text_parts;
    const Mix all = run_.mix(kSetting);
    out_.n_cells = all.size();
    report();
    const auto scores = run_.replay_rows(all, silent(work_));
    for (std::int64_t row = 0; row < run_.n_rows(); ++row) {
      DiagnosedStep step;
      step.position = run_.n_prefix() + row;
      step.token = run_.ids()[static_cast<std::size_t>(step.position)];
      step.score = scores[static_cast<std::size_t>(row)];
      if (!step.score.score.same_top) {
        step.verdict = step.score.score.margin < options_.coin_flip_margin ? StepVerdict::coin_flip
                                                                           : StepVerdict::diverged;
      } else if (options_.own_text_parts && row > *options_.own_text_parts) {
        step.verdict = StepVerdict::downstream;
      }
      out_.steps.push_back(step);
    }
    choose_step();
    before_ = out_.explained().score;
    out_.exact_kl = replay({"check", "nothing quantized"}, run_.mix(MixedRun::kExact), 0).kl;
    // The replay ran alone, the first one with rows behind it: the same numbers but for rounding.
    if (out_.exact_kl > kRoundingKl || !out_.replays.back().top_restored) {
      out_.outcome = DiagnosisOutcome::not_quantization;
    } else if (before_.score.kl > kRoundingKl) {
      out_.outcome = DiagnosisOutcome::unexplained;
    }
  }

  void choose_step() {
    const auto& steps = out_.steps;
    const auto n = std::ssize(steps);
    if (options_.step) {
      if (*options_.step < 0 || *options_.step >= n) {
        refuse_usage({.place = "--step",
                      .what = cat(*options_.step, " is out of range"),
                      .cure = cat("give 0 to ", n - 1)});
      }
      out_.step = *options_.step;
      out_.why_step = "asked for";
      return;
    }
    const auto first = std::ranges::find(steps, StepVerdict::diverged, &DiagnosedStep::verdict);
    if (first != steps.end()) {
      out_.step = first - steps.begin();
      out_.why_step = "the first that diverged";
      return;
    }
    const auto most = std::ranges::max_element(
        steps, {}, [](const DiagnosedStep& step) { return step.score.score.kl; });
    out_.step = most - steps.begin();
    out_.why_step = "none diverged: the one of the largest KL";
  }

  // Step 2: the fewest cells whose exactness repairs the step.
  void where() {
    scores_ =
        cell_scores(run_.capture(), setting_.source, run_.n_prefix(), out_.explained().position);
    fill_head_scores();
    out_.side = failing_side();
    const Order layers = order([](const CellAddress& c) { return c.layer; }, {});
    const Order in_layers = narrowed(layers, "layers", [this](std::int64_t n, const Order& all) {
      std::vector<std::int32_t> named;
      for (std::int64_t i = 0; i < n; ++i) named.push_back(layer_of(all, i));
      std::ranges::sort(named);
      return std::ssize(named) > kMostNamed
                 ? cat(n, " strongest layers")
                 : cat(named.size() == 1 ? "layer " : "layers ", layer_list(named));
    });
    const std::int64_t n_heads = run_.spec().shape.n_kv_heads;
    const Order heads = order(
        [&](const CellAddress& c) {
          return (c.side == CacheSide::key ? 0 : 1) + 2 * (c.layer * n_heads + c.kv_head);
        },
        in_layers.first(std::ssize(in_layers.parts)));
    const Order in_heads = narrowed(heads, "heads", [this](std::int64_t n, const Order& all) {
      const CellAddress cell = address(all.parts.front().cells.front());
      return n == 1 ? cat(name_of(cell.side), "s of layer ", model_layer(cell.layer), ", KV head ",
                          cell.kv_head)
                    : cat(n, " strongest heads");
    });
    const Order cells = order({}, in_heads.first(std::ssize(in_heads.parts)));
    const Order found = narrowed(cells, "cells", [this](std::int64_t n, const Order& all) {
      return n == 1 ? cell_text(all.parts.front().cells.front()) : cat(n, " strongest cells");
    });
    suspects_ = found.first(std::ssize(found.parts));
    for (const std::int64_t index : suspects_) {
      const std::int32_t layer = model_layer(address(index).layer);
      if (std::ranges::find(out_.layers, layer) == out_.layers.end()) out_.layers.push_back(layer);
      out_.cells.push_back(diagnosed_cell(setting_, run_.capture().info(), address(index),
                                          scores_.span()[static_cast<std::size_t>(index)]));
    }
    alone(layers, heads, cells);
  }

  // Which cache left exact repairs: one if it can, the one that leaves less where both can.
  std::optional<CacheSide> failing_side() {
    const Cells keys = side_cells(CacheSide::key), values = side_cells(CacheSide::value);
    const DiagnosisReplay& key = exact_replay("side", "keys", keys);
    const double key_kl = key.kl;
    const bool key_repairs = key.repaired;
    const DiagnosisReplay& value = exact_replay("side", "values", values);
    if (key_repairs && value.repaired) {
      return key_kl <= value.kl ? CacheSide::key : CacheSide::value;
    }
    if (key_repairs) return CacheSide::key;
    if (value.repaired) return CacheSide::value;
    return {};
  }

  // The shortest beginning of an order whose exactness repairs.
  template <class Label>
  Order narrowed(const Order& all, const std::string& stage, const Label& label) {
    const PrefixFound found = shortest_prefix({.n = std::ssize(all.parts)}, [&](std::int64_t n) {
      return exact_replay(stage, label(n, all), all.first(n)).repaired;
    });
    if (stage == "cells") out_.n_not_enough = found.fails;
    Order out;
    out.parts.assign(all.parts.begin(), all.parts.begin() + found.holds);
    return out;
  }

  // "layer ", or "keys of layer " where they alone are to blame.
  std::string of_blame(const std::string& what) const {
    return out_.side ? cat(plural_of(out_.side), " of ", what) : what;
  }

  // The strongest parts by themselves: exact, and quantized.
  void alone(const Order& layers, const Order& heads, const Order& cells) {
    const auto quantized = [&](const std::string& label, const Cells& part) {
      Mix mix = run_.mix(MixedRun::kExact);
      for (const std::int64_t index : part) mix.span()[static_cast<std::size_t>(index)] = kSetting;
      return replay({"alone", label}, mix, out_.n_cells - std::ssize(part));
    };
    const std::int64_t n_layers = std::min<std::int64_t>(2, std::ssize(layers.parts));
    harmless_alone_ = true;
    for (std::int64_t i = 0; i < n_layers; ++i) {
      const auto& part = layers.parts[static_cast<std::size_t>(i)];
      const DiagnosisReplay one =
          quantized(cat(of_blame("layer "), layer_of(layers, i), " alone"), part.cells);
      const bool harmless = one.top_restored && one.kl <= kConfirmedShare * before_.score.kl;
      harmless_alone_ = harmless_alone_ && harmless;
    }
    const CellAddress head = address(heads.parts.front().cells.front());
    quantized(cat(name_of(head.side), "s of layer ", model_layer(head.layer), ", KV head ",
                  head.kv_head, " alone"),
              heads.parts.front().cells);
    const CellAddress cell = address(cells.parts.front().cells.front());
    Cells token;
    for (std::int64_t index = 0; index < out_.n_cells; ++index) {
      const CellAddress at = address(index);
      if (at.token == cell.token && (!out_.side || at.side == *out_.side)) token.push_back(index);
    }
    exact_replay("token", cat(of_blame("token "), cell.token), token);
    quantized(cat(of_blame("token "), cell.token, " alone"), token);
  }

  // Step 3: predicates over the suspects, and their counterfactuals.
  void why() {
    const StepReads reads = step_reads(run_.capture(), run_.n_prefix(), out_.explained().position,
                                       options_.params.gqa_reduce);
    CauseContext context{.capture = run_.capture(),
                         .params = options_.params,
                         .violation = options_.violation,
                         .setting = setting_,
                         .scores = scores_,
                         .step = reads,
                         .suspects = suspects_,
                         .key_bias_norms = options_.key_bias_norms,
                         .n_suspect_layers = std::ssize(out_.layers),
                         .harmless_alone = harmless_alone_,
                         .quantizer = quantizer_,
                         .fault = options_.fault,
                         .work = silent(work_)};
    const Cells whole = order({}, {}).first(std::ssize(side_cells(out_.side)));
    std::vector<Trial> open;  // predicates that hold, though they may not be all
    for (const Cause& cause : causes()) {
      context.suspects = suspects_;
      Trial trial = judged(cause, context);
      // What lies in all cells need not show in the fewest that repair when they are exact.
      if (trial.cause.verdict == CauseVerdict::hypothesis && whole.size() > suspects_.size()) {
        context.suspects = whole;
        Trial wider = judged(cause, context);
        if (wider.cause.verdict == CauseVerdict::confirmed ||
            (wider.cause.verdict == CauseVerdict::hypothesis &&
             wider.cause.kl_after < trial.cause.kl_after)) {
          trial = std::move(wider);
        }
      }
      out_.causes.push_back(trial.cause);
      if (trial.cause.n_cells == 0) continue;
      context.suspects = whole;
      trial.found = cause.find(context);
      open.push_back(std::move(trial));
    }
    const auto is_confirmed = [](const DiagnosedCause& cause) {
      return cause.verdict == CauseVerdict::confirmed;
    };
    if (std::ranges::none_of(out_.causes, is_confirmed)) try_together(std::move(open));
    std::ranges::stable_sort(out_.causes, {}, [&](const DiagnosedCause& cause) {
      return std::pair(static_cast<int>(cause.verdict),
                       is_confirmed(cause) ? cause.extra_bytes : cause.kl_after);
    });
    if (is_confirmed(out_.causes.front())) out_.outcome = DiagnosisOutcome::explained;
  }

  // A cause, and what was replayed for it.
  struct Trial {
    DiagnosedCause cause;
    Suspicion found;
  };

  Trial judged(const Cause& cause, const CauseContext& context) {
    Trial out{{.name = std::string(cause.name),
               .title = std::string(cause.title),
               .counterfactual = std::string(cause.counterfactual)},
              cause.find(context)};
    const Suspicion& found = out.found;
    out.cause.evidence = found.evidence;
    if (!found.counterfactual.empty()) out.cause.counterfactual = found.counterfactual;
    out.cause.kl_before = out.cause.kl_after = before_.score.kl;
    out.cause.top_restored = before_.score.same_top;
    if (found.cells.empty()) return out;
    double score = 0, all = 0;
    for (const std::int64_t index : found.cells) score += context.score(index);
    for (const std::int64_t index : context.suspects) all += context.score(index);
    const double share = found.suspect_share.value_or(score) / all;
    if (!(share >= kLeastSuspectShare)) {
      out.cause.evidence += cat(": too few, ", std::llround(100 * share), " % of what they change");
      return out;
    }
    replay_counterfactual({&found, 1}, out.cause);
    return out;
  }

  // Replays the setting with the cells of all these changed by all of them.
  void replay_counterfactual(std::span<const Suspicion> found, DiagnosedCause& cause) {
    SettingChange change{.params = options_.params, .keeps_bits = true};
    Cells changed, exact;
    for (const Suspicion& each : found) {
      if (each.change) each.change(change);
      Cells& cells = each.change ? changed : exact;
      cells.insert(cells.end(), each.cells.begin(), each.cells.end());
    }
    std::optional<SettingCache> other;
    if (!changed.empty()) {
      other = quantizer_.requantize(change, setting_, silent(work_), options_.fault);
      const bool differs = std::ranges::any_of(changed, [&](std::int64_t index) {
        const CellAddress cell = address(index);
        return !std::ranges::equal(other->row(cell), setting_.row(cell));
      });
      if (!differs && exact.empty()) {
        cause.evidence += "; the counterfactual changes none of them";
        return;
      }
      run_.set_source(kOther, other->source);
    }
    Mix mix = run_.mix(kSetting);
    for (const std::int64_t index : changed) mix.span()[static_cast<std::size_t>(index)] = kOther;
    for (const std::int64_t index : exact) {
      mix.span()[static_cast<std::size_t>(index)] = MixedRun::kExact;
    }
    cause.n_cells = 0;
    cause.extra_bytes = 0;
    for (std::int64_t index = 0; index < mix.size(); ++index) {
      const std::uint8_t source = mix.span()[static_cast<std::size_t>(index)];
      if (source == kSetting) continue;
      const CellAddress cell = address(index);
      const double bits = source == kOther ? other->bits_per_value(cell) : kExactBits;
      cause.extra_bytes += (bits - setting_.bits_per_value(cell)) *
                           static_cast<double>(run_.spec().shape.head_dim) / 8;
      ++cause.n_cells;
    }
    const DiagnosisReplay& one =
        replay({"why", cat(cause.title, ": ", cause.counterfactual)}, mix, cause.n_cells);
    cause.kl_before = before_.score.kl;
    cause.kl_after = one.kl;
    cause.top_restored = one.top_restored;
    cause.verdict = one.top_restored && one.kl < kConfirmedShare * before_.score.kl
                        ? CauseVerdict::confirmed
                    : one.kl < kUnmovedShare * before_.score.kl ? CauseVerdict::hypothesis
                                                                : CauseVerdict::ruled_out;
  }

  // None is enough by itself: the strongest two, three, ... of them together.
  void try_together(std::vector<Trial> open) {
    std::ranges::stable_sort(open, {}, [](const Trial& trial) { return trial.cause.kl_after; });
    for (std::size_t n = 2; n <= open.size(); ++n) {
      DiagnosedCause together{.name = "together", .title = "", .counterfactual = ""};
      std::vector<Suspicion> found;
      for (std::size_t i = 0; i < n; ++i) {
        const DiagnosedCause& each = open[i].cause;
        const char* comma = i == 0 ? "" : i + 1 == n ? " and " : ", ";
        together.title += comma + each.title;
        together.counterfactual += (i == 0 ? "" : ", ") + each.counterfactual;
        together.evidence += (i == 0 ? "" : "; ") + each.evidence;
        found.push_back(open[i].found);
      }
      replay_counterfactual(found, together);
      if (together.verdict != CauseVerdict::confirmed) continue;
      out_.causes.push_back(std::move(together));
      return;
    }
  }

  // Replays.
  struct Name {
    std::string stage, label;
  };

  const DiagnosisReplay& exact_replay(const std::string& stage, const std::string& label,
                                      const Cells& cells) {
    Mix mix = run_.mix(kSetting);
    for (const std::int64_t index : cells) {
      mix.span()[static_cast<std::size_t>(index)] = MixedRun::kExact;
    }
    return replay({stage, label + " exact"}, mix, std::ssize(cells));
  }

  // The same mix again costs nothing.
  const DiagnosisReplay& replay(const Name& name, const Mix& mix, std::int64_t n_other) {
    const std::string key(mix.span().begin(), mix.span().end());
    DiagnosisReplay out{name.stage, name.label, n_other};
    const auto known = known_.find(key);
    if (known != known_.end()) {
      out = out_.replays[known->second];
      out.stage = name.stage;
      out.label = name.label;
    } else {
      report();
      const MixedScore score = run_.replay(mix, out_.step, silent(work_));
      out.kl = score.score.kl;
      out.got = score.got;
      out.rank = score.rank;
      out.top_restored = score.got == score.expected;
      out.repaired = out.top_restored && out.kl <= kRepairedShare * before_.score.kl;
      if (key.find(static_cast<char>(kOther)) == std::string::npos)
        known_.emplace(key, out_.replays.size());
    }
    out_.replays.push_back(std::move(out));
    return out_.replays.back();
  }

  void report() const {
    work_.throw_if_stopped();
    // How many there will be is not known; it is seldom more.
    const std::int64_t done = run_.n_replays() - n_before_;
    work_.report({"diagnose", done, std::max(kUsualReplays, done + 1), "replays"});
  }

  // Cells.
  CellAddress address(std::int64_t index) const { return cell_at(scores_, index); }
  std::int32_t model_layer(std::int64_t layer) const {
    return run_.capture().info().layers[static_cast<std::size_t>(layer)];
  }
  std::int32_t layer_of(const Order& layers, std::int64_t i) const {
    return model_layer(address(layers.parts[static_cast<std::size_t>(i)].cells.front()).layer);
  }
  std::string cell_text(std::int64_t index) const {
    const CellAddress cell = address(index);
    return cat(name_of(cell.side), " of layer ", model_layer(cell.layer), ", KV head ",
               cell.kv_head, ", token ", cell.token);
  }
  Cells side_cells(std::optional<CacheSide> side) const {
    Cells out(static_cast<std::size_t>(out_.n_cells));
    std::iota(out.begin(), out.end(), 0);
    if (side) std::erase_if(out, [&](std::int64_t index) { return address(index).side != *side; });
    return out;
  }

  // Parts of `cells` (all of the failing side where there are none) by a key of each cell; without
  // one each cell is a part.
  Order order(const std::function<std::int64_t(const CellAddress&)>& part_of, const Cells& cells) {
    const Cells& among = cells.empty() ? side_cells(out_.side) : cells;
    std::map<std::int64_t, Order::Part> parts;
    for (const std::int64_t index : among) {
      Order::Part& part = parts[part_of ? part_of(address(index)) : index];
      part.score += scores_.span()[static_cast<std::size_t>(index)];
      part.cells.push_back(index);
    }
    Order out;
    for (auto& [key, part] : parts) {
      std::ranges::stable_sort(part.cells, std::greater(), [&](std::int64_t index) {
        return scores_.span()[static_cast<std::size_t>(index)];
      });
      out.parts.push_back(std::move(part));
    }
    std::ranges::stable_sort(out.parts, std::greater(), &Order::Part::score);
    return out;
  }

  void fill_head_scores() {
    const ModelShape& s = run_.spec().shape;
    for (NdArray<float, 2>& sums : out_.head_scores) {
      sums = NdArray<float, 2>({s.n_layers, s.n_kv_heads});
    }
    for (std::int64_t index = 0; index < scores_.size(); ++index) {
      const CellAddress cell = address(index);
      out_.head_scores[static_cast<std::size_t>(cell.side)](cell.layer, cell.kv_head) +=
          scores_.span()[static_cast<std::size_t>(index)];
    }
  }

  MixedRun& run_;
  const DiagnosisOptions& options_;
  const Work& work_;
  SettingQuantizer quantizer_;
  std::int64_t n_before_;  // replays of the run so far
  SettingCache setting_;
  CellScores scores_;
  MixedScore before_;
  Cells suspects_;
  bool harmless_alone_ = false;
  std::map<std::string, std::size_t> known_;  // replays, by mix
  Diagnosis out_;
};

}  // namespace

DiagnosedCell diagnosed_cell(const SettingCache& setting, const CaptureInfo& info,
                             const CellAddress& cell, double score) {
  DiagnosedCell out{cell, score, 0, 0};
  const SettingSide& of = setting.side(cell.side);
  if (of.quantizes()) {
    const BitChoice& choice = of.choices[of.unit(cell.layer, cell.kv_head, cell.token)];
    out.n_bits = choice.n_bits;
    out.wanted = choice.wanted;
  }
  out.cell.layer = info.layers[static_cast<std::size_t>(cell.layer)];
  return out;
}

nlohmann::ordered_json diagnosed_cell_json(const DiagnosedCell& cell) {
  return {{"cache", name_of(cell.cell.side)},
          {"layer", cell.cell.layer},
          {"kv_head", cell.cell.kv_head},
          {"token", cell.cell.token},
          {"score", cell.score},
          {"n_bits", cell.n_bits},
          {"wanted", cell.wanted}};
}

Diagnosis diagnose(MixedRun& run, const DiagnosisOptions& options, const Work& work) {
  return Search(run, options, work).diagnose();
}

std::vector<CacheSide> blamed_sides(const Diagnosis& diagnosis) {
  if (diagnosis.cells.empty()) return {};
  if (diagnosis.side) return {*diagnosis.side};
  return {CacheSide::key, CacheSide::value};
}

NdArray<float, 2> replay_heads(MixedRun& run, const DiagnosisOptions& options,
                               const Diagnosis& diagnosis, CacheSide side, const Work& work) {
  return Search(run, options, work).heads(diagnosis.step, side);
}

void add_head_kl(MixedRun& run, const DiagnosisOptions& options, Diagnosis& diagnosis,
                 const Work& work) {
  for (const CacheSide side : blamed_sides(diagnosis)) {
    diagnosis.head_kl[static_cast<std::size_t>(side)] =
        replay_heads(run, options, diagnosis, side, work);
  }
}

std::array<NdArray<float, 2>, 2> head_kl_change(const Diagnosis& diagnosis) {
  std::array<NdArray<float, 2>, 2> out;
  for (std::size_t side = 0; side < out.size(); ++side) {
    out[side] = diagnosis.head_kl[side].copy();
    for (float& each : out[side].span()) {
      each = static_cast<float>(each - diagnosis.explained().score.score.kl);
    }
  }
  return out;
}

}  // namespace qaq
