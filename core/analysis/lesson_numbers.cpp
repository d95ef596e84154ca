#include "core/analysis/lesson_numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/analysis/distribution.h"
#include "core/analysis/paper_results.h"
#include "core/analysis/persistence.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/known_shapes.h"
#include "core/model/model_cost.h"
#include "core/policy/bit_steps.h"
#include "core/replay/captured_layers.h"
#include "core/replay/explain.h"
#include "core/replay/replay.h"

namespace qaq {
namespace {

constexpr double kBytesPerNumber = 2;  // of float16, the cache that a compression is held against
constexpr double kBitsPerNumber = 16;

[[noreturn]] void refuse(const std::string& place, const std::string& what,
                         const std::string& cure) {
  refuse_input({.place = place, .what = what, .cure = cure});
}

/// The words of a call, and what it is computed from.
class Call {
 public:
  Call(std::string text, std::vector<std::string> arguments, const LessonData& data,
       const Work& work)
      : text_(std::move(text)), arguments_(std::move(arguments)), data_(data), work_(work) {}

  const std::string& word(std::size_t i) const { return arguments_[i]; }
  double number(std::size_t i) const {
    const std::string& text = arguments_[i];
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    refuse(text_, cat("'", text, "' is no number"), "write it as in 0.01");
  }
  std::int64_t whole(std::size_t i) const { return static_cast<std::int64_t>(number(i)); }
  CacheSide side(std::size_t i) const {
    return choice(i, {"key", "value"}) == 0 ? CacheSide::key : CacheSide::value;
  }
  std::size_t choice(std::size_t i, const std::vector<std::string>& names) const {
    const auto found = std::ranges::find(names, arguments_[i]);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    refuse(text_, cat("'", arguments_[i], "' is not known"), cat("choose one of ", all));
  }
  const CaptureView& capture() const { return *need(data_.capture, "a capture"); }
  const CaptureInfo& info() const { return capture().info(); }
  const ReplayResult& replay() const { return *need(data_.replay, "a replay"); }
  const ViolationReport& violations() const { return *need(data_.violations, "attention"); }
  const MeasuredRuns& measured() const { return *need(data_.measured, "measured runs"); }
  const ScopeParams& params() const { return data_.params; }
  const Work& work() const { return work_; }
  /// Index among the captured layers.
  std::int64_t layer(std::size_t i) const {
    if (const auto index = captured_index(info().layers, static_cast<std::int32_t>(whole(i)))) {
      return *index;
    }
    refuse(text_, cat("layer ", arguments_[i], " was not captured"), "name one that was");
  }
  std::int64_t below(std::size_t i, std::int64_t end, const char* what) const {
    const std::int64_t at = whole(i);
    if (at >= 0 && at < end) return at;
    refuse(text_, cat("there is no ", what, " ", at), cat("there are ", end));
  }
  const std::string& text() const { return text_; }

 private:
  template <class Pointer>
  const Pointer& need(const Pointer& pointer, const char* what) const {
    if (!pointer) refuse(text_, cat("needs ", what), "it is not at hand");
    return pointer;
  }

