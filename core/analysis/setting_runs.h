#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/analysis/experiment.h"
#include "core/evaluate/item_result.h"
#include "core/policy/cache_policy.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// A setting under a name without commas, for tables.
struct NamedSetting {
  std::string name;
  QaqParams params{};
  std::shared_ptr<const CachePolicy> policy{};  ///< in place of QAQ with `params`
};

/// Questions under many settings.
struct SettingRuns {
  std::vector<NamedSetting> settings;
  std::vector<ItemResult> items;  ///< each with all settings, in order
  std::int64_t n_available = 0;
  double seconds = 0;
  DType dtype = DType::f32;  ///< of the caches that were quantized
};

/// Scores the context's questions under every setting, as the authors do. The first questions are
/// timed, and from what they took it follows how many the context's seconds allow; fewer where the
/// rest turns out slower, by the clock and never by a result. Settings go in groups, each an
/// engine, which bounds the memory; within a group the whole cache is run once.
SettingRuns run_settings(const ExperimentContext& context, std::vector<NamedSetting> settings);

}  // namespace qaq
