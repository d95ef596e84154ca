#pragma once

#include <array>
#include <memory>

#include "core/analysis/layer_errors.h"
#include "views/models/analysis.h"

namespace qaq::views {

/// What the view of errors draws. Immutable.
struct ErrorData {
  SharedAnalysis analysis;
  LayerErrors errors;
  std::array<SharedHeatmap, kAllErrors.size()> maps;  ///< by ErrorOf; null: no such errors

  const SharedHeatmap& map(ErrorOf which) const { return maps[static_cast<std::size_t>(which)]; }
};
using SharedErrors = std::shared_ptr<const ErrorData>;

/// The analysis knows all its errors.
SharedErrors loadErrors(const SharedAnalysis& analysis);

}  // namespace qaq::views
