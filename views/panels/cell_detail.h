#pragma once

#include <QCoreApplication>
#include <QList>
#include <QString>

#include "core/analysis/cell_summary.h"

namespace qaq::views {

/// Why a cell has its bits and what they made of it, in words, for the inspector: the numbers of
/// `qaq explain`.
struct CellDetail {
  Q_DECLARE_TR_FUNCTIONS(CellDetail)
 public:
  /// Names of the rows; the same for every cell.
  static QStringList names();

  QStringList texts;                     ///< in the order of names(); empty: not applicable
  bool jumped = false;                   ///< what came afterwards is above the violation ratio
  static constexpr int kAfterwards = 3;  ///< the row that is then an alarm

  /// `ratio`: from which what comes afterwards counts as a jump.
  static CellDetail of(const CellSummary& summary, double ratio);
};

}  // namespace qaq::views
