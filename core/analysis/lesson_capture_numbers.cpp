#include <cmath>
#include <nlohmann/json.hpp>

#include "core/analysis/distribution.h"
#include "core/analysis/lesson_call.h"
#include "core/analysis/persistence.h"
#include "core/replay/explain.h"
#include "core/replay/replay.h"

namespace qaq {
namespace {

LessonNumber cell_number(const LessonCall& call) {
  ReplayOptions options{.params = call.params().qaq};
  const CacheSide side = call.side(0);
  QaqSideParams& params = side == CacheSide::key ? options.params.key : options.params.value;
  if (call.choice(1, {"here", "paper"}) == 1) params.variant = Variant::paper;
  const CellExplanation cell =
      explain_cell(call.capture(), options,
                   {side, call.whole(2), call.below(3, call.info().shape.n_kv_heads, "KV head"),
                    call.below(4, call.info().n_tokens, "token")},
                   call.work());
  const std::string& what = call.word(5);
  if (what == "wanted") return whole(cell.bits.choice.wanted);
  if (what == "n_bits") return whole(cell.bits.choice.n_bits);
  if (what == "outliers") return whole(static_cast<double>(cell.n_outliers));
  if (what == "rms") return number(cell.rms_error);
  if (what == "limit") {
    return words(cell.bits.choice.forced ? "newest tokens" : name_of(cell.bits.choice.clamp));
  }
  const bool is_sigma = what == "sigma";
  for (const BitStep& step : cell.bits.steps) {
    if (step.symbol == (is_sigma ? "sigma^2" : what)) {
      return number(is_sigma ? std::sqrt(step.value) : step.value);
    }
  }
  refuse_lesson(call.text(), cat("the formula of this cell has no '", what, "'"),
                "name a symbol of it, or sigma, wanted, n_bits, outliers, rms, limit");
}

const Violation& strongest(const LessonCall& call) {
  const std::vector<Violation>& all = call.violations().violations;
  if (all.empty()) refuse_lesson(call.text(), "needs a violation", "there is none");
  return *std::ranges::max_element(all, {}, &Violation::score);
}

LessonNumber strongest_number(const LessonCall& call) {
  const Violation& jump = strongest(call);
  const auto layer = call.info().layers[static_cast<std::size_t>(jump.layer)];
  switch (call.choice(
      0, {"layer", "head", "kv_head", "step", "token", "score", "before", "ratio", "text"})) {
    case 0:
      return whole(layer);
    case 1:
      return whole(jump.head);
    case 2:
      return whole(static_cast<double>(jump.head / call.info().shape.group_size()));
    case 3:
      return whole(jump.step);
    case 4:
      return whole(jump.token);
    case 5:
      return number(double{jump.score});
    case 6:
      return number(double{jump.window_max});
    case 7:
      return number(jump_ratio(jump));
    default:
      return words(call.info().token_text[static_cast<std::size_t>(jump.token)]);
  }
}

LessonNumber score_number(const LessonCall& call) {
  const auto rows = call.capture().attention(call.layer(0), 0, call.info().n_query_rows());
  return number(double{(*rows)(call.below(1, call.info().shape.n_heads, "query head"),
                               call.below(2, call.info().n_query_rows(), "step"),
                               call.below(3, call.info().n_tokens, "token"))});
}

LessonNumber persistence_number(const LessonCall& call) {
  const auto found = persistence(call.capture(), call.work());
  if (!found) refuse_lesson(call.text(), "needs every row of attention", "it is not at hand");
  const bool is_share = call.choice(0, {"mean", "least", "share"}) == 2;
  double sum = 0, least = 1;
  const NdArray<double, 2>& table = is_share ? found->share : found->ratio;
  const auto all = table.span();
  for (const double each : all) {
    sum += each;
    least = std::min(least, each);
  }
  return share(call.word(0) == "least" ? least : sum / static_cast<double>(all.size()));
}

LessonNumber spread_number(const LessonCall& call) {
  const Distributions all = distributions(
      call.capture(), {.scope = DistributionScope::capture, .prefix = call.info().n_tokens},
      call.work());
  const ValueDistribution& one = all.of(call.side(0));
  switch (call.choice(1, {"deviation", "largest", "count", "kept"})) {
    case 0:
      return number(one.deviation);
    case 1: {
      const OutlierCut ends = one.cut(0);
      return number(std::max(std::abs(ends.low), std::abs(ends.high)));
    }
    case 2: {
      const ModelShape& shape = call.info().shape;
      return whole(static_cast<double>(call.info().n_captured_layers() * shape.n_kv_heads *
                                       call.info().n_tokens * shape.head_dim));
    }
    default:
      return share(share_kept(
          call.side(0) == CacheSide::key ? call.replay().key : call.replay().value, all.place));
  }
}

/// The cache whose numbers lie wider.
LessonNumber wider_cache(const LessonCall& call) {
  const Distributions all = distributions(
      call.capture(), {.scope = DistributionScope::capture, .prefix = call.info().n_tokens},
      call.work());
  return words(all.key.deviation > all.value.deviation ? "keys" : "values");
}

/// Newest tokens that get n_bits_max by rule.
LessonNumber forced(const LessonCall& call) {
  return whole(static_cast<double>(call.params().qaq.value.last_n_attentions - 1));
}

LessonNumber now_number(const LessonCall& call) {
  const nlohmann::ordered_json metrics = metrics_json(call.replay());
  const std::string& name = call.word(0);
  if (!metrics.contains(name) || !metrics[name].is_number()) {
    std::vector<std::string> names;
    for (const auto& [key, value] : metrics.items()) names.push_back(key);
    const auto nearest = nearest_name(name, names);
    refuse_lesson(
        call.text(), cat("a replay has no '", name, "'"),
        nearest ? cat("did you mean ", *nearest, "?") : "name a metric of qaq replay --json");
  }
  const auto value = metrics[name].get<double>();
  return name.ends_with("share") ? share(value) : number(value);
}

/// Which of two metrics is larger, by the words given for them.
LessonNumber larger_now(const LessonCall& call) {
  const nlohmann::ordered_json metrics = metrics_json(call.replay());
  const auto value = [&](std::size_t i) {
    if (metrics.contains(call.word(i)) && metrics[call.word(i)].is_number()) {
      return metrics[call.word(i)].get<double>();
    }
    refuse_lesson(call.text(), cat("a replay has no '", call.word(i), "'"),
                  "name a metric of qaq replay --json");
  };
  return words(value(0) > value(1) ? call.word(2) : call.word(3));
}

/// A parameter of the setting at hand.
LessonNumber parameter_number(const LessonCall& call) {
  const auto all = list_parameters(call.params());
  const auto found = std::ranges::find(all, call.word(0), &Parameter::name);
  if (found == all.end()) refuse_lesson(call.text(), "no such parameter", "see qaq replay --help");
  if (const auto* value = std::get_if<double>(&found->value)) return number(*value);
  if (const auto* value = std::get_if<std::int64_t>(&found->value)) {
    return whole(static_cast<double>(*value));
  }
  refuse_lesson(call.text(), "the parameter is no number", "name one that is");
}

/// Violations with a bound of their own.
LessonNumber jumps_at(const LessonCall& call) {
  ViolationParams params = call.params().violation;
  params.violation_ratio = call.number(0);
  const auto found = find_violations(call.capture(), params,
                                     call.params().qaq.value.last_n_attentions, call.work());
  return whole(static_cast<double>(found.violations.size()));
}

}  // namespace

std::span<const KnownNumber> capture_numbers() {
  static constexpr KnownNumber kAll[] = {
      {"model", "", 0, [](const LessonCall& call) { return words(call.info().model_name); }},
      {"capture", "", 0, [](const LessonCall& call) { return words(call.info().name); }},
      {"tokens", "", 0,
       [](const LessonCall& call) { return whole(static_cast<double>(call.info().n_tokens)); }},
      {"token", "POSITION", 1,
       [](const LessonCall& call) {
         return words(call.info().token_text[static_cast<std::size_t>(
             call.below(0, call.info().n_tokens, "token"))]);
       }},
      {"cell", "key|value, here|paper, LAYER, KV_HEAD, TOKEN, WHAT", 6, cell_number},
      {"score", "LAYER, HEAD, STEP, TOKEN", 4, score_number},
      {"jumps", "", 0,
       [](const LessonCall& call) {
         return whole(static_cast<double>(call.violations().violations.size()));
       }},
      {"jump_pairs", "", 0,
       [](const LessonCall& call) {
         return whole(static_cast<double>(call.violations().n_eligible));
       }},
      {"jump_rate", "", 0, [](const LessonCall& call) { return share(call.violations().rate()); }},
      {"strongest", "layer|head|kv_head|step|token|score|before|ratio|text", 1, strongest_number},
      {"persistence", "mean|least|share", 1, persistence_number},
      {"spread", "key|value, deviation|largest|count|kept", 2, spread_number},
      {"wider_cache", "", 0, wider_cache},
      {"forced", "", 0, forced},
      {"now", "METRIC", 1, now_number},
      {"larger_now", "METRIC, METRIC, WORD, WORD", 4, larger_now},
      {"parameter", "NAME", 1, parameter_number},
      {"window", "", 0,
       [](const LessonCall& call) {
         return whole(static_cast<double>(call.params().qaq.value.last_n_attentions));
       }},
      {"jumps_at", "RATIO", 1, jumps_at},
  };
  return kAll;
}

}  // namespace qaq
