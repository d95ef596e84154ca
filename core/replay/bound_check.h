#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/progress.h"
#include "core/replay/bound_conditions.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay.h"

namespace qaq {

struct BoundCheckOptions {
  ReplayOptions replay;
  std::int64_t n_draws = 0;  ///< Monte-Carlo draws; 0: none
  std::uint64_t seed = 1;    ///< of the draws
  bool see_future = false;   ///< importance from the rows that errors are measured on: what is left
                             ///< where no score can turn out larger than was seen
};

/// What was promised: errors of rows of scores, or of outputs X (root mean square over channels).
enum class Promise {
  scores,         ///< ||S' - S|| <= e of the keys
  key_outputs,    ///< of X' = S' V, <= e of the keys (bound_target output)
  value_outputs,  ///< of X' = S V', <= e of the values
  outputs         ///< of X' = S' V', both caches: <= the promises' squares added
};
inline constexpr std::size_t kPromises = 4;
inline constexpr std::array<std::string_view, kPromises> kPromiseNames{"scores", "key_outputs",
                                                                       "value_outputs", "outputs"};

/// What some rows achieved.
struct Achieved {
  std::int64_t n_rows = 0;
  std::int64_t n_over = 0;  ///< rows whose error is above the promise
  double row_rms = 0;       ///< root of the rows' mean squared error
  double entry_rms = 0;     ///< the largest of one key's score, or of one channel
};

/// How often a condition was broken, and in how many of the rows above the promise.
struct ConditionCount {
  std::int64_t n_rows = 0;
  std::int64_t n_over = 0;
};

/// One query head (or all of them) against its promise. Of `replayed`, an entry's error is its root
/// mean square over rows; of `drawn`, errors are those expected over draws, of each row and each
/// entry apart.
struct BoundCell {
  std::int32_t layer = 0;  ///< the model's number
  std::int32_t head = 0;   ///< query head
  Achieved replayed;
  std::optional<Achieved> drawn{};
  std::array<ConditionCount, kBoundConditions> conditions{};
  std::int64_t n_over_unbroken = 0;  ///< rows above the promise that break no condition
};

/// How many rows erred so many times the promise, in bins of a tenth of a decade. What lies outside
/// them is counted in the outermost.
struct RatioCounts {
  static constexpr int kPerDecade = 10;
  static constexpr double kFirstDecade = -3;  ///< 0.001 of the promise
  static constexpr std::size_t kBins = 60;
  std::array<std::int64_t, kBins> count{};

  void add(double ratio);
  void add(const RatioCounts& other);
  static double centre(std::size_t bin);  ///< the ratio in the middle of a bin
};

struct PromiseReport {
  Promise promise = Promise::scores;
  double e = 0;          ///< what rows were promised to stay below
  bool promised = true;  ///< false: held against e, though the keys' part is promised by nobody
  BrokenConditions rests_on{};
  BoundCell all{};                 ///< layer and head are 0
  RatioCounts ratios{};            ///< of all rows
  std::vector<BoundCell> cells{};  ///< by layer, then head
};

/// Promises held against what was achieved (section 4.3 of the mathematics).
struct BoundCheck {
  std::int64_t prefix = 0;
  bool in_sample = false;
  bool see_future = false;
  std::int64_t n_draws = 0;
  std::uint64_t seed = 0;
  double key_mean_bits = 0;  ///< over units; 0: left exact
  double value_mean_bits = 0;
  std::vector<PromiseReport> promises;
};

/// Quantizes the prefix and holds the errors of the captured rows s >= prefix (or of all, where
/// there is none) against what the caches' variants promise. Promises of variants reference and
/// paper are their parameter e, taken at its word. Same capture and options: the same bytes,
/// whatever the thread count. Throws as replay() does, Error{usage} where neither cache promises
/// anything or sparse_top_k leaves scores out, Error{input} where the capture has no queries or no
/// attention.
std::shared_ptr<const BoundCheck> check_bound(const CaptureView& capture,
                                              const BoundCheckOptions& options,
                                              const Work& work = {});

nlohmann::ordered_json bound_check_json(const BoundCheck& check);

}  // namespace qaq
