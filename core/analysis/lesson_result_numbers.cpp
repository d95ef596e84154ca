#include <cmath>

#include "core/analysis/lesson_call.h"
#include "core/analysis/paper_results.h"
#include "core/evaluate/statistics.h"

namespace qaq {
namespace {

const MeasuredRun& find_run(const std::vector<MeasuredRun>& runs, const std::string& name) {
  const auto found = std::ranges::find(runs, name, &MeasuredRun::name);
  if (found != runs.end()) return *found;
  std::vector<std::string> names;
  for (const MeasuredRun& each : runs) names.push_back(each.name);
  const auto nearest = nearest_name(name, names);
  refuse_lesson(name, "there is no such run",
                nearest ? cat("did you mean ", *nearest, "?") : "see measured.json");
}

/// Of a list of names and values; null: it is not there.
template <class Value>
const Value* value_of(const std::vector<std::pair<std::string, Value>>& all,
                      std::string_view name) {
  for (const auto& [key, value] : all) {
    if (key == name) return &value;
  }
  return nullptr;
}

double metric(const LessonCall& call, const std::string& run, const std::string& name) {
  return measured_metric(call.measured(), run, name);
}

/// Of a planted cause: what its diagnosis found.
LessonNumber diagnosis_number(const LessonCall& call) {
  const MeasuredRun& run = find_run(call.measured().diagnoses, call.word(0));
  if (const double* value = value_of(run.metrics, call.word(1))) {
    return std::floor(*value) == *value ? whole(*value) : number(*value);
  }
  if (const std::string* text = value_of(run.texts, call.word(1))) return words(*text);
  refuse_lesson(call.text(), cat("the diagnosis has no '", call.word(1), "'"), "see measured.json");
}

LessonNumber run_number(const LessonCall& call) {
  const std::string& name = call.word(1);
  const double value = metric(call, call.word(0), name);
  return name == "same_top" ? share(value) : number(value);
}

/// A parameter of a run's, from its command: what was said last counts.
LessonNumber setting_number(const LessonCall& call) {
  const MeasuredRun& run = find_run(call.measured().runs, call.word(0));
  const std::string* set = value_of(run.texts, "set");
  const std::string wanted = call.word(1) + "=";
  const std::size_t at = set ? set->rfind(" " + wanted) : std::string::npos;
  if (at == std::string::npos) {
    refuse_lesson(call.text(), cat("the run does not set '", call.word(1), "'"),
                  "see measured.json");
  }
  const std::size_t from = at + 1 + wanted.size();
  const std::string value = set->substr(from, set->find(' ', from) - from);
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool is_share = call.word(1) == "outliers_ratio" && error == std::errc();
  return is_share ? share(number) : words(value);
}

/// "yes" where the runs' mean KL differ by more than both intervals allow.
LessonNumber differs(const LessonCall& call) {
  const auto interval = [&](std::size_t i) { return metric(call, call.word(i), "kl_interval"); };
  const double gap = metric(call, call.word(0), "kl_mean") - metric(call, call.word(1), "kl_mean");
  return words(std::abs(gap) > std::hypot(interval(0), interval(1)) ? "yes" : "no");
}

LessonNumber better(const LessonCall& call) {
  const bool first =
      metric(call, call.word(0), call.word(2)) < metric(call, call.word(1), call.word(2));
  return words(first ? call.word(3) : call.word(4));
}

LessonNumber fewest_bits(const LessonCall& call) {
  for (int bits = 1; bits <= 8; ++bits) {
    const std::string run = cat(call.word(0), " ", call.word(1), " ", bits);
    if (metric(call, run, "kl_mean") <= call.number(2)) return whole(bits);
  }
  return words("more than 8");
}

LessonNumber change_number(const LessonCall& call) {
  const double before = metric(call, call.word(0), call.word(2));
  return share((metric(call, call.word(1), call.word(2)) - before) / before);
}

/// Of which of two metrics less is left from one run to the other, by the words given for them.
LessonNumber better_change(const LessonCall& call) {
  const auto change = [&](std::size_t i) {
    return metric(call, call.word(1), call.word(i)) / metric(call, call.word(0), call.word(i));
  };
  return words(change(2) < change(3) ? call.word(4) : call.word(5));
}

LessonNumber setup_number(const LessonCall& call) {
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

double paper_value(const LessonCall& call, std::size_t what) {
  for (const PaperNumber& each : paper_numbers(call.word(0), call.word(2))) {
    if (each.model != call.word(1) || each.task != call.word(2) || each.what != call.word(what)) {
      continue;
    }
    const bool is_ratio = call.choice(3, {"accuracy", "ratio"}) == 1;
    if (const auto& value = is_ratio ? each.ratio : each.accuracy) return *value;
  }
  refuse_lesson(call.text(), cat("the paper reports no such number of '", call.word(what), "'"),
                "see core/analysis/paper_results.cpp");
}

LessonNumber paper_number(const LessonCall& call) {
  return number(paper_value(call, 4), call.word(3) == "ratio" ? 4 : 3);
}

LessonNumber paper_gain(const LessonCall& call) {
  const double before = paper_value(call, 4);
  LessonNumber gain = share((paper_value(call, 5) - before) / before);
  gain.digits = 1;
  return gain;
}

/// Half the 95 % interval of an accuracy of the paper's.
LessonNumber paper_interval(const LessonCall& call) {
  return share(normal_half_interval(paper_value(call, 4), kPaperQuestions));
}

/// "yes" where two accuracies of the paper's differ by more than both intervals allow.
LessonNumber paper_differs(const LessonCall& call) {
  const double one = paper_value(call, 4), two = paper_value(call, 5);
  const auto interval = [](double accuracy) {
    return normal_half_interval(accuracy, kPaperQuestions);
  };
  return words(std::abs(two - one) > std::hypot(interval(one), interval(two)) ? "yes" : "no");
}

}  // namespace

double measured_metric(const MeasuredRuns& all, const std::string& run, std::string_view metric) {
  const double* value = value_of(find_run(all.runs, run).metrics, metric);
  if (value) return *value;
  refuse_lesson(run, cat("the run has no '", metric, "'"), "see measured.json");
}

std::span<const KnownNumber> result_numbers() {
  static constexpr KnownNumber kAll[] = {
      {"run", "RUN, METRIC", 2, run_number},
      {"setting", "RUN, PARAMETER", 2, setting_number},
      {"differs", "RUN, RUN", 2, differs},
      {"better", "RUN, RUN, METRIC, WORD, WORD", 5, better},
      {"change", "RUN, RUN, METRIC", 3, change_number},
      {"better_change", "RUN, RUN, METRIC, METRIC, WORD, WORD", 6, better_change},
      {"fewest_bits", "key|value, LEVEL, KL", 3, fewest_bits},
      {"setup", "model|text|command|tokens|prefix|scored", 1, setup_number},
      {"paper", "ITEM, MODEL, TASK, accuracy|ratio, WHAT", 5, paper_number},
      {"paper_gain", "ITEM, MODEL, TASK, accuracy|ratio, BEFORE, AFTER", 6, paper_gain},
      {"paper_differs", "ITEM, MODEL, TASK, accuracy|ratio, WHAT, WHAT", 6, paper_differs},
      {"paper_interval", "ITEM, MODEL, TASK, accuracy|ratio, WHAT", 5, paper_interval},
      {"paper_spread", "", 0, [](const LessonCall&) { return number(kPaperSpread); }},
      {"paper_questions", "", 0,
       [](const LessonCall&) { return whole(static_cast<double>(kPaperQuestions)); }},
      {"paper_claim", "ITEM", 1,
       [](const LessonCall& call) {
         const std::string_view claim = paper_claim(call.word(0));
         if (claim.empty())
           refuse_lesson(call.text(), "the paper claims nothing of it", "name its item");
         return words(std::string(claim));
       }},
      {"diagnosis", "NAME, WHAT", 2, diagnosis_number},
  };
  return kAll;
}

}  // namespace qaq
