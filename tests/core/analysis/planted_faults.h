#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "core/analysis/diagnosis.h"
#include "core/analysis/diagnosis_limits.h"
#include "core/analysis/diagnosis_report.h"
#include "core/engine/backend.h"
#include "core/evaluate/mixed_run.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq::test {

/// A prompt of the real model and what it says behind it.
struct RealRun {
  RealRun(std::shared_ptr<const ModelFile> opened, std::vector<std::int32_t> prompt,
          std::int64_t n_generate)
      : model(std::move(opened)), ids(std::move(prompt)) {
    const auto tokenizer = make_tokenizer(*model);
    for (const std::int32_t id : ids) subject.prompt += tokenizer->piece(id);
    n_prompt = std::ssize(ids);
    const auto engine = make_cpu_backend()->open(model, {n_prompt + n_generate, n_prompt});
    engine->run(ids);
    while (std::ssize(ids) < n_prompt + n_generate) {
      ids.push_back(engine->greedy_token());
      engine->run({&ids.back(), 1});
    }
    mixed = std::make_unique<MixedRun>(
        [&] {
          return make_cpu_backend()->open(model, {std::ssize(ids), n_prompt});
        },
        PrefixedText{ids, n_prompt}, DType::f32, Work{});
    subject.model = "SmolLM2";
    subject.token_text = [tokenizer](std::int32_t id) { return tokenizer->piece(id); };
  }

  std::shared_ptr<const ModelFile> model;
  std::vector<std::int32_t> ids;
  std::int64_t n_prompt = 0;
  std::unique_ptr<MixedRun> mixed;
  DiagnosisSubject subject{};
};

/// A cell of a cache; of a fault in a whole head its token means nothing.
struct PlantedPlace {
  std::int64_t layer = 0, head = 0, token = 0;
};

/// A setting that leaves a cache all but exact, so that a fault stands alone.
inline QaqParams all_but_exact() {
  QaqParams out;
  for (QaqSideParams* side : {&out.key, &out.value}) {
    side->range_rule = RangeChoice::midpoint;
    side->target_quantization_error = 1e-4;
    side->n_bits_max = 12;
    side->n_bits_min = 10;
    side->last_n_attentions = 1;
  }
  return out;
}

/// A place that row `row` behind the prompt reads, but not alone, so that its error is felt. Of the
/// first tokens' values there is nothing to feel: heads rest on them because they are all but zero.
inline PlantedPlace read_place(const RealRun& run, std::int64_t row, std::mt19937& random) {
  const StepReads reads =
      step_reads(run.mixed->capture(), run.n_prompt, run.n_prompt + row, GqaReduce::max);
  for (;;) {
    const PlantedPlace at{
        static_cast<std::int64_t>(random() % 30), static_cast<std::int64_t>(random() % 3),
        kSinkTokens + static_cast<std::int64_t>(random() % (run.n_prompt - kSinkTokens))};
    const float score = reads.attention(at.layer, at.head, at.token);
    if (score > 0.1f && score < 0.9f) return at;
  }
}

/// A head's keys get one bit each.
inline DiagnosisOptions head_cut(const RealRun& run, const PlantedPlace& at) {
  DiagnosisOptions out{.params = all_but_exact()};
  out.fault = [n = run.n_prompt, at](SettingSide& side) {
    if (side.side != CacheSide::key || side.params.n_bits_max > 12) return;
    for (std::int64_t t = 0; t < n; ++t) side.plan.n_bits[side.unit(at.layer, at.head, t)] = 1;
  };
  return out;
}

/// A value's importance is hidden from its bits: it gets one.
inline DiagnosisOptions hidden_jump(std::int64_t row, const PlantedPlace& at) {
  DiagnosisOptions out{.params = all_but_exact()};
  out.step = row;
  out.fault = [at](SettingSide& side) {
    if (side.side != CacheSide::value || side.rows == ImportanceRows::replayed) return;
    const std::size_t unit = side.unit(at.layer, at.head, at.token);
    side.facts[unit].importance = 1e-6f;
    side.choices[unit].wanted = 1;
    side.plan.n_bits[unit] = 1;
  };
  return out;
}

/// One value, not kept, makes the range of one key 200 times as wide.
inline DiagnosisOptions withheld_outlier(std::int64_t row, const PlantedPlace& at) {
  DiagnosisOptions out{.params = all_but_exact()};
  out.step = row;
  out.fault = [at](SettingSide& side) {
    if (side.side != CacheSide::key || side.params.outliers_ratio > 0.01) return;
    UnitStats& stats = side.stats[side.unit(at.layer, at.head, at.token)];
    stats.max = stats.min + 200 * (stats.max - stats.min);
  };
  return out;
}

}  // namespace qaq::test
