#pragma once

#include "views/models/error_data.h"
#include "views/plots/color_bar.h"
#include "views/plots/map_pane.h"

namespace qaq::views {

/// One kind of error, layers along x with their KV heads side by side, tokens or steps down.
class ErrorPane : public MapPane {
  Q_OBJECT

 public:
  explicit ErrorPane(QWidget* parent = nullptr);

  /// The data have errors of this kind.
  void show(const SharedErrors& errors, ErrorOf which);

 private:
  ColorBar* m_bar;
};

/// "K error", "V error", "Attention error", "Output error".
QString errorTitle(ErrorOf which);

}  // namespace qaq::views
