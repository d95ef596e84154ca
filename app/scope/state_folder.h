#pragma once

#include <QString>

namespace qaq::scope {

/// Where a user's programs keep what they may lose: $XDG_STATE_HOME/qaq-scope, or
/// ~/.local/state/qaq-scope where that is unset or relative. It need not exist.
QString stateFolder();

}  // namespace qaq::scope