  std::string text_;
  std::vector<std::string> arguments_;
  const LessonData& data_;
  const Work& work_;
};

LessonNumber whole(double value) { return {.value = value, .form = LessonForm::whole}; }
LessonNumber bytes(double value) { return {.value = value, .form = LessonForm::bytes}; }
LessonNumber share(double value) { return {.value = value, .form = LessonForm::share}; }
LessonNumber number(double value, int digits = 3) { return {.value = value, .digits = digits}; }
LessonNumber words(std::string text) { return {.value = std::move(text)}; }

// --- shapes -------------------------------------------------------------------------------------

ModelSpec spec_of(const Call& call, std::size_t i) {
  const std::string& name = call.word(i);
  if (name == "here") {
    ModelSpec spec;
    spec.shape = call.info().shape;
    return spec;
  }
  switch (call.choice(i, {"LLaMA-2-7B", "LLaMA-2-13B", "LLaMA-2-70B"})) {
    case 0:
      return llama2_7b();
    case 1:
      return llama2_13b();
    default:
      return llama2_70b();
  }
}

double cache_bytes(const ModelSpec& spec, double n_tokens) {
  return static_cast<double>(
             cache_bytes_per_token(spec, static_cast<std::int64_t>(kBytesPerNumber))) *
         n_tokens;
}

/// A count of tokens, or all of the capture's.
double n_tokens(const Call& call, std::size_t i) {
  return call.word(i) == "all" ? static_cast<double>(call.info().n_tokens) : call.number(i);
}

LessonNumber shape_number(const Call& call) {
  const ModelShape shape = spec_of(call, 0).shape;
  const std::int64_t sizes[] = {shape.n_layers, shape.n_heads,     shape.n_kv_heads,
                                shape.head_dim, shape.hidden_size, shape.intermediate_size};
  return whole(static_cast<double>(
      sizes[call.choice(1, {"layers", "heads", "kv_heads", "head_dim", "hidden", "ffn"})]));
}

// --- formulas -----------------------------------------------------------------------------------

/// What the paper's rule makes of one unit in a cache of T tokens.
BitSteps paper_steps(CacheSide side, double n_tokens, const QaqSideParams& params,
                     const UnitFacts& unit) {
  QaqSideParams paper = params;
  paper.variant = Variant::paper;
  paper.n_bits_min = 0;
  paper.n_bits_max = 16;
  paper.last_n_attentions = 1;
  return explain_bits(paper, side, {1, 1, static_cast<std::int64_t>(n_tokens), 1}, unit);
}

double sigma_of(const BitSteps& steps) { return std::sqrt(double{steps.choice.error}); }

LessonNumber sigma_v(const Call& call) {
  QaqSideParams params;
  params.target_quantization_error = call.number(1);
  return number(
      sigma_of(paper_steps(CacheSide::value, call.number(0), params,
                           {.range = 1, .importance = static_cast<float>(call.number(2))})));
}

LessonNumber sigma_k(const Call& call) {
  QaqSideParams params;
  params.target_quantization_error = call.number(1);
  params.q_norm = call.number(2);
  return number(sigma_of(paper_steps(CacheSide::key, call.number(0), params,
                                     {.range = 1, .q_norm = static_cast<float>(call.number(2))})),
                2);
}

LessonNumber bits_for(const Call& call) {
  QaqSideParams params;
  params.target_quantization_error = call.number(1);
  const BitSteps steps = paper_steps(CacheSide::value, call.number(0), params,
                                     {.range = static_cast<float>(call.number(3)),
                                      .importance = static_cast<float>(call.number(2))});
  return whole(steps.choice.wanted);
}

/// The paper's ratio of flat bits: no scales, outliers at full width, no indices.
double flat_ratio(double bits, double outliers) {
  return kBitsPerNumber / ((1 - outliers) * bits + kBitsPerNumber * outliers);
}

// --- one cell -----------------------------------------------------------------------------------

LessonNumber cell_number(const Call& call) {
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
  refuse(call.text(), cat("the formula of this cell has no '", what, "'"),
         "name a symbol of it, or sigma, wanted, n_bits, outliers, rms, limit");
}

// --- attention ----------------------------------------------------------------------------------

const Violation& strongest(const Call& call) {
  const std::vector<Violation>& all = call.violations().violations;
  if (all.empty()) refuse(call.text(), "needs a violation", "there is none");
  return *std::ranges::max_element(all, {}, &Violation::score);
}

LessonNumber strongest_number(const Call& call) {
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

LessonNumber score_number(const Call& call) {
  const auto rows = call.capture().attention(call.layer(0), 0, call.info().n_query_rows());
  return number(double{(*rows)(call.below(1, call.info().shape.n_heads, "query head"),
                               call.below(2, call.info().n_query_rows(), "step"),
                               call.below(3, call.info().n_tokens, "token"))});
}

LessonNumber persistence_number(const Call& call) {
  const auto found = persistence(call.capture(), call.work());
  if (!found) refuse(call.text(), "needs every row of attention", "it is not at hand");
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

// --- values -------------------------------------------------------------------------------------

LessonNumber spread_number(const Call& call) {
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
LessonNumber wider_cache(const Call& call) {
  const Distributions all = distributions(
      call.capture(), {.scope = DistributionScope::capture, .prefix = call.info().n_tokens},
      call.work());
  return words(all.key.deviation > all.value.deviation ? "keys" : "values");
}

/// Share of a unit of so many values that outliers_ratio keeps: at least one at the low end, by the
/// ranks of section 2.3, without ties.
LessonNumber kept_of(const Call& call) {
  const double n = call.number(0), ratio = call.number(1);
  const double low = std::ceil(ratio / 2 * n), high = std::floor((1 - ratio / 2) * n);
  return share((low + n - high) / n);
}

/// Newest tokens that get n_bits_max by rule.
LessonNumber forced(const Call& call) {
  return whole(static_cast<double>(call.params().qaq.value.last_n_attentions - 1));
}

// --- the setting at hand ------------------------------------------------------------------------

LessonNumber now_number(const Call& call) {
  const nlohmann::ordered_json metrics = metrics_json(call.replay());
  const std::string& name = call.word(0);
  if (!metrics.contains(name) || !metrics[name].is_number()) {
    std::vector<std::string> names;
    for (const auto& [key, value] : metrics.items()) names.push_back(key);
    const auto nearest = nearest_name(name, names);
    refuse(call.text(), cat("a replay has no '", name, "'"),
           nearest ? cat("did you mean ", *nearest, "?") : "name a metric of qaq replay --json");
  }
  const auto value = metrics[name].get<double>();
  return name.ends_with("share") ? share(value) : number(value);
}

/// Which of two metrics is larger, by the words given for them.
LessonNumber larger_now(const Call& call) {
  const nlohmann::ordered_json metrics = metrics_json(call.replay());
  const auto value = [&](std::size_t i) {
    if (metrics.contains(call.word(i)) && metrics[call.word(i)].is_number()) {
      return metrics[call.word(i)].get<double>();
    }
    refuse(call.text(), cat("a replay has no '", call.word(i), "'"),
           "name a metric of qaq replay --json");
  };
  return words(value(0) > value(1) ? call.word(2) : call.word(3));
}

/// Violations with a bound of their own.
LessonNumber jumps_at(const Call& call) {
  ViolationParams params = call.params().violation;
  params.violation_ratio = call.number(0);
  const auto found = find_violations(call.capture(), params,
                                     call.params().qaq.value.last_n_attentions, call.work());
  return whole(static_cast<double>(found.violations.size()));
}

// --- runs that were made beforehand -------------------------------------------------------------

double metric(const Call& call, const std::string& run, const std::string& name) {
  const auto& runs = call.measured().runs;
  const auto found = std::ranges::find(runs, run, &MeasuredRun::name);
  if (found == runs.end()) {
    std::vector<std::string> names;
    for (const MeasuredRun& each : runs) names.push_back(each.name);
    const auto nearest = nearest_name(run, names);
    refuse(call.text(), cat("there is no run '", run, "'"),
           nearest ? cat("did you mean ", *nearest, "?") : "see measured.json");
  }
  for (const auto& [key, value] : found->metrics) {
    if (key == name) return value;
  }
  refuse(call.text(), cat("the run has no '", name, "'"), "see measured.json");
}

LessonNumber run_number(const Call& call) {
  const std::string& name = call.word(1);
  const double value = metric(call, call.word(0), name);
  return name == "same_top" ? share(value) : number(value);
}

/// "yes" where the runs' mean KL differ by more than both intervals allow.
LessonNumber differs(const Call& call) {
  const auto interval = [&](std::size_t i) { return metric(call, call.word(i), "kl_interval"); };
  const double gap = metric(call, call.word(0), "kl_mean") - metric(call, call.word(1), "kl_mean");
  return words(std::abs(gap) > std::hypot(interval(0), interval(1)) ? "yes" : "no");
}

LessonNumber better(const Call& call) {
  const bool first =
      metric(call, call.word(0), call.word(2)) < metric(call, call.word(1), call.word(2));
  return words(first ? call.word(3) : call.word(4));
}

LessonNumber fewest_bits(const Call& call) {
  for (int bits = 1; bits <= 8; ++bits) {
    const std::string run = cat(call.word(0), " ", call.word(1), " ", bits);
    if (metric(call, run, "kl_mean") <= call.number(2)) return whole(bits);
  }
  return words("more than 8");
}

LessonNumber change_number(const Call& call) {
  const double before = metric(call, call.word(0), call.word(2));
  return share((metric(call, call.word(1), call.word(2)) - before) / before);
}

/// Of which of two metrics less is left from one run to the other, by the words given for them.
LessonNumber better_change(const Call& call) {
  const auto change = [&](std::size_t i) {
    return metric(call, call.word(1), call.word(i)) / metric(call, call.word(0), call.word(i));
  };
  return words(change(2) < change(3) ? call.word(4) : call.word(5));
}

LessonNumber setup_number(const Call& call) {
  const MeasuredRuns& all = call.measured();
  switch (call.choice(0, {"model", "text", "command", "tokens", "prefix", "scored"})) {
    case 0:
      return words(all.model);
    case 1:
      return words(all.text);
    case 2:
      return words(all.command);
    case 3:
      return whole(static_cast<double>(all.n_tokens));
    case 4:
      return whole(static_cast<double>(all.prefix));
    default:
      return whole(static_cast<double>(all.n_positions));
  }
}

// --- the paper ----------------------------------------------------------------------------------

double paper_value(const Call& call, std::size_t what) {
  for (const PaperNumber& each : paper_numbers(call.word(0), call.word(2))) {
    if (each.model != call.word(1) || each.task != call.word(2) || each.what != call.word(what)) {
      continue;
    }
    const bool is_ratio = call.choice(3, {"accuracy", "ratio"}) == 1;
    if (const auto& value = is_ratio ? each.ratio : each.accuracy) return *value;
  }
  refuse(call.text(), cat("the paper reports no such number of '", call.word(what), "'"),
         "see core/analysis/paper_results.cpp");
}

LessonNumber paper_number(const Call& call) {
  return number(paper_value(call, 4), call.word(3) == "ratio" ? 4 : 3);
}

LessonNumber paper_gain(const Call& call) {
  const double before = paper_value(call, 4);
  LessonNumber gain = share((paper_value(call, 5) - before) / before);
  gain.digits = 1;
  return gain;
}

/// Half the 95 % interval of an accuracy of n questions.
LessonNumber accuracy_interval(const Call& call) {
  const double accuracy = call.number(0);
  return share(1.96 * std::sqrt(accuracy * (1 - accuracy) / call.number(1)));
}

/// "yes" where two accuracies of n questions differ by more than both intervals allow.
LessonNumber paper_differs(const Call& call) {
  const double one = paper_value(call, 4), two = paper_value(call, 5);
  const auto interval = [&](double accuracy) {
    return 1.96 * std::sqrt(accuracy * (1 - accuracy) / call.number(6));
  };
  return words(std::abs(two - one) > std::hypot(interval(one), interval(two)) ? "yes" : "no");
}

struct Known {
  const char* name;
  const char* arguments;
  std::size_t count;
  LessonNumber (*find)(const Call&);
};

constexpr Known kKnown[] = {
    {"model", "", 0, [](const Call& call) { return words(call.info().model_name); }},
    {"capture", "", 0, [](const Call& call) { return words(call.info().name); }},
    {"tokens", "", 0,
     [](const Call& call) { return whole(static_cast<double>(call.info().n_tokens)); }},
    {"token", "POSITION", 1,
     [](const Call& call) {
       return words(
           call.info()
               .token_text[static_cast<std::size_t>(call.below(0, call.info().n_tokens, "token"))]);
     }},
    {"shape", "MODEL, layers|heads|kv_heads|head_dim|hidden|ffn", 2, shape_number},
    {"token_bytes", "MODEL", 1,
     [](const Call& call) { return bytes(cache_bytes(spec_of(call, 0), 1)); }},
    {"cache_bytes", "MODEL, TOKENS|all", 2,
     [](const Call& call) { return bytes(cache_bytes(spec_of(call, 0), n_tokens(call, 1))); }},
    {"layer_bytes", "MODEL, TOKENS|all", 2,
     [](const Call& call) {
       const ModelSpec spec = spec_of(call, 0);
       return bytes(cache_bytes(spec, n_tokens(call, 1)) /
                    static_cast<double>(spec.shape.n_layers));
     }},
    {"sigma_v", "T, e, S", 3, sigma_v},
    {"sigma_k", "T, e, Q", 3, sigma_k},
    {"bits_v", "T, e, S, RANGE", 4, bits_for},
    {"flat_ratio", "BITS, OUTLIERS", 2,
     [](const Call& call) { return number(flat_ratio(call.number(0), call.number(1)), 4); }},
    {"cell", "key|value, here|paper, LAYER, KV_HEAD, TOKEN, WHAT", 6, cell_number},
    {"score", "LAYER, HEAD, STEP, TOKEN", 4, score_number},
    {"jumps", "", 0,
     [](const Call& call) {
       return whole(static_cast<double>(call.violations().violations.size()));
     }},
    {"jump_pairs", "", 0,
     [](const Call& call) { return whole(static_cast<double>(call.violations().n_eligible)); }},
    {"jump_rate", "", 0, [](const Call& call) { return share(call.violations().rate()); }},
    {"strongest", "layer|head|kv_head|step|token|score|before|ratio|text", 1, strongest_number},
    {"persistence", "mean|least|share", 1, persistence_number},
    {"spread", "key|value, deviation|largest|count|kept", 2, spread_number},
    {"wider_cache", "", 0, wider_cache},
    {"kept_of", "VALUES, RATIO", 2, kept_of},
    {"forced", "", 0, forced},
    {"now", "METRIC", 1, now_number},
    {"larger_now", "METRIC, METRIC, WORD, WORD", 4, larger_now},
    {"window", "", 0,
     [](const Call& call) {
       return whole(static_cast<double>(call.params().qaq.value.last_n_attentions));
     }},
    {"jumps_at", "RATIO", 1, jumps_at},
    {"run", "RUN, METRIC", 2, run_number},
    {"differs", "RUN, RUN", 2, differs},
    {"better", "RUN, RUN, METRIC, WORD, WORD", 5, better},
    {"change", "RUN, RUN, METRIC", 3, change_number},
    {"better_change", "RUN, RUN, METRIC, METRIC, WORD, WORD", 6, better_change},
    {"fewest_bits", "key|value, LEVEL, KL", 3, fewest_bits},
    {"setup", "model|text|command|tokens|prefix|scored", 1, setup_number},
    {"paper", "ITEM, MODEL, TASK, accuracy|ratio, WHAT", 5, paper_number},
    {"paper_gain", "ITEM, MODEL, TASK, accuracy|ratio, BEFORE, AFTER", 6, paper_gain},
    {"paper_differs", "ITEM, MODEL, TASK, accuracy|ratio, WHAT, WHAT, QUESTIONS", 7, paper_differs},
    {"paper_claim", "ITEM", 1,
     [](const Call& call) {
       const std::string_view claim = paper_claim(call.word(0));
       if (claim.empty()) refuse(call.text(), "the paper claims nothing of it", "name its item");
       return words(std::string(claim));
     }},
    {"accuracy_interval", "ACCURACY, QUESTIONS", 2, accuracy_interval},
};

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \n") - first + 1));
}

}  // namespace

LessonNumber lesson_number(std::string_view call, const LessonData& data, const Work& work) {
  const std::string text = trimmed(call);
  const std::size_t open = std::min(text.find('('), text.size());
  const std::string name = trimmed(std::string_view(text).substr(0, open));
  std::vector<std::string> arguments;
  if (open < text.size()) {
    if (!text.ends_with(')')) refuse(text, "has no closing bracket", "end it with )");
    std::string_view rest = std::string_view(text).substr(open + 1, text.size() - open - 2);
    while (!trimmed(rest).empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      arguments.push_back(trimmed(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  const auto* const known = std::ranges::find(kKnown, name, &Known::name);
  if (known == std::end(kKnown)) {
    std::vector<std::string> names;
    for (const Known& each : kKnown) names.emplace_back(each.name);
    const auto nearest = nearest_name(name, names);
    refuse(text, "no such number",
           nearest ? cat("did you mean ", *nearest, "?") : "see core/analysis/lesson_numbers.cpp");
  }
  if (arguments.size() != known->count) {
    refuse(text, cat("has ", arguments.size(), " arguments"),
           cat("write ", known->name, "(", known->arguments, ")"));
  }
  return known->find(Call(text, std::move(arguments), data, work));
}

std::string fill_lesson_text(std::string_view text, const LessonData& data,
                             const std::function<std::string(const LessonNumber&)>& write,
                             const Work& work) {
  std::string out;
  while (true) {
    const std::size_t open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) {
      refuse(std::string(text.substr(open, 40)), "has no closing brackets", "end it with }}");
    }
    out += write(lesson_number(text.substr(open + 2, close - open - 2), data, work));
    text.remove_prefix(close + 2);
  }
}

std::vector<std::string> lesson_number_names() {
  std::vector<std::string> names;
  for (const Known& each : kKnown) names.push_back(cat(each.name, "(", each.arguments, ")"));
  return names;
}

}  // namespace qaq
