#include "views/models/error_data.h"

#include <cassert>

namespace qaq::views {

SharedErrors loadErrors(const SharedAnalysis& analysis) {
  assert(analysis->stage == Analysis::Stage::scores);
  const CaptureInfo& info = analysis->capture->info();
  auto out = std::make_shared<ErrorData>();
  out->analysis = analysis;
  out->errors = layer_errors(*analysis->replay, info);
  for (const ErrorOf which : kAllErrors) {
    if (!has_errors(*analysis->replay, which)) continue;
    out->maps[static_cast<std::size_t>(which)] =
        std::make_shared<const Heatmap>(error_map(*analysis->replay, info, which));
  }
  return out;
}

}  // namespace qaq::views
