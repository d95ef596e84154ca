#pragma once

class QWidget;

namespace qaq::views {

/// Makes everything on the screen `scale` times as large as at a desk: what `root` and all in it
/// have been given as a size (fonts, margins, bounds, axes of plots; of a window the program's font,
/// too), and from here on what is read
/// from Theme::font(), px() and Px. Where themes set or draw anything, setTheme() is to follow. The
/// way back to 1 gives every size that there was.
void rescale(QWidget* root, double scale);

}  // namespace qaq::views
