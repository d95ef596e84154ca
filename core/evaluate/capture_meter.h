#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/evaluate/budget_fit.h"
#include "core/quant/packed_bytes.h"
#include "core/replay/capture_view.h"
#include "core/replay/replayer.h"
#include "core/replay/sweep.h"

namespace qaq {

/// What captures alone say of a setting. Errors are means over captures.
struct MeteredFigures {
  PackedBytes packed;                     ///< of keys and values of all captures
  double ratio = 0;                       ///< 2 bytes a value over them
  std::optional<double> attention_error;  ///< as ReplayResult has them; absent where a capture
  std::optional<double> output_error;     ///< has no rows to compare
  double quantization_error = 0;          ///< of keys and values, of what is left
};

/// Seconds from keys, values and attention in memory to a plan, and to values as they are read
/// back.
struct MeteredSeconds {
  double plan = 0;
  double code = 0;
};

/// Captures whose first tokens are quantized: one file, or the prefixes of a task's questions.
class CaptureMeter : public BudgetMeter {
 public:
  /// Errors as Sweeper.
  CaptureMeter(std::vector<std::shared_ptr<const CaptureView>> captures,
               const SweepOptions& options, const Work& work);

  double ratio(const std::shared_ptr<const CachePolicy>& policy) override;
  /// The output's error where all captures have rows to compare, else that of keys and values.
  std::vector<double> losses(std::span<const std::shared_ptr<const CachePolicy>> policies) override;

  /// Rows that scores and outputs are compared in, of all captures.
  std::int64_t n_rows() const;
  std::vector<MeteredFigures> figures(std::span<const std::shared_ptr<const CachePolicy>> policies);
  /// Of a second time, with all statistics taken anew: the first brings what is read into memory.
  MeteredSeconds seconds(const CachePolicy& policy) const;

 private:
  struct Metered {
    std::shared_ptr<const CaptureView> capture;
    std::unique_ptr<Replayer> replayer;
    std::unique_ptr<Sweeper> sweeper;
  };

  MeteredSeconds seconds_once(const CachePolicy& policy) const;

  std::vector<Metered> captures_;
  Work silent_;
};

}  // namespace qaq
