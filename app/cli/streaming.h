#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/replay_flags.h"
#include "core/policy/qaq_params.h"
#include "core/replay/streaming_params.h"

namespace qaq::cli {

/// Everything that can be set where decode goes step by step.
struct StreamedParams {
  QaqParams qaq;
  StreamingParams streaming;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    QaqParams::visit(self.qaq, v);
    StreamingParams::visit(self.streaming, v);
  }
};

/// What `qaq replay` takes to replay decode step by step.
struct StreamingFlags {
  bool streaming = false;
  std::int64_t prefill = 0;
};

/// Adds the flags to `qaq replay`, which has its own already: what does not go together is refused.
/// `flags` outlives the command.
void add_streaming_flags(CLI::App& replay, StreamingFlags& flags);
/// The parameters of --set that --streaming has beside the policy's.
std::string streaming_parameter_help();
/// Throws Error{usage} where an assignment is of streaming, which was not asked for.
void refuse_streaming_parameters(const std::vector<std::string>& assignments);
/// `qaq replay --streaming`; kept in the capture as run `save` unless that is empty.
void run_streaming(const ReplayFlags& replay, const StreamingFlags& flags, const std::string& save,
                   const CommonOptions& common);

}  // namespace qaq::cli
