#pragma once

#include "data/session/session_file.h"
#include "views/models/window_services.h"

namespace qaq::scope {

// Between what the window keeps and what a session file holds.

/// The file that `state` becomes at `path`. What its document holds that the window does not know
/// stays; captures are relative to the new place. Reads the open capture for its digest. Throws
/// Error.
SessionFile sessionFileOf(const views::SessionState& state, const std::string& path);

/// What the window becomes of the session at `path`; the capture that is open is looked for, or is
/// `located` where that is not empty. Throws Error{input} for a parameter's value that cannot be.
views::LoadedSession loadedSession(const SessionFile& session, const std::string& path,
                                   const std::string& located = {});

/// The session at `path` with a capture that can be opened. Throws Error{input}, also where there
/// is none.
views::LoadedSession openSession(const std::string& path);

/// Reading and writing for the window.
views::SessionFiles sessionFiles();

}  // namespace qaq::scope
