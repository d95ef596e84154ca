#include "core/analysis/setting_runs.h"

#include <algorithm>
#include <iterator>

#include "core/evaluate/prefix_run.h"
#include "core/evaluate/time_in.h"
#include "core/policy/qaq_policy.h"

namespace qaq {
namespace {

constexpr std::size_t kGroup = 16;  // settings that have engines at a time
// The first question brings weights and buffers into memory; the others are timed.
constexpr std::size_t kTimed = 3;
constexpr double kAllowance = 0.9;  // of the time: what comes later may be slower

// What a question's time goes with: tokens that are run.
double tokens_of(const ChoiceQuestion& question) {
  std::size_t n = question.question.size();
  for (const auto& choice : question.choices) n += choice.size() - question.question.size();
  return static_cast<double>(n);
}

// How many questions fit, of which the first took `first` seconds in one of n_groups, and those
// behind it, up to n_run, `others`.
std::size_t fitting(const ExperimentContext& context, std::size_t n_run, double first,
                    double others, std::size_t n_groups) {
  const auto groups = static_cast<double>(n_groups);
  double tokens = 0;
  for (std::size_t i = n_run == 1 ? 0 : 1; i < n_run; ++i) {
    tokens += tokens_of(context.questions[i]);
  }
  const double per_token = (n_run == 1 ? first : others) / tokens;
  double seconds = groups * (first + others);
  std::size_t n = n_run;
  for (; n < context.questions.size(); ++n) {
    seconds += groups * tokens_of(context.questions[n]) * per_token;
    if (seconds > kAllowance * context.seconds) break;
  }
  return n;
}

PrefixRun::Settings policies_of(const std::vector<NamedSetting>& settings, std::size_t first,
                                std::size_t last) {
  PrefixRun::Settings out;
  for (std::size_t i = first; i < last; ++i) {
    const NamedSetting& each = settings[i];
    out.push_back(each.policy ? each.policy : std::make_shared<QaqPolicy>(each.params));
  }
  return out;
}

void run_groups(const ExperimentContext& context, SettingRuns& out) {
  std::int64_t longest = 0;
  for (const ChoiceQuestion& question : context.questions) {
    longest = std::max(longest, question.longest());
  }
  const std::size_t n_settings = out.settings.size();
  const std::size_t n_groups = (n_settings + kGroup - 1) / kGroup;
  std::size_t n = 0;  // known once the first questions were timed
  double first = 0, others = 0;
  for (std::size_t group = 0; group < n_groups; ++group) {
    PrefixRun run([&] { return context.open(longest); },
                  policies_of(out.settings, group * n_settings / n_groups,
                              (group + 1) * n_settings / n_groups),
                  context.dtype);
    for (std::size_t i = 0; n == 0 || i < n; ++i) {
      context.work.throw_if_stopped();
      ItemResult item;
      {
        const TimeIn time(i == 0 ? first : others);
        item = score_question(run, context.questions[i], {}, context.work);
      }
      if (group == 0) {
        out.items.push_back(std::move(item));
      } else {
        std::ranges::move(item.settings, std::back_inserter(out.items[i].settings));
      }
      const bool enough =
          i + 1 == std::min(kTimed, context.questions.size()) ||
          (first + others) * static_cast<double>(n_groups) > kAllowance * context.seconds;
      if (n == 0 && enough) n = fitting(context, i + 1, first, others, n_groups);
      // Slower than the first: questions that a group's share of the time does not reach are left
      // out of all.
      const double share = static_cast<double>(group + 1) / static_cast<double>(n_groups);
      if (n > 0 && first + others > share * context.seconds) n = std::min(n, i + 1);
      if (n > 0) {
        context.work.report({"experiment", static_cast<std::int64_t>(group * n + i + 1),
                             static_cast<std::int64_t>(n_groups * n), "question runs"});
      }
    }
  }
  out.items.resize(n);
}

}  // namespace

SettingRuns run_settings(const ExperimentContext& context, std::vector<NamedSetting> settings) {
  SettingRuns out;
  out.settings = std::move(settings);
  out.n_available = std::ssize(context.questions);
  out.dtype = context.dtype;
  {
    const TimeIn time(out.seconds);
    run_groups(context, out);
  }
  return out;
}

}  // namespace qaq
