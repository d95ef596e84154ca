#pragma once

#include <QColor>
#include <QIcon>

namespace qaq::views {

/// One set of line icons on a 16 px grid, drawn at 1, 2 and 3 times when asked for.
enum class Icon { open, padlock, resetZoom, undo, redo, back, forward, search, file, chip };
/// `disabled`: the colour where what it stands for cannot be done; left out: drawn by the style.
QIcon icon(Icon which, const QColor& color, const QColor& disabled = {});

}  // namespace qaq::views
