#pragma once

#include <QPalette>
#include <QString>

#include "views/plots/theme.h"

namespace qaq::views {

/// What the Fusion style needs to look like a theme.
QPalette windowPalette(const Theme& theme);
QString windowStyleSheet(const Theme& theme);

}  // namespace qaq::views
