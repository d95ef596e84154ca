#pragma once

#include <QColor>
#include <QIcon>

namespace qaq::views {

/// One set of line icons on a 16 px grid, drawn at 1, 2 and 3 times when asked for.
enum class Icon { open, padlock, resetZoom, file, chip };
QIcon icon(Icon which, const QColor& color);

}  // namespace qaq::views
