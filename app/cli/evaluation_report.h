#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/evaluate/divergence.h"
#include "core/evaluate/summary.h"
#include "core/policy/cache_policy.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq::cli {

/// One of the one or two settings of an evaluation.
struct EvaluatedSetting {
  std::string name;  ///< "setting", "against"
  std::shared_ptr<const CachePolicy> policy;
  SettingSummary summary;
};

/// What an evaluation of a task or a text found.
struct Evaluation {
  std::vector<ItemResult> items;
  std::vector<EvaluatedSetting> settings;
  std::optional<Accuracy> reference;  ///< of the whole cache, on questions
  RunSeconds reference_seconds;
};

/// The setting's policy, parameters, metrics and cost, named as by `qaq replay`, with positions
/// where there is a single item; the same of the second setting under "against"; paired tests.
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation);
void print_evaluation(const Evaluation& evaluation);

/// Where the generated text parts from the whole cache's.
nlohmann::ordered_json divergence_json(const DivergenceResult& result,
                                       std::span<const EvaluatedSetting> settings,
                                       const Tokenizer& tokenizer);
void print_divergence(const DivergenceResult& result, std::span<const EvaluatedSetting> settings,
                      const Tokenizer& tokenizer);

}  // namespace qaq::cli
