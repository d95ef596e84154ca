#pragma once

#include <QCoreApplication>
#include <QString>
#include <optional>

#include "views/models/analysis.h"
#include "views/plots/coordinate_text.h"

namespace qaq::views {

/// What is known about one cell, in words, for the inspector and the status bar. Empty: not known
/// or not applicable here.
struct CellFacts {
  Q_DECLARE_TR_FUNCTIONS(CellFacts)
 public:
  struct Side {
    QString bits;      ///< "4", "exact" or "evicted"
    QString outliers;  ///< "2 of 64 (nominal 1 %)"; of a policy without ratio "2 of 64"
    QString error;     ///< "0.568 RMS"
  };

  QString token;  ///< "56 “ vessel”, 7 bytes"
  QString cell;   ///< "V · L14 · KVH1"
  Side key, value;
  QString magnitude;  ///< |value| of the channel
  QString attention;  ///< "step 84: 0.85"
  QString violation;  ///< the token's largest jump in the slice

  static CellFacts of(const SliceMaps& slice, const Cursor& cursor);
};

}  // namespace qaq::views
