#pragma once

#include <string>

#include "data/session/session_file.h"

namespace qaq {

/// Where a session's capture lies now.
struct FoundCapture {
  enum class State { found, changed, missing };

  State state = State::missing;
  std::string path{};  ///< that opens it; where it is missing, where it was looked for first
};

/// How `capture` is written in the session `session_path`: relative to its folder, with '/'.
std::string session_path_of(const std::string& capture, const std::string& session_path);

/// Looks for a capture at its path from the session's folder, then for the same name beside the
/// session, then for ever shorter ends of its path below the session's folder: that finds it where
/// the session was moved into the folder that holds the captures. A file with the session's digest
/// goes before one without, which is `changed`.
FoundCapture find_capture(const SessionCapture& capture, const std::string& session_path);

/// The capture that is shown: `open`, else the first; null where there is none.
const SessionCapture* open_capture_of(const SessionFile& session);

}  // namespace qaq
