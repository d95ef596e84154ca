#pragma once

#include "app/scope/options.h"

namespace qaq::scope {

/// `qaq-scope [FILE]`: the window of a capture or a session, or with --screenshot a picture of it.
struct WindowOptions {
  Options common;
  std::string file;      ///< a capture, or by its ending .qaqsession a session; empty: none
  bool restore = false;  ///< take back what a window left that ended without closing
  std::string screenshot;
  std::string cell;  ///< key|value,LAYER,KV_HEAD,TOKEN[,STEP] to lock
};

void addWindow(CLI::App& program, WindowOptions& options);

/// Returns the exit code. Needs a QApplication. Throws Error.
int runWindow(const WindowOptions& options);

}  // namespace qaq::scope
