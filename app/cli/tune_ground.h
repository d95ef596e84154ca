#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "app/cli/evaluation_items.h"
#include "core/base/progress.h"
#include "core/evaluate/prefix_run.h"
#include "core/policy/qaq_params.h"
#include "core/replay/sweep.h"

namespace qaq::cli {

/// What `qaq tune` measures settings on: half of a text with a model in the loop, or a capture.
class TuneGround {
 public:
  virtual ~TuneGround() = default;
  /// One object a setting, in order: ratio_packed, the losses by the names that --target takes, and
  /// how many positions or rows they are means of.
  virtual std::vector<nlohmann::ordered_json> measure(std::span<const QaqParams> settings,
                                                      const Work& work) = 0;
};

/// `kl` and `same_top` of the positions behind quantized prefixes. The run is shared by the halves
/// of a text, and outlives them.
class TextGround : public TuneGround {
 public:
  TextGround(PrefixRun& run, EvaluationItems items) : run_(run), items_(std::move(items)) {}
  std::vector<nlohmann::ordered_json> measure(std::span<const QaqParams> settings,
                                              const Work& work) override;

 private:
  PrefixRun& run_;
  EvaluationItems items_;
};

/// `output_error` of the compared rows (null where the capture has none), `quantization_error` of
/// keys and values, and whether the rows are among the quantized tokens (`in_sample`).
class CaptureGround : public TuneGround {
 public:
  CaptureGround(std::shared_ptr<const CaptureView> capture, const SweepOptions& options,
                const Work& work)
      : capture_(std::move(capture)), sweeper_(*capture_, options, work) {}
  bool compares_outputs() const { return sweeper_.n_rows() > 0; }
  std::vector<nlohmann::ordered_json> measure(std::span<const QaqParams> settings,
                                              const Work& work) override;

 private:
  std::shared_ptr<const CaptureView> capture_;
  Sweeper sweeper_;
};

/// Both halves of a text that was cut into windows, each with its first `limit` windows (0: all).
/// Throws Error{usage} where a half has no token behind a prefix.
std::vector<EvaluationItems> halves_of(const EvaluationItems& items, std::int64_t limit);

}  // namespace qaq::cli
