#include "views/models/provenance.h"

#include "core/base/text.h"
#include "core/base/version.h"

namespace qaq::views {

std::string provenanceText(const Analysis& analysis) {
  const CaptureInfo& info = analysis.capture->info();
  const ScopeParams& made = analysis.params;
  const std::string changed =
      command_line_text(list_parameters(made), list_parameters(defaults_of(made)));
  return cat("qaq-scope ", program_version(), " (", program_commit(), "); ", info.name, "; ",
             info.model_name, "; ", analysis.replay->policy, " --prefix ", analysis.replay->prefix,
             changed.empty() ? "" : " " + changed);
}

std::string provenanceText(const SliceMaps& slice) {
  const std::string shown = provenanceText(*slice.analysis);
  if (!slice.against) return shown;
  return cat(shown, "; against ", provenanceText(*slice.against->analysis));
}

}  // namespace qaq::views
