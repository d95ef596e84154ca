#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/replay/explain.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// What a replay made of a cell, whatever the policy: all that there is to say where no formula
/// chose the bits.
struct CellFate {
  enum class Kind {
    behind,   ///< the token lies behind the prefix: nothing has happened to it
    evicted,  ///< its KV head has dropped it
    exact,    ///< it is as it was
    coded     ///< with n_bits
  };

  CellAddress cell;
  std::string token_text;
  std::int64_t prefix = 0;
  Kind kind = Kind::coded;
  int n_bits = 0;                     ///< coded: of its codes
  std::int64_t n_outliers = 0;        ///< coded: values of the cell kept exactly
  std::optional<double> rms_error{};  ///< coded: over its channels; nothing: not measured yet
  std::int64_t packed_bytes = 0;      ///< of the cell's cache
  double nominal_bits = 0;            ///< of the cell's cache: mean of what is left, a value
  double kept_share = 1;              ///< of the cell's cache: of its values
};
template <>
struct ChoiceNames<CellFate::Kind> {
  static constexpr std::array<std::string_view, 4> names{"behind", "evicted", "exact", "coded"};
};

/// `result` is a replay of that capture. Throws Error{usage} for a cell that the capture does not
/// have, with the ranges that it has.
CellFate cell_fate(const CaptureInfo& info, const ReplayResult& result, const CellAddress& cell);
nlohmann::ordered_json fate_json(const CellFate& fate);

}  // namespace qaq
