#pragma once

#include <QList>
#include <QMap>
#include <QString>
#include <optional>

#include "views/models/workspace.h"
#include "views/plots/map_pane.h"
#include "views/shell/page_stack.h"

namespace qaq::views {

/// Where somebody looks: page, slice, lock, tokens to quantize and the zoom of every pane.
/// Parameters and results are no part of it.
struct ViewSnapshot {
  struct Zoom {
    QCPRange x;
    QCPRange y;
    friend bool operator==(const Zoom&, const Zoom&) = default;
  };

  int page = 0;
  Slice slice;
  std::optional<Cursor> locked;
  std::int64_t prefix = 0;
  QMap<QString, Zoom> zoom;  ///< by "PAGE/VIEW/PANE", as in "0/bits/1"

  static ViewSnapshot take(Workspace& workspace, const PageStack& pages);
  /// Panes that were not there stay as they are.
  void restore(Workspace& workspace, PageStack& pages) const;

  friend bool operator==(const ViewSnapshot&, const ViewSnapshot&) = default;
};

}  // namespace qaq::views
