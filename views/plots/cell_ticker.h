#pragma once

#include <functional>
#include <qcustomplot.h>

namespace qaq::views {

/// Ticks in the middle of cells: on 0, 5, 10 ... and the last index, 4 to 10 an axis, never closer
/// than 28 px. An axis of groups (layers of several heads) is ticked at groups until single rows
/// have room for a label.
class CellTicker : public QCPAxisTicker {
 public:
  explicit CellTicker(const QCPAxis* axis) : m_axis(axis) {}

  /// `count` cells in groups of `groupSize`.
  void setCells(int count, int groupSize = 1);
  int groupSize() const { return m_groupSize; }
  /// Label of one cell where single cells of a group are ticked; groups are labelled by their
  /// number.
  void setCellLabel(std::function<QString(int cell)> label) { m_label = std::move(label); }

  void generate(const QCPRange& range, const QLocale& locale, QChar formatChar, int precision,
                QVector<double>& ticks, QVector<double>* subTicks,
                QVector<QString>* tickLabels) override;

 private:
  double axisPixels() const;

  const QCPAxis* m_axis;
  int m_count = 0;
  int m_groupSize = 1;
  std::function<QString(int)> m_label;
};

}  // namespace qaq::views
