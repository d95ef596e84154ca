#include "app/cli/tune_ground.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/evaluate/summary.h"
#include "core/evaluate/text_window.h"
#include "core/policy/qaq_policy.h"
#include "core/replay/replay.h"

namespace qaq::cli {

using Json = nlohmann::ordered_json;

std::vector<Json> TextGround::measure(std::span<const QaqParams> settings, const Work& work) {
  run_.set_settings(qaq_policies(settings));
  std::vector<ItemResult> results;
  for (std::int64_t i = 0; i < items_.size(); ++i) {
    work.throw_if_stopped();
    results.push_back(items_.run(run_, i, {}, work));
  }
  std::vector<Json> out;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const SettingSummary summary = summarize(results, i);
    out.push_back({{"ratio_packed", summary.ratio_packed()},
                   {"kl", summary.divergences.kl_mean},
                   {"same_top", summary.divergences.same_top},
                   {"n_positions", summary.divergences.n_positions}});
  }
  return out;
}

std::vector<Json> CaptureGround::measure(std::span<const QaqParams> settings, const Work& work) {
  std::vector<Json> out;
  for (const SharedReplay& result : sweeper_.run(settings, work)) {
    const Json metrics = metrics_json(*result);
    out.push_back({{"ratio_packed", result->ratio_packed},
                   {"output_error", metrics["output_error"]},
                   {"quantization_error", metrics["quantization_error"]},
                   {"n_rows", sweeper_.n_rows()},
                   {"in_sample", result->in_sample}});
  }
  return out;
}

std::vector<EvaluationItems> halves_of(const EvaluationItems& items, std::int64_t limit) {
  const auto n = items.text.size(), n_first = n / 2;
  if (static_cast<std::int64_t>(n_first) <= items.n_prefix) {
    refuse_usage({.place = "--window",
                  .what = cat("the text has ", n, " tokens, and its half none behind a prefix of ",
                              items.n_prefix),
                  .cure = "give a longer text or a smaller window"});
  }
  std::vector<EvaluationItems> out(2, items);
  const auto middle = items.text.begin() + static_cast<std::ptrdiff_t>(n_first);
  out[0].text.assign(items.text.begin(), middle);
  out[1].text.assign(middle, items.text.end());
  for (EvaluationItems& half : out) {
    half.windows = text_windows(std::ssize(half.text), half.window, half.stride);
    if (limit > 0 && limit < half.size()) half.windows.resize(static_cast<std::size_t>(limit));
  }
  return out;
}

}  // namespace qaq::cli
