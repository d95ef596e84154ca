#include <cmath>

#include "core/analysis/lesson_call.h"
#include "core/analysis/paper_results.h"
#include "core/evaluate/statistics.h"

namespace qaq {
namespace {

double metric(const LessonCall& call, const std::string& run, const std::string& name) {
  const auto& runs = call.measured().runs;
  const auto found = std::ranges::find(runs, run, &MeasuredRun::name);
  if (found == runs.end()) {
    std::vector<std::string> names;
    for (const MeasuredRun& each : runs) names.push_back(each.name);
    const auto nearest = nearest_name(run, names);
    refuse_lesson(call.text(), cat("there is no run '", run, "'"),
                  nearest ? cat("did you mean ", *nearest, "?") : "see measured.json");
  }
  for (const auto& [key, value] : found->metrics) {
    if (key == name) return value;
  }
  refuse_lesson(call.text(), cat("the run has no '", name, "'"), "see measured.json");
}

LessonNumber run_number(const LessonCall& call) {
  const std::string& name = call.word(1);
  const double value = metric(call, call.word(0), name);
  return name == "same_top" ? share(value) : number(value);
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

/// Half the 95 % interval of an accuracy of n questions.
LessonNumber accuracy_interval(const LessonCall& call) {
  return share(normal_half_interval(call.number(0), call.whole(1)));
}

/// "yes" where two accuracies of n questions differ by more than both intervals allow.
LessonNumber paper_differs(const LessonCall& call) {
  const double one = paper_value(call, 4), two = paper_value(call, 5);
  const auto interval = [&](double accuracy) {
    return normal_half_interval(accuracy, call.whole(6));
  };
  return words(std::abs(two - one) > std::hypot(interval(one), interval(two)) ? "yes" : "no");
}

}  // namespace

std::span<const KnownNumber> result_numbers() {
  static constexpr KnownNumber kAll[] = {
      {"run", "RUN, METRIC", 2, run_number},
      {"differs", "RUN, RUN", 2, differs},
      {"better", "RUN, RUN, METRIC, WORD, WORD", 5, better},
      {"change", "RUN, RUN, METRIC", 3, change_number},
      {"better_change", "RUN, RUN, METRIC, METRIC, WORD, WORD", 6, better_change},
      {"fewest_bits", "key|value, LEVEL, KL", 3, fewest_bits},
      {"setup", "model|text|command|tokens|prefix|scored", 1, setup_number},
      {"paper", "ITEM, MODEL, TASK, accuracy|ratio, WHAT", 5, paper_number},
      {"paper_gain", "ITEM, MODEL, TASK, accuracy|ratio, BEFORE, AFTER", 6, paper_gain},
      {"paper_differs", "ITEM, MODEL, TASK, accuracy|ratio, WHAT, WHAT, QUESTIONS", 7,
       paper_differs},
      {"paper_claim", "ITEM", 1,
       [](const LessonCall& call) {
         const std::string_view claim = paper_claim(call.word(0));
         if (claim.empty())
           refuse_lesson(call.text(), "the paper claims nothing of it", "name its item");
         return words(std::string(claim));
       }},
      {"accuracy_interval", "ACCURACY, QUESTIONS", 2, accuracy_interval},
  };
  return kAll;
}

}  // namespace qaq
