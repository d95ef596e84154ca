#include "core/analysis/setting_runs.h"

#include <algorithm>
#include <iterator>

#include "core/evaluate/prefix_run.h"
#include "core/evaluate/time_in.h"

namespace qaq {
namespace {

constexpr std::size_t kGroup = 16;  // settings that have engines at a time
constexpr std::size_t kTimed = 2;   // questions that are timed
constexpr double kAllowance = 0.9;  // of the time: what comes later may be slower

// What a question's time goes with: tokens that are run.
double tokens_of(const ChoiceQuestion& question) {
  std::size_t n = question.question.size();
  for (const auto& choice : question.choices) n += choice.size() - question.question.size();
  return static_cast<double>(n);
}

// How many questions fit, of which the first n_timed took `seconds` in one of n_groups.
std::size_t fitting(const ExperimentContext& context, std::size_t n_timed, double seconds,
                    std::size_t n_groups) {
  double tokens = 0;
  for (std::size_t i = 0; i < n_timed; ++i) tokens += tokens_of(context.questions[i]);
  const double per_token = static_cast<double>(n_groups) * seconds / tokens;
  std::size_t n = n_timed;
  for (; n < context.questions.size(); ++n) {
    tokens += tokens_of(context.questions[n]);
    if (tokens * per_token > kAllowance * context.seconds) break;
  }
  return n;
}

std::vector<QaqParams> params_of(const std::vector<NamedSetting>& settings, std::size_t first,
                                 std::size_t last) {
  std::vector<QaqParams> out;
  for (std::size_t i = first; i < last; ++i) out.push_back(settings[i].params);
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
  double timed = 0;
  for (std::size_t group = 0; group < n_groups; ++group) {
    PrefixRun run([&] { return context.open(longest); },
                  params_of(out.settings, group * n_settings / n_groups,
                            (group + 1) * n_settings / n_groups));
    for (std::size_t i = 0; n == 0 || i < n; ++i) {
      context.work.throw_if_stopped();
      ItemResult item;
      {
        const TimeIn time(timed);
        item = score_question(run, context.questions[i], {}, context.work);
      }
      if (group == 0) {
        out.items.push_back(std::move(item));
      } else {
        std::ranges::move(item.settings, std::back_inserter(out.items[i].settings));
      }
      const bool enough = i + 1 == std::min(kTimed, context.questions.size()) ||
                          timed * static_cast<double>(n_groups) > context.seconds;
      if (n == 0 && enough) n = fitting(context, i + 1, timed, n_groups);
      if (n > 0) {
        context.work.report({"experiment", static_cast<std::int64_t>(group * n + i + 1),
                             static_cast<std::int64_t>(n_groups * n), "question runs"});
      }
    }
  }
}

}  // namespace

SettingRuns run_settings(const ExperimentContext& context, std::vector<NamedSetting> settings) {
  SettingRuns out;
  out.settings = std::move(settings);
  out.n_available = std::ssize(context.questions);
  {
    const TimeIn time(out.seconds);
    run_groups(context, out);
  }
  return out;
}

}  // namespace qaq
