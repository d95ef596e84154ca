#pragma once

#include <QList>
#include <QMap>
#include <QString>
#include <optional>

#include "views/models/workspace.h"
#include "views/plots/map_pane.h"

namespace qaq::views {

/// Where somebody looks: slice, lock, tokens to quantize and the zoom of every pane. Parameters and
/// results are no part of it.
struct ViewSnapshot {
  struct Zoom {
    QCPRange x;
    QCPRange y;
    friend bool operator==(const Zoom&, const Zoom&) = default;
  };

  Slice slice;
  std::optional<Cursor> locked;
  std::int64_t prefix = 0;
  QMap<QString, Zoom> zoom;  ///< by "VIEW/PANE", as in "bits/1"

  static ViewSnapshot take(Workspace& workspace, const QList<MapPane*>& panes);
  /// Panes that were not there, or are no more, stay as they are.
  void restore(Workspace& workspace, const QList<MapPane*>& panes) const;

  friend bool operator==(const ViewSnapshot&, const ViewSnapshot&) = default;
};

}  // namespace qaq::views
